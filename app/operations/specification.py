"""The types that describe an operation: its forms, the ways to post it, and how its steps are planned and prepared."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from app.domain.submission import PATH_ID, FunctionGroup, Operation
from app.operations.member_paths import TICK, Places, Tree, member_at, member_tree, nested, places_in
from app.operations.members import VitecModel
from app.operations.planning import CallChooser, Defaults, DefaultsTable, Planner, only_step

SOCIAL_SECURITY_NUMBER = "socialSecurityNumber"  # the personnummer, or a foreign number
PERSONNUMMER = frozenset({SOCIAL_SECURITY_NUMBER, "isForeignSocialSecurityNumber"})
PERSON = frozenset({"firstName", "lastName", "address", "email", "gdprApprovalDate"})

_PARAMETER = re.compile(r"{\w+}")  # in a path
# A form's inputs besides its members; the country is allowed even if Vitec's address has none.
OTHER_INPUTS = ("consent", "token", "slot", "gone", "ticks", "return_url", "_charset_", "address.countryCode")
MESSAGES = ("contactMessage", "message", "lead.message")
OTHER_PHONES = ("telephone.other", "otherPhone")


class StepSkipped(Exception):  # no error: there is nothing to do
    """The earlier step's answer lacks what this step needs, as is allowed."""


class StepBlockedError(Exception):
    """The earlier step's answer lacks what this step needs, and should have it. The message is for the operator."""


@dataclass(frozen=True)
class Call:
    """A step's call: the path's ids after the customer's, and the body."""

    resource: tuple[str, ...]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """A submission's state so far: the submitted operation, and the result of each finished step."""

    submitted: "OperationSpec"
    results: Mapping[Operation, str | None]


Preparer = Callable[[Call, Progress], Call]


def as_planned(call: Call, _: Progress) -> Call:
    return call


@dataclass(frozen=True, kw_only=True)
class FormSpec:
    """A form that people fill in. Its inputs are in `templates/forms/{name}.html`.

    inputs             the template's name if it is not that of the form
    intro              the paragraph above the inputs; `%(firm)s` is the customer's name
    heading, button    on the form; the heading is also the title of its frame
    fields             the inputs that an error may link to, in the order of the page
    first_contact      the first input for e-mail or phone
    received           heading of the receipt
    next               what the receipt says happens next; `%(firm)s` is the customer's name
    refused            heading of the receipt if Vitec refused it
    waits              whether a post waits for Vitec's answer, so that a visitor learns at once that a slot is full
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

    paths      Vitec's own paths; none if it is posted through a personal link or a receipt
    form_path  the form's own path, for people and frames: ad blockers have blocked paths that contain "advertising"
    shown_at   Vitec's path of what the form is about, if that is not the path that it is posted to
    form       None if only programs post it, which then requires an API key
    person     the member that holds the person; None if that is the body itself
    example    a body that the demo accepts, for the OpenAPI document
    needs      the table that the customer's configuration must have; without it the paths don't exist
    public     members that a caller without an API key may set
    approval   Vitec's own member in which a program states the person's consent; "" if there is none
    email      the dotted member with the person's e-mail address; "" if the person is already known
    phones     the dotted members with phone numbers; the first one given is stored to find the person by
    required   members that must be given unless the configuration provides them
    by_home    whether the path names a home, and one of its times is booked
    takes_slots  whether an embed may offer several times of the viewing in the path
    ticks      members whose checkboxes are set at first -> their value once the visitor has cleared the box
    answers    the member with the result if Vitec answers an object; "" if it answers a JSON string
    id_pattern  of each of the path's ids after the customer's
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
    id_pattern: re.Pattern[str] = PATH_ID

    @cached_property
    def personal(self) -> bool:
        """Whether the holder of a signed link posts it."""
        return self.form is not None and not self.paths

    @cached_property
    def asks_consent(self) -> bool:
        """Whether the form asks for consent: only of strangers, because the holder of a personal link is a contact."""
        return bool(self.form and self.reach)

    def is_open(self, defaults: Defaults) -> bool:
        """Whether the customer's configuration has the table that it needs."""
        return self.needs is None or defaults.find(self.needs) is not None

    @cached_property
    def post_paths(self) -> tuple[str, ...]:
        """All paths that it is posted to, Vitec's own first."""
        return (*self.paths, self.form_path) if self.form_path else self.paths

    @cached_property
    def form_paths(self) -> tuple[str, ...]:
        """All paths at which the form is shown."""
        return (self.shown_at, self.form_path) if self.shown_at else self.post_paths if self.form else ()

    @cached_property
    def _resource_format(self) -> str:
        return _PARAMETER.sub("%s", self.paths[0])

    def path_for(self, *ids: str) -> str:
        """Vitec's own path of the resource, to whichever of the paths it is posted, in whatever casing."""
        return self._resource_format % ids

    def shown_path_for(self, *ids: str) -> str:
        """Vitec's own path of the form."""
        return _PARAMETER.sub("%s", self.shown_at) % ids

    def form_path_for(self, *ids: str) -> str:
        """The path that a link to the form has; `ids` are the customer's and the resource's."""
        return _PARAMETER.sub("%s", self.form_path) % ids

    @cached_property
    def id_count(self) -> int:
        """The number of ids in its paths after the customer's."""
        return self.paths[0].count("{") - 1 if self.paths else 0

    @cached_property
    def reach(self) -> tuple[str, ...]:
        """The members of which at least one must be given, so that the person can be reached; empty for a known one."""
        return (self.email, *self.phones) if self.email else ()

    @cached_property
    def tree(self) -> Tree:
        return member_tree(self.model)

    @cached_property
    def json_tree(self) -> Tree:
        """The tree of a JSON body: the model's members, and our own `consent`."""
        return {**self.tree, "consent": TICK}

    @cached_property
    def person_tree(self) -> Tree:
        tree: Tree = self.tree[self.person] if self.person else self.tree
        return tree

    @cached_property
    def places(self) -> Places:
        return places_in(self.tree, self.person)

    @cached_property
    def spelling(self) -> Mapping[str, str]:
        """The spelling of each form input's name, by the name in lower case."""
        return {name.lower(): name for name in (*self.places, *OTHER_INPUTS, self.country)}

    @cached_property
    def message(self) -> str:
        """The member for the visitor's free text; "" if there is none."""
        return next((name for name in MESSAGES if name in self.places), "")

    @cached_property
    def other_phone(self) -> str:
        """The member for one more phone number; "" if there is none."""
        return next((name for name in map(self.dotted, OTHER_PHONES) if name in self.places), "")

    @cached_property
    def country(self) -> str:
        """The member with the country of the person's address."""
        return self.dotted("address.countryCode")

    @cached_property
    def customer(self) -> str:
        """The member that repeats the customer's id; "" if there is none that a caller without a key may set."""
        name = self.dotted("customerId")
        return name if name in self.public else ""

    def settable(self, personnummer: bool) -> Tree:
        """The tree of what a caller without an API key may set: None is the whole member, a mapping parts of it."""
        return self._settable[personnummer]

    @cached_property
    def _settable(self) -> tuple[Tree, Tree]:
        return nested(self.public), nested(self.public | {self.dotted(name) for name in PERSONNUMMER})

    def dotted(self, name: str) -> str:
        return f"{self.person}.{name}" if self.person else name

    def answer_of(self, result: str | None) -> Any:
        """Vitec's answer, rebuilt from the stored result."""
        return {self.answers: result} if self.answers and result is not None else result

    def contacts(self, submitted: Mapping[str, Any]) -> dict[str, str]:
        """The values by which the person can be found later: `email` in lower case, `phone` in E.164."""
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


def _none(_: Defaults) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, kw_only=True)
class OperationSpec:
    """One of Vitec's operations.

    path             at Vitec and at this service; if there are several calls, that of the first
    label            its name for people
    plural           its plural, for use within a sentence
    summary          its line in the OpenAPI document
    choose_call      selects one of several calls, and converts the application to the members of that call
    names_contact    whether the path has a contact's id: personal data, which is only stored encrypted
    estate           the index of the home's id among the path's ids; None if the path has none
    may_answer_none  whether an answer without a contact id is allowed
    has_body         whether Vitec's call has a body
    is_repeatable    whether carrying it out twice has the effect of once
    is_lead          whether it is a person's interest in a home or in the firm, by which campaigns are measured, and
                     which an office expects to receive
    filled           the members that the configuration provides if they are left out
    """

    operation: Operation
    method: str = "POST"
    path: str
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

    @cached_property
    def group(self) -> FunctionGroup:
        """The function group whose password gives access: CRM for `CRM/…`, advertising for all else (S)."""
        return FunctionGroup.CRM if self.path.startswith("/CRM/") else FunctionGroup.ADVERTISING

    def post_of(self, resource: Sequence[str]) -> PostSpec:
        """The call with this number of ids, which distinguishes several calls of one operation."""
        return next((post for post in self.posts if post.paths and post.id_count == len(resource)), self.posts[0])

    def path_of(self, resource: Sequence[str]) -> str:
        return next((post.paths[0] for post in self.posts if post.paths and post.id_count == len(resource)), self.path)

    def answers_of(self, resource: Sequence[str]) -> str:
        return self.post_of(resource).answers if self.posts else ""

    @property
    def reads(self) -> bool:
        """Whether it is a lookup, which changes nothing at Vitec and can safely be repeated."""
        return self.method == "GET"
