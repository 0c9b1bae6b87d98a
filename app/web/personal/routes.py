"""The forms of personal links: contact me, and loan promise."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.operations import lead
from app.operations.registry import PERSONAL_POSTS
from app.storage.database import StoreUnavailableError
from app.storage.encryption import Keyring
from app.web.encrypted_tokens import InvalidTokenError
from app.web.operations.context import RequestContext, headers_of, request_context
from app.web.operations.cross_origin import CUSTOMER, preflight
from app.web.operations.customer import Customer, InvalidApiKeyError, caller_key
from app.web.operations.dependencies import Dependencies
from app.web.operations.form_page import form_response, instead_of_form
from app.web.operations.problems import CHALLENGE, error_response, wants_page
from app.web.operations.submit import post
from app.web.personal.contact_names import ContactNames, ContactNotFoundError
from app.web.personal.links import PersonalLink, read


def routes(deps: Dependencies, keyring: Keyring, names: ContactNames) -> list[Route]:
    pages = PersonalPages(deps, keyring, names)
    return [Route("/personal/{token}", pages.handle, methods=["GET", "POST", "OPTIONS"], name="personal")]


class PersonalPages:
    def __init__(self, deps: Dependencies, keyring: Keyring, names: ContactNames) -> None:
        self._deps = deps
        self._keyring = keyring
        self._names = names

    async def handle(self, request: Request) -> Response:
        deps = self._deps
        if request.method == "OPTIONS":  # whose link it is has not been read, so any customer's origin will do
            return preflight(request.headers, deps.origins, deps.customers.values()) or error_response(
                request, deps, 403
            )
        token = request.path_params["token"]
        try:
            link = read(self._keyring, token)
        except InvalidTokenError:
            return error_response(request, deps, 404, for_people=True)
        customer = deps.customers.get(link.customer_id)
        if customer is None or not PERSONAL_POSTS[link.form].is_open(customer.defaults):
            return error_response(request, deps, 404, for_people=True)
        request.scope[CUSTOMER] = customer
        try:
            context = self._context(request, customer, link, token)
        except InvalidApiKeyError:
            return error_response(request, deps, 401, headers=CHALLENGE)
        if link.has_expired(deps.now()):
            is_page = wants_page(request, for_people=True)
            return instead_of_form(context, "gone", 410) if is_page else error_response(request, deps, 410)
        try:
            if request.method == "POST":
                context.greeting = self._names.cached(link.customer_id, link.contact_id)
                return await self._post(context)
            if await self._is_used(context):
                return instead_of_form(context, "used", 200)
            context.greeting = await self._names.name(link.customer_id, link.contact_id)
        except ContactNotFoundError:
            return instead_of_form(context, "no-contact", 404)
        return form_response(context)

    def _context(self, request: Request, customer: Customer, link: PersonalLink, token: str) -> RequestContext:
        spec, headers = PERSONAL_POSTS[link.form], headers_of(request)
        caller_key(headers, customer)  # a key is not needed here, but a wrong one is always an error
        if spec is lead.PERSONAL_POST:
            return request_context(
                request, self._deps, spec, customer, (), headers, address_members={"contactId": link.contact_id}
            )
        once = self._deps.idempotency_keys.of_link(token)
        return request_context(request, self._deps, spec, customer, (link.contact_id,), headers, once=once)

    async def _post(self, context: RequestContext) -> Response:
        """A repeated post gets the first outcome. If the link has been used, that is shown instead of field errors."""
        answer = await post(context)
        is_form_again = answer.status_code == 400 and answer.headers["Content-Type"].startswith("text/html")
        return instead_of_form(context, "used", 200) if is_form_again and await self._is_used(context) else answer

    async def _is_used(self, context: RequestContext) -> bool:
        """Whether the link's loan promise was sent. A link works once, unless Vitec refused the promise. If the
        database is unavailable, the form is shown; a post is then answered with a 503 that keeps what was typed."""
        try:
            return context.once is not None and await self._deps.submissions.has_repeat(context.once)
        except StoreUnavailableError:
            return False
