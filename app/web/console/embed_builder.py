"""The embed builder: choose a form and its theme, preview it, and copy the snippet."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from markupsafe import escape
from starlette.responses import HTMLResponse, Response

from app.domain.branding import COLOUR, FONTS, LENGTH
from app.domain.datetimes import STOCKHOLM
from app.domain.submission import PATH_ID
from app.i18n import N_
from app.operations.registry import OPERATIONS, POSTS
from app.operations.specification import PostSpec
from app.operations.viewing import ViewingDefaults
from app.web.console.context import HEADERS, ConsoleRequest
from app.web.console.customers import CUSTOMERS
from app.web.console.page_models import BuilderPage, Option
from app.web.console.submission_rows import with_query
from app.web.embed import ATTRIBUTES
from app.web.operations.context import plain_title
from app.web.operations.customer import Customer
from app.web.operations.problems import error_response
from app.web.operations.slots import format_span
from app.web.rendering.page_models import Firm, FormPage, SlotChoice, ViewingChoice

PATH_PARAMETER = re.compile(r"{(\w+)}")
EXAMPLES = {"estate": "OBJ1", "viewing": "VIS1", "slot": "SLOT1"}
# By set of inputs: a booking by home needs other ids than a booking of a given viewing.
FORMS: Mapping[str, PostSpec] = {
    post.form.inputs or post.form.name: post for post in POSTS if post.form and post.form_path
}
BY_HOME = N_("Viewing booking, with the home’s open times")
# The ids that each form needs, as attributes of the element. Examples stand in for those not entered.
IDS: Mapping[str, tuple[str, ...]] = {
    name: tuple(ATTRIBUTES[part] for part in PATH_PARAMETER.findall(post.form_path) if part in ATTRIBUTES)
    for name, post in FORMS.items()
}
THEME_VALUES = {"accent": COLOUR, "radius": LENGTH, "font": FONTS}
SLOT_LENGTH = timedelta(minutes=15)
BAD_ID = N_("1–40 letters, digits, _, - or .")
BAD_THEME_VALUE = {
    "accent": N_("A colour such as #0b5d4b"),
    "radius": N_("A length such as 6px"),
    "font": N_("Font names, separated by commas"),
}


async def show_builder(request: ConsoleRequest) -> Response:
    customer = _customer(request)
    if customer is None:
        return error_response(request.http, request.deps.public, 404)
    values, faults = _chosen(request, customer)
    form = values["form"]
    link = request.gettext(OPERATIONS[FORMS[form].operation].label)
    page = BuilderPage(
        frame=request.frame("customers"),
        customer_id=customer.id,
        name=customer.firm.name,
        values=values,
        ids=IDS[form],
        forms=[Option(name, request.gettext(_label(FORMS[name])), name == form) for name in _forms(customer)],
        faults={name: request.gettext(text) for name, text in faults.items()},
        preview=None if faults else with_query(f"{CUSTOMERS}/{customer.id}/preview", **values),
        snippet="" if faults else snippet(request.deps.public.public_url, customer.id, values, link),
        theme="" if faults else _theme(customer.firm, values),
    )
    return request.show(page)


async def preview(request: ConsoleRequest) -> Response:
    """A preview of the form in the chosen theme. It can't be submitted."""
    customer = _customer(request)
    if customer is None:
        return error_response(request.http, request.deps.public, 404)
    values, faults = _chosen(request, customer)
    if faults:
        return error_response(request.http, request.deps.public, 404)
    public, post = request.deps.public, FORMS[values["form"]]
    assert post.form is not None
    ticks = customer.defaults.get(ViewingDefaults) if post.ticks else None
    firm = dataclasses.replace(customer.firm, **{name: values[name] for name in THEME_VALUES})
    page = FormPage(
        form=post.form,
        language=request.language,
        languages=(),
        firm=firm,
        demo=public.demo,
        frame_origins="",
        token="",
        referrer="",
        title=values["title"],
        consent=customer.consent_required,
        personnummer=customer.collect_personnummer,
        sms_reminder=ticks is not None and ticks.sms_reminder,
        mail_confirmation=ticks is not None and ticks.mail_confirmation,
        sms_confirmation=ticks is not None and ticks.sms_confirmation,
        reminder_minutes=ticks.reminder_minutes if ticks else 0,
        by_home=post.by_home,
        viewings=(_example_viewing(request),) if post.by_home else (),
    )
    policy = f"default-src 'none'; style-src {public.templates.css(firm).csp_hash}; frame-ancestors 'self'"
    headers = {**HEADERS, "Content-Security-Policy": f"{policy}; form-action 'none'; base-uri 'none'"}
    headers["X-Frame-Options"] = "SAMEORIGIN"
    return HTMLResponse(public.templates.render(page), headers=headers)


def snippet(public_url: str, customer_id: str, values: Mapping[str, str], link: str) -> str:
    """The HTML for the broker's page. `link` is the text of the link that is shown without JavaScript."""
    form = values["form"]
    post = FORMS[form]
    assert post.form is not None
    ids = [values[name] or EXAMPLES[name] for name in IDS[form]]
    path = post.form_path_for(customer_id, *ids)
    parameters = {"intresse": post.form.name, "customer": customer_id, **dict(zip(IDS[form], ids, strict=True))}
    parameters |= {"title": values["title"]} if values["title"] else {}
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in parameters.items())
    return (
        f'<script src="{public_url}/embed.js" async></script>\n\n'
        f'<div {attributes}>\n  <a href="{public_url}{path}">{escape(link)}</a>\n</div>\n'
    )


def _customer(request: ConsoleRequest) -> Customer | None:
    return request.deps.public.customers.get(request.http.path_params["customer"])


def _chosen(request: ConsoleRequest, customer: Customer) -> tuple[dict[str, str], dict[str, str]]:
    """The chosen values by input name, completed from the configuration; and the error messages by input name."""
    values = {"form": request.query_value("form") if request.query_value("form") in _forms(customer) else "interest"}
    values |= {name: request.query_value(name) for name in EXAMPLES}
    values |= {name: request.query_value(name) or getattr(customer.firm, name) for name in THEME_VALUES}
    values["title"] = plain_title(request.query_value("title"))
    faults = {name: BAD_ID for name in EXAMPLES if values[name] and not PATH_ID.fullmatch(values[name])}
    faults |= {name: BAD_THEME_VALUE[name] for name, rule in THEME_VALUES.items() if not rule.fullmatch(values[name])}
    return values, faults


def _forms(customer: Customer) -> list[str]:
    """Names of the forms that this customer has."""
    return [name for name, post in FORMS.items() if post.is_open(customer.defaults)]


def _label(post: PostSpec) -> str:
    return BY_HOME if post.by_home else OPERATIONS[post.operation].label


def _example_viewing(request: ConsoleRequest) -> ViewingChoice:
    """An example viewing with three times, one of them full."""
    starts_at = datetime.now(STOCKHOLM).replace(hour=13, minute=0) + timedelta(days=3)
    slots = []
    for number in range(3):
        span = (starts_at + number * SLOT_LENGTH, starts_at + (number + 1) * SLOT_LENGTH)
        day, time = format_span(*span, request.language, request.gettext)
        slots.append(SlotChoice(f"SLOT{number}", day, time, chosen=False, state="" if number else "full"))
    return ViewingChoice("", tuple(slots))


def _theme(firm: Firm, values: Mapping[str, str]) -> str:
    """The configuration lines for a changed theme, which is where the forms get it from; "" if it is unchanged."""
    changed = {name: values[name] for name in THEME_VALUES if values[name] != getattr(firm, name)}
    if not changed:
        return ""
    quoted = (f"{name} = '{value}'" if '"' in value else f'{name} = "{value}"' for name, value in changed.items())
    return "\n".join(("[customers.theme]", *quoted))
