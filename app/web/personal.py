"""The forms behind a signed link: contact me, and my loan promise."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.storage.database import StoreUnavailable
from app.storage.encryption import Keyring
from app.web.form_pages import form_response
from app.web.greeting import Greeter, NoSuchContact
from app.web.headers import private_headers
from app.web.kinds import CONTACT_ME, MY_LOAN_PROMISE, Kind
from app.web.pages import ErrorPage
from app.web.personal_links import BadLink, ExpiredLink, PersonalLink, read
from app.web.posting import post
from app.web.problems import refuse
from app.web.site import Site
from app.web.visit import Visit, headers_of, visit_of

KINDS: Mapping[str, Kind] = {"contact": CONTACT_ME, "loan-promise": MY_LOAN_PROMISE}


def routes(site: Site, keyring: Keyring, greeter: Greeter) -> list[Route]:
    pages = PersonalPages(site, keyring, greeter)
    return [Route("/personal/{token}", pages.handle, methods=["GET", "POST"], name="personal")]


class PersonalPages:
    def __init__(self, site: Site, keyring: Keyring, greeter: Greeter) -> None:
        self._site = site
        self._keyring = keyring
        self._greeter = greeter

    async def handle(self, request: Request) -> Response:
        token = request.path_params["token"]
        try:
            link = read(self._keyring, token)
        except BadLink:
            return refuse(request, self._site, 404)
        except ExpiredLink:
            return refuse(request, self._site, 410)
        customer = self._site.customers.get(link.customer_id)
        if customer is None or (link.form == "contact" and customer.defaults.lead is None):
            return refuse(request, self._site, 404)
        visit = self._visit(request, link, token)
        try:
            if await self._is_used(visit):
                return _instead(visit, "used", 200)
            if request.method == "POST":
                return await post(visit)
            name = await self._greeter.name(link.customer_id, link.contact_id)
        except NoSuchContact:
            return _instead(visit, "no-contact", 404)
        except StoreUnavailable:
            return refuse(request, self._site, 503, headers={"Retry-After": "15"})
        return form_response(visit, greeting=name)

    def _visit(self, request: Request, link: PersonalLink, token: str) -> Visit:
        kind = KINDS[link.form]
        customer = self._site.customers[link.customer_id]
        headers = headers_of(request)
        if kind is CONTACT_ME:
            return visit_of(request, self._site, kind, customer, (), headers, given={"contactId": link.contact_id})
        once = self._site.repeats.of_link(token)
        return visit_of(request, self._site, kind, customer, (link.contact_id,), headers, once=once)

    async def _is_used(self, visit: Visit) -> bool:
        """A loan promise is sent once by a link; what Vitec refused may be sent again."""
        return visit.once is not None and await self._site.leads.has_repeat(visit.once)


def _instead(visit: Visit, kind: str, status: int) -> Response:
    firm = visit.customer.firm
    page = ErrorPage(language=visit.language, firm=firm, demo=visit.site.demo, status=status, kind=kind)
    headers = private_headers(visit.site.templates.css(firm).csp_hash)
    return HTMLResponse(visit.site.templates.render(page), status, headers=dict(headers))
