"""The customers' pages: the state of their logins, with a button to test each, and their configuration."""

from datetime import datetime, timedelta

from starlette.responses import Response

from app.domain.submission import FunctionGroup
from app.i18n import N_
from app.submissions.backlog import paused_logins
from app.web.console import labels
from app.web.console.context import ConsoleRequest, redirect
from app.web.console.page_models import CustomerPage, CustomersPage, Link, LoginRow
from app.web.console.session import PATH
from app.web.console.submission_rows import with_query
from app.web.operations.problems import error_response

CUSTOMERS = f"{PATH}/customers"
ACCEPTED = N_("Vitec accepts it. Tested just now.")
NOT_ACCEPTED = N_("%(fault)s. Tested just now.")
JUST_NOW = timedelta(minutes=1)  # a page that is reloaded later shows the login's state again
NOT_PAUSED = N_("In use")
PAUSED = N_("Paused since %(moment)s: %(reason)s")


async def show_customers(request: ConsoleRequest) -> Response:
    rows = []
    for customer in request.deps.public.customers.values():
        link = Link(customer.firm.name, f"{CUSTOMERS}/{customer.id}")
        rows.append((link, customer.id, await _logins(request, customer.id)))
    return request.show(CustomersPage(request.frame("customers"), rows))


async def show_customer(request: ConsoleRequest) -> Response:
    customer = request.deps.public.customers.get(request.http.path_params["customer"])
    if customer is None:
        return error_response(request.http, request.deps.public, 404)
    page = CustomerPage(
        frame=request.frame("customers"),
        customer_id=customer.id,
        name=customer.firm.name,
        logins=await _logins(request, customer.id),
        configuration=request.deps.configuration[customer.id],
    )
    return request.show(page)


async def try_login(request: ConsoleRequest, _: object) -> Response:
    """Tests the password of one function group with a read-only call."""
    customer, group = (request.http.path_params[name] for name in ("customer", "group"))
    if customer not in request.deps.public.customers or group not in set(FunctionGroup):
        return error_response(request.http, request.deps.public, 404)
    fault = await request.deps.login_fault(customer, FunctionGroup(group))
    at = request.deps.database.now().isoformat()
    return redirect(with_query(f"{CUSTOMERS}/{customer}", tested=group, at=at, fault=fault))


async def _logins(request: ConsoleRequest, customer_id: str) -> list[LoginRow]:
    paused = await request.deps.database.read(paused_logins)
    pauses = {login.group: login for login in paused if login.customer_id == customer_id}
    rows = []
    for group in FunctionGroup:
        state, kind = request.gettext(NOT_PAUSED), ""
        if pause := pauses.get(group):
            reason = request.gettext(labels.REASONS[pause.reason])
            since = labels.moment(pause.since, request.language)
            state, kind = request.gettext(PAUSED) % {"moment": since, "reason": reason}, "bad"
        if request.query_value("tested") == group and _is_now(request):
            state, kind = _tested(request, request.query_value("fault"))
        rows.append(LoginRow(group.value, request.gettext(labels.GROUPS[group]), state, kind))
    return rows


def _is_now(request: ConsoleRequest) -> bool:
    try:
        age = request.deps.database.now() - datetime.fromisoformat(request.query_value("at"))
    except (ValueError, TypeError):  # no time, or one without its zone
        return False
    return age < JUST_NOW


def _tested(request: ConsoleRequest, fault: str) -> tuple[str, str]:
    if not fault:
        return request.gettext(ACCEPTED), "good"
    label = request.gettext(labels.OUTCOMES.get(fault, N_("Vitec couldn’t be reached")))
    return request.gettext(NOT_ACCEPTED) % {"fault": label}, "bad"
