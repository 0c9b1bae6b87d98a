"""The operations as the outside may post them: what each takes from whom."""

import re
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.domain.applications import Interest, Lead, LoanPromise, ViewingBooking, VitecModel
from app.domain.submission import PATH_ID, Operation
from app.web.operations.body import LIST, Places, Tree, places_in
from app.web.rendering.page_models import FormName

PERSONNUMMER = frozenset({"socialSecurityNumber", "isForeignSocialSecurityNumber"})
TICKS = ("smsReminder", "mailConfirmation", "smsConfirmation")


def member_tree(model: type[VitecModel]) -> Tree:
    """The names that a model knows, nested, as `bodies` uses them."""
    return {str(field.alias): _branch(field.annotation) for field in model.model_fields.values()}


def _branch(annotation: Any) -> Any:
    union = typing.get_origin(annotation) in {types.UnionType, typing.Union}
    for part in typing.get_args(annotation) if union else (annotation,):
        if isinstance(part, type) and issubclass(part, VitecModel):
            return member_tree(part)
        if typing.get_origin(part) is list:
            inside = typing.get_args(part)[0]
            return {} if isinstance(inside, type) and issubclass(inside, VitecModel) else LIST
        if typing.get_origin(part) is typing.Annotated and (inside := _branch(typing.get_args(part)[0])) is not None:
            return inside
    return None


def nested(paths: Iterable[str]) -> Tree:
    """A tree of dotted paths; what a shorter path names is whole."""
    tree: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):
        *above, last = path.split(".")
        inner = tree
        for part in above:
            inner = inner.setdefault(part, {})
        inner[last] = None
    return tree


@dataclass(frozen=True)
class Kind:
    """One way to post.

    page      the form that people fill in; None where only programs post, and then only with an API key
    person    the member that holds the person, None where it is the body itself
    public    what a caller without an API key may set (contract.md, section 3)
    reach     one of these must be there, so that the person can be reached
    required  must be there, unless the configuration fills it in
    personal  by the holder of a signed link
    id        what the path's ids look like
    """

    operation: Operation
    model: type[VitecModel]
    page: FormName | None
    tree: Tree
    person: str | None = None
    public: frozenset[str] = frozenset()
    reach: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    personal: bool = False
    id: re.Pattern[str] = PATH_ID

    @cached_property
    def places(self) -> Places:
        return places_in(self.tree, self.person)

    def settable(self, personnummer: bool) -> Tree:
        """What a caller without an API key may set, nested: None is all that is there, a mapping some of it."""
        return self._settable[personnummer]

    @cached_property
    def _settable(self) -> tuple[Tree, Tree]:
        return nested(self.public), nested(self.public | {self.dotted(name) for name in PERSONNUMMER})

    def dotted(self, name: str) -> str:
        return f"{self.person}.{name}" if self.person else name


_PERSON = {"firstName", "lastName", "address", "email", "gdprApprovalDate"}
_PHONES = {"telePhone", "workPhone", "cellPhone", "otherPhone"}
INTEREST = Kind(
    Operation.INTEREST,
    Interest,
    "interest",
    member_tree(Interest),
    public=frozenset({*_PERSON, "telephone", "presentAccommodation", "contactMessage", "status", "marketing"}),
    reach=("email.emailAddress", "telephone.home", "telephone.work", "telephone.cell"),
)
VIEWING = Kind(
    Operation.VIEWING,
    ViewingBooking,
    "viewing",
    member_tree(ViewingBooking),
    person="updatePerson",
    public=frozenset(
        {f"updatePerson.{name}" for name in {"customerId", *_PERSON, *_PHONES}}
        | {"contactMessage", "reminderTime", "marketing", *TICKS}
    ),
    reach=tuple(f"updatePerson.{name}" for name in ("email.emailAddress", "telePhone", "workPhone", "cellPhone")),
)
LEAD = Kind(Operation.LEAD, Lead, None, member_tree(Lead), required=("assignedToId", "leadSourceId"))
LOAN_PROMISE = Kind(Operation.LOAN_PROMISE, LoanPromise, None, member_tree(LoanPromise))
CONTACTS = Kind(Operation.CONTACT, VitecModel, None, {}, id=re.compile(r".+"))  # several, told apart by its endpoint
CONTACT_ME = Kind(
    Operation.LEAD,
    Lead,
    "contact",
    member_tree(Lead),
    public=frozenset({"contactId", "message", "marketing"}),
    personal=True,
)
MY_LOAN_PROMISE = Kind(
    Operation.LOAN_PROMISE,
    LoanPromise,
    "loan-promise",
    member_tree(LoanPromise),
    public=frozenset({"bank", "validUntil", "estateType", "financing"}),
    required=("bank",),
    personal=True,
)
