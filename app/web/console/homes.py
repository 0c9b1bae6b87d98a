"""One home: which campaigns brought its interests and its viewings."""

from starlette.responses import Response

from app.domain.submission import PATH_ID, Operation
from app.storage.campaigns import campaigns_of
from app.web.console import words
from app.web.console.counts import Period, campaign_rows
from app.web.console.look import Look
from app.web.console.pages import HomePage
from app.web.console.rows import address, name_of
from app.web.console.session import PATH
from app.web.problems import refuse

HOMES = f"{PATH}/homes"


async def show_home(look: Look) -> Response:
    customer_id, home = (look.request.path_params[name] for name in ("customer", "home"))
    if not (PATH_ID.fullmatch(customer_id) and PATH_ID.fullmatch(home)):
        return refuse(look.request, look.desk.site, 404)
    period = Period.of(look)
    lines = await campaigns_of(look.desk.database, period.scope(customer_id), home)
    by_operation = {one: [line for line in lines if line.name[0] == one] for one in Operation}
    page = HomePage(
        frame=look.frame("overview"),
        home=home,
        customer=name_of(look, customer_id),
        periods=period.options(look),
        tables=[
            (operation.value, look.gettext(words.OPERATIONS[operation]), campaign_rows(look, some))
            for operation, some in by_operation.items()
            if some
        ],
        back=address(PATH, days=period.chosen),
    )
    return look.show(page)
