"""The registry of operations: the only list from which routes, client, labels, metrics and documents are made."""

from collections.abc import Iterable, Mapping

from app.domain.submission import FunctionGroup, Operation, PlannedStep
from app.operations.cancellation import CANCELLATION
from app.operations.contact_lookup import CONTACT
from app.operations.final_price import FINAL_PRICE
from app.operations.interest import INTEREST
from app.operations.lead import LEAD
from app.operations.loan_promise import LOAN_PROMISE
from app.operations.planning import Defaults, DeliveryRequest
from app.operations.specification import FormSpec, OperationSpec, PostSpec
from app.operations.valuation import VALUATION
from app.operations.viewing import VIEWING

OPERATIONS: Mapping[Operation, OperationSpec] = {
    spec.operation: spec
    for spec in (INTEREST, VIEWING, VALUATION, FINAL_PRICE, LEAD, LOAN_PROMISE, CANCELLATION, CONTACT)
}
POSTED: tuple[OperationSpec, ...] = tuple(spec for spec in OPERATIONS.values() if spec.posts)
POSTS: tuple[PostSpec, ...] = tuple(post for spec in POSTED for post in spec.posts)


def _by_name(posts: Iterable[PostSpec]) -> dict[str, PostSpec]:
    """The posts by their form's name; the first of each name."""
    by_name: dict[str, PostSpec] = {}
    for post in posts:
        if post.form:
            by_name.setdefault(post.form.name, post)
    return by_name


# Forms on a broker's pages, and forms behind a personal link.
PUBLIC_POSTS: Mapping[str, PostSpec] = _by_name(post for post in POSTS if not post.personal)
PERSONAL_POSTS: Mapping[str, PostSpec] = _by_name(post for post in POSTS if post.personal)
FORMS: Mapping[str, FormSpec] = {name: post.form for name, post in _by_name(POSTS).items() if post.form}
# The prefixes of a person's members if the person is a member of the body.
PERSON_PREFIXES: tuple[str, ...] = tuple({f"{post.person}.": None for post in POSTS if post.person})


def plain_name(name: str) -> str:
    """A dotted member as its form input is named: without the person's prefix."""
    prefix = next(filter(name.startswith, PERSON_PREFIXES), "")
    return name.removeprefix(prefix)


def group_of(operation: Operation) -> FunctionGroup:
    """The group whose password gives access to the operation."""
    return OPERATIONS[operation].group


def plan(request: DeliveryRequest, defaults: Defaults) -> tuple[PlannedStep, ...]:
    """The steps that deliver a submission, in order, with their bodies. Decided once, when it is accepted."""
    return OPERATIONS[request.operation].plan(request, defaults)
