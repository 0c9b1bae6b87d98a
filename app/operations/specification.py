"""The types that describe an operation, and the request that its steps are planned from."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.domain.marketing import Marketing
from app.domain.submission import PATH_ID, FunctionGroup, Operation, PlannedStep
from app.operations.member_paths import Places, Tree, member_at, member_tree, nested, places_in
from app.operations.members import VitecModel

PERSONNUMMER = frozenset({"socialSecurityNumber", "isForeignSocialSecurityNumber"})
PERSON = frozenset({"firstName", "lastName", "address", "email", "gdprApprovalDate"})

_PARAMETER = re.compile(r"{\w+}")  # of a path
# Of a form, beside its members; the country also where Vitec's address has none.
OTHER_INPUTS = ("consent", "token", "slot", "gone", "ticks", "return_url", "_charset_", "address.countryCode")
MESSAGES = ("contactMessage", "message", "lead.message")
OTHER_PHONES = ("telephone.other", "otherPhone")

VitecId = Annotated[str, Field(min_length=1, max_length=40)]  # of a source, user or office


class DefaultsTable(BaseModel):
    """A table of a customer's configuration with what is filled in where the submitter says nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


T = TypeVar("T", bound=DefaultsTable)


class Defaults:
    """The tables of one customer, by type."""

    def __init__(self, *tables: DefaultsTable) -> None:
        self._tables: Mapping[type, DefaultsTable] = {type(table): table for table in tables}

    def find(self, table: type[T]) -> T | None:
        """None where the configuration has no such table."""
        found = self._tables.get(table)
        return found if isinstance(found, table) else None

    def get(self, table: type[T]) -> T:
        """With its own defaults where the configuration has no such table."""
        return self.find(table) or table()

    def with_table(self, table: DefaultsTable) -> "Defaults":
        """These, with another table of its type."""
        return Defaults(*({**self._tables, type(table): table}).values())


@dataclass(slots=True)
class SubmissionContext:
    """Who submitted (`with_key`: an API-key caller, whose members win over the configuration), when the person
    consented, and the campaign."""

    with_key: bool
    consented_at: datetime | None
    marketing: Marketing

    def without_marketing(self) -> "SubmissionContext":
        return replace(self, marketing=Marketing())


@dataclass(slots=True)
class DeliveryRequest:
    """What a submission's steps are planned from. `resource` is the path's ids after the customer's; `submitted` is
    the validated application in Vitec's field names, minus `marketing`, which is planned separately."""

    customer_id: str
    operation: Operation
    resource: tuple[str, ...]
    application: VitecModel
    context: SubmissionContext
    submitted: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        submitted = self.application.body()
        submitted.pop("marketing", None)
        self.submitted = submitted

    def step(self, body: Mapping[str, Any]) -> PlannedStep:
        """The submission's own operation, with this body."""
        return PlannedStep(self.operation, self.resource, body)


Planner = Callable[[DeliveryRequest, Defaults], tuple[PlannedStep, ...]]


def only_step(request: DeliveryRequest, _: Defaults) -> tuple[PlannedStep, ...]:
    """The operation alone, with what was submitted."""
    return (request.step(request.submitted),)


def with_defaults(submitted: Mapping[str, Any], configured: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configured.items() if value is not None} | dict(submitted)


def iso_seconds(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


class StepSkipped(Exception):  # no error: there is nothing to do
    """The step before answered nothing to go on with, as it may."""


class StepBlockedError(Exception):
    """The step before answered nothing to go on with, as it should have; the message is for the operator."""


@dataclass(frozen=True)
class Call:
    """What a step sends: the path's ids after the customer's, and the body."""

    resource: tuple[str, ...]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far a submission has come: the operation that was submitted, and what the steps so far answered."""

    submitted: "OperationSpec"
    results: Mapping[Operation, str | None]


Preparer = Callable[[Call, Progress], Call]


def as_planned(call: Call, _: Progress) -> Call:
    return call


@dataclass(frozen=True, kw_only=True)
class FormSpec:
    """A form that people fill in. Its inputs are in `templates/forms/{name}.html`.

    inputs             another template than the one that is called as the form
    intro              the paragraph above the inputs; `%(firm)s` is the customer's name
    heading, button    on the form; the heading is also the title of its frame
    fields             what an error can lead to, in the order of the page
    first_contact      the input of e-mail or phone that comes first
    received           heading of the receipt
    next               what the receipt says happens next; `%(firm)s` is the customer's name
    refused            heading of the receipt when Vitec refused it
    waits              whether a post waits for Vitec's answer, as a full slot is better told at once
    """

    name: str
    heading: str
    button: str
    intro: str = ""
    fields: tuple[str, ...]
    first_contact: str = ""
    received: str
    next: str
    refused: str
    waits: bool = False
    inputs: str = ""

    @cached_property
    def template(self) -> str:
        return f"forms/{self.inputs or self.name}.html"


@dataclass(frozen=True, kw_only=True)
class PostSpec:
    """One way to post an operation.

    paths      its addresses as Vitec has them; none where it is posted by a personal link, or by a receipt
    form_path  the form's own address, for people and frames: ad blockers have refused paths with "advertising" in them
    shown_at   where Vitec shows what the form asks for, if that is another address than it is posted to
    form       None where only programs post, and then only with an API key
    person     the member that holds the person; None where it is the body itself
    example    a body that the demo takes, for the OpenAPI document
    needs      the table that must stand in the customer's configuration, else there is nothing at its addresses
    public     what a caller without an API key may set
    approval   Vitec's own member by which a program says that the person has consented; "" where it has none
    email      the dotted member with the person's e-mail address; "" where the person is known already
    phones     those with phone numbers, in the order in which one is chosen to find the person by
    required   must be there, unless the configuration fills it in
    by_home    whether the path names a home, of whose times one is booked
    takes_slots  whether an embed may offer several times of the viewing that the path names
    ticks      members that the form asks for with boxes that are set beforehand, and what they are once taken away
    answers    the member with the result where Vitec answers an object; "" where it answers a JSON string
    id         what the path's ids look like
    """

    operation: Operation
    model: type[VitecModel]
    paths: tuple[str, ...] = ()
    form_path: str = ""
    shown_at: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)
    form: FormSpec | None = None
    needs: type[DefaultsTable] | None = None
    person: str | None = None
    public: frozenset[str] = frozenset()
    approval: str = ""
    email: str = ""
    phones: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    by_home: bool = False
    takes_slots: bool = False
    ticks: Mapping[str, str] = field(default_factory=dict)
    answers: str = ""
    id: re.Pattern[str] = PATH_ID

    @cached_property
    def personal(self) -> bool:
        """Whether it is posted by the holder of a signed link."""
        return self.form is not None and not self.paths

    @cached_property
    def asks_consent(self) -> bool:
        """Of strangers; whoever holds a personal link is a contact already."""
        return bool(self.form and self.reach)

    def is_open(self, defaults: Defaults) -> bool:
        """Whether the customer's configuration has what it needs."""
        return self.needs is None or defaults.find(self.needs) is not None

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """All that it is posted to, Vitec's own first."""
        return (*self.paths, self.form_path) if self.form_path else self.paths

    @cached_property
    def form_addresses(self) -> tuple[str, ...]:
        """All that the form is shown at."""
        return (self.shown_at, self.form_path) if self.shown_at else self.addresses if self.form else ()

    @cached_property
    def _resource_format(self) -> str:
        return _PARAMETER.sub("%s", self.paths[0])

    def path(self, *ids: str) -> str:
        """One and the same for all of a resource's addresses, in whatever casing: Vitec's own."""
        return self._resource_format % ids

    def shown(self, *ids: str) -> str:
        """Vitec's own address of the form."""
        return _PARAMETER.sub("%s", self.shown_at) % ids

    def form_address(self, *ids: str) -> str:
        """Where a link to the form leads; `ids` are the customer's and those of the resource."""
        return _PARAMETER.sub("%s", self.form_path) % ids

    @cached_property
    def ids(self) -> int:
        """How many ids its paths have after the customer's."""
        return self.paths[0].count("{") - 1 if self.paths else 0

    @cached_property
    def reach(self) -> tuple[str, ...]:
        """At least one of these must be there, so that the person can be reached; none where the person is known."""
        return (self.email, *self.phones) if self.email else ()

    @cached_property
    def tree(self) -> Tree:
        return member_tree(self.model)

    @cached_property
    def person_tree(self) -> Tree:
        inside: Tree = self.tree[self.person] if self.person else self.tree
        return inside

    @cached_property
    def places(self) -> Places:
        return places_in(self.tree, self.person)

    @cached_property
    def spelling(self) -> Mapping[str, str]:
        """How the names of a form's inputs are spelled, by the same in lower case."""
        return {name.lower(): name for name in (*self.places, *OTHER_INPUTS)}

    @cached_property
    def message(self) -> str:
        """The member that takes what a visitor says in free words; "" where there is none."""
        return next((name for name in MESSAGES if name in self.places), "")

    @cached_property
    def other_phone(self) -> str:
        """The member for one number more; "" where there is none."""
        return next((name for name in map(self.dotted, OTHER_PHONES) if name in self.places), "")

    @cached_property
    def country(self) -> str:
        """The member with the country of the person's address."""
        return self.dotted("address.countryCode")

    @cached_property
    def customer(self) -> str:
        """The member that repeats the customer's id; "" where there is none that a caller without a key may set."""
        name = self.dotted("customerId")
        return name if name in self.public else ""

    def settable(self, personnummer: bool) -> Tree:
        """What a caller without an API key may set, nested: None is all that is there, a mapping some of it."""
        return self._settable[personnummer]

    @cached_property
    def _settable(self) -> tuple[Tree, Tree]:
        return nested(self.public), nested(self.public | {self.dotted(name) for name in PERSONNUMMER})

    def dotted(self, name: str) -> str:
        return f"{self.person}.{name}" if self.person else name

    def answer_of(self, result: str | None) -> Any:
        """Vitec's own body, made of its result again."""
        return {self.answers: result} if self.answers and result is not None else result

    def contacts(self, submitted: Mapping[str, Any]) -> dict[str, str]:
        """What the person is found by later: `email` in lower case, `phone` in E.164."""
        if not self.email:
            return {}
        contacts = {}
        if email := member_at(submitted, self.email):
            contacts["email"] = email.lower()
        for name in self.phones:
            if phone := member_at(submitted, name):
                contacts["phone"] = phone
                break
        return contacts


@dataclass(frozen=True)
class Booked:
    """The time that a booking is of, as far as the ids are known; "" where one is not."""

    estate: str
    viewing: str
    slot: str


CallChooser = Callable[["DeliveryRequest", Defaults, Booked], "DeliveryRequest"]


def _none(_: Defaults) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, kw_only=True)
class OperationSpec:
    """All that is known of one of Vitec's operations.

    path             at Vitec, and ours; that of the first call where there are several
    group            whose password opens it (S)
    label            what people call one of them
    plural           what people call several, within a sentence
    summary          its line in the OpenAPI document
    choose_call      by which of several calls it is delivered, and its application in that call's members
    names_contact    whether the path names a contact: personal data, which is stored encrypted only
    estate           which of the path's ids is the home's; None where it names none
    may_answer_none  whether Vitec's answer may lack a contact id although all is well
    has_body         whether Vitec takes one
    is_repeatable    whether being carried out twice changes nothing more
    is_lead          whether it is somebody's interest in a home or in the firm: what campaigns are measured by, and
                     what an office expects to come
    filled           members that the configuration fills in when they are left out
    """

    operation: Operation
    method: str = "POST"
    path: str
    group: FunctionGroup
    label: str
    plural: str
    summary: str
    posts: tuple[PostSpec, ...] = ()
    plan: Planner = only_step
    prepare: Preparer = as_planned
    choose_call: CallChooser | None = None
    filled: Callable[[Defaults], frozenset[str]] = _none
    names_contact: bool = False
    estate: int | None = None
    may_answer_none: bool = False
    has_body: bool = True
    is_repeatable: bool = False
    is_lead: bool = True

    def post_of(self, resource: Sequence[str]) -> PostSpec:
        """The call that takes so many ids: that is how several calls of one operation are told apart."""
        return next((post for post in self.posts if post.paths and post.ids == len(resource)), self.posts[0])

    def path_of(self, resource: Sequence[str]) -> str:
        return next((post.paths[0] for post in self.posts if post.paths and post.ids == len(resource)), self.path)

    def answers_of(self, resource: Sequence[str]) -> str:
        return self.post_of(resource).answers if self.posts else ""

    @property
    def reads(self) -> bool:
        """A look-up, which changes nothing at Vitec and can simply be made again."""
        return self.method == "GET"
