"""Each customer: its logins, tried at a button's press, and the configuration in force."""

from starlette.responses import Response

from app.domain.submission import FunctionGroup
from app.i18n import N_
from app.web.console import labels
from app.web.console.context import ConsoleRequest, redirect
from app.web.console.page_models import CustomerPage, CustomersPage, Link, LoginRow
from app.web.console.session import PATH
from app.web.console.submission_rows import address
from app.web.operations.problems import error_response

CUSTOMERS = f"{PATH}/customers"
ACCEPTED = N_("Vitec accepts it. Tested just now.")
NOT_ACCEPTED = N_("%(fault)s. Tested just now.")
NOT_PAUSED = N_("In use")
PAUSED = N_("Paused since %(moment)s: %(reason)s")


async def show_customers(look: ConsoleRequest) -> Response:
    rows = []
    for customer in look.desk.site.customers.values():
        link = Link(customer.firm.name, f"{CUSTOMERS}/{customer.id}")
        rows.append((link, customer.id, await _logins(look, customer.id)))
    return look.show(CustomersPage(look.frame("customers"), rows))


async def show_customer(look: ConsoleRequest) -> Response:
    customer = look.desk.site.customers.get(look.request.path_params["customer"])
    if customer is None:
        return error_response(look.request, look.desk.site, 404)
    page = CustomerPage(
        frame=look.frame("customers"),
        identity=customer.id,
        name=customer.firm.name,
        logins=await _logins(look, customer.id),
        configuration=look.desk.configuration[customer.id],
    )
    return look.show(page)


async def try_login(look: ConsoleRequest, _: object) -> Response:
    """One call that reads, with the password of one function group."""
    customer, group = (look.request.path_params[name] for name in ("customer", "group"))
    if customer not in look.desk.site.customers or group not in set(FunctionGroup):
        return error_response(look.request, look.desk.site, 404)
    fault = await look.desk.login_fault(customer, FunctionGroup(group))
    return redirect(address(f"{CUSTOMERS}/{customer}", tested=group, fault=fault))


async def _logins(look: ConsoleRequest, customer_id: str) -> list[LoginRow]:
    pauses = {pause.group: pause for pause in await look.desk.paused() if pause.customer_id == customer_id}
    rows = []
    for group in FunctionGroup:
        state, kind = look.gettext(NOT_PAUSED), ""
        if pause := pauses.get(group):
            reason = look.gettext(labels.REASONS[pause.reason])
            since = labels.moment(pause.since, look.language)
            state, kind = look.gettext(PAUSED) % {"moment": since, "reason": reason}, "bad"
        if look.asked("tested") == group:
            state, kind = _tested(look, look.asked("fault"))
        rows.append(LoginRow(group.value, look.gettext(labels.GROUPS[group]), state, kind))
    return rows


def _tested(look: ConsoleRequest, fault: str) -> tuple[str, str]:
    if not fault:
        return look.gettext(ACCEPTED), "good"
    known = look.gettext(labels.OUTCOMES.get(fault, N_("Vitec couldn’t be reached")))
    return look.gettext(NOT_ACCEPTED) % {"fault": known}, "bad"
