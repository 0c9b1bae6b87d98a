"""The console's page models: typed contexts for the templates. Texts are translated, numbers and times formatted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from app.web.rendering.page_models import LanguageLink


@dataclass(frozen=True)
class Frame:
    """What surrounds every page. `section` is the current part of the console; `token` is sent with every post, and
    empty if nobody is signed in."""

    language: str
    languages: tuple[LanguageLink, ...]
    demo: bool
    section: str
    token: str


@dataclass(frozen=True)
class ConsolePage:
    template: ClassVar[str]
    frame: Frame


@dataclass(frozen=True)
class SignInPage(ConsolePage):
    """`wrong`: the password was wrong; `retry_after`: seconds to wait after too many attempts; `lost`: the password was
    right, but the browser kept no cookie; `then`: the page to continue to."""

    template = "console/sign_in.html"
    then: str
    wrong: bool = False
    lost: bool = False
    retry_after: int | None = None


class Option(NamedTuple):
    value: str
    label: str
    chosen: bool


class Link(NamedTuple):
    label: str
    href: str


class WaitingRow(NamedTuple):
    customer: str
    waiting: str
    oldest: str
    href: str


class PausedRow(NamedTuple):
    customer: str
    group: str
    reason: str
    since: str
    href: str


class LeadRow(NamedTuple):
    """A submission in a list. `kind` is its status as the style knows it."""

    href: str
    reference: str
    received: str
    customer: str
    operation: str
    home: str
    campaign: str
    status: str
    kind: str


class Bar(NamedTuple):
    """One series of a chart: the path of all its bars."""

    kind: str
    label: str
    path: str


class Tick(NamedTuple):
    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Bars on a plane of `width` x `height`, in the units of the SVG; `rows` are the same numbers, a line a day."""

    width: int
    height: int
    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    days: Sequence[Tick]
    rows: Sequence[tuple[str, Sequence[str]]]


class CountRow(NamedTuple):
    """A campaign or a home. `widths` are percentages, for the small chart next to the numbers; a home has an address,
    and its customer's name where that is not clear."""

    name: str
    views: str
    submissions: str
    delivered: str
    share: str
    widths: tuple[int, int, int]
    href: str = ""
    customer: str = ""


@dataclass(frozen=True)
class OverviewPage(ConsolePage):
    template = "console/overview.html"
    waiting: Sequence[WaitingRow]
    waiting_count: str
    paused: Sequence[PausedRow]
    stuck: Sequence[Link]
    stuck_count: int
    newest_stuck: Sequence[LeadRow]
    periods: Sequence[Option]
    customers: Sequence[Option]
    figures: Sequence[tuple[str, str]]
    chart: Chart
    campaigns: Sequence[CountRow]
    homes: Sequence[CountRow]


@dataclass(frozen=True)
class HomePage(ConsolePage):
    """`tables` are the campaigns by operation: its name, the same in words, and a line for each."""

    template = "console/home.html"
    home: str
    customer: str
    periods: Sequence[Option]
    tables: Sequence[tuple[str, str, Sequence[CountRow]]]
    back: str


@dataclass(frozen=True)
class SubmissionsPage(ConsolePage):
    """`searched`: the searched text; `unreadable`: it is no reference, address or number; `older`: the address of the
    next page; `export`: of the list as a file."""

    template = "console/submissions.html"
    searched: str
    unreadable: bool
    statuses: Sequence[Option]
    customers: Sequence[Option]
    operations: Sequence[Option]
    ages: Sequence[Option]
    rows: Sequence[LeadRow]
    older: str | None
    export: str


class Event(NamedTuple):
    """An entry in the submission's time line. `kind`, for the stylesheet, is "good", "bad" or ""."""

    at: str
    title: str
    details: Sequence[str]
    kind: str


class StepRow(NamedTuple):
    operation: str
    status: str
    kind: str
    attempts: str
    vitec_messages: Sequence[str]


@dataclass(frozen=True)
class SubmissionPage(ConsolePage):
    """`why` explains its status in a sentence or two; `submitted` is the submitted data, by label; `related` are the
    submissions that belong to it; `actions` are those that can be done now; `done` is what was just done."""

    template = "console/submission.html"
    row: LeadRow
    submission_id: str
    why: Sequence[str]
    submitted: Sequence[tuple[str, str]]
    related: Sequence[LeadRow]
    steps: Sequence[StepRow]
    events: Sequence[Event]
    actions: Sequence[Link]
    done: str


@dataclass(frozen=True)
class ConfirmPage(ConsolePage):
    """An action before it is done. `action` is its name, as the style knows it."""

    template = "console/confirm.html"
    row: LeadRow
    action: str
    label: str
    questions: Sequence[str]
    back: str


class LoginRow(NamedTuple):
    """`state` in words, `kind` "good", "bad" or "" where it is not known."""

    group: str
    name: str
    state: str
    kind: str


@dataclass(frozen=True)
class CustomersPage(ConsolePage):
    template = "console/customers.html"
    rows: Sequence[tuple[Link, str, Sequence[LoginRow]]]


@dataclass(frozen=True)
class CustomerPage(ConsolePage):
    template = "console/customer.html"
    customer_id: str
    name: str
    logins: Sequence[LoginRow]
    configuration: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class BuilderPage(ConsolePage):
    """`values` is what was chosen, by input; `preview` the form's address, None until it can be shown; `snippet` goes
    into the broker's page, `theme` into the configuration where the look was changed."""

    template = "console/builder.html"
    customer_id: str
    name: str
    values: Mapping[str, str]
    ids: tuple[str, ...]
    forms: Sequence[Option]
    faults: Mapping[str, str] = field(default_factory=dict)
    preview: str | None = None
    snippet: str = ""
    theme: str = ""
