"""Page models of the console: typed contexts for the templates, with texts translated and values formatted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from app.statistics.campaign_report import MAX_LINES
from app.web.rendering.page_models import LanguageLink


@dataclass(frozen=True)
class Frame:
    """The frame around every page. `section` is the current part of the console. `token` is sent with every post; "" if
    nobody is signed in."""

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
    """The sign-in page.

    wrong        the password was wrong
    lost         the password was right, but the browser did not keep the cookie
    wait         how long to wait after too many attempts, such as "30 seconds"
    then         the page to continue to
    """

    template = "console/sign_in.html"
    then: str
    wrong: bool = False
    lost: bool = False
    wait: str = ""


class Option(NamedTuple):
    value: str
    label: str
    chosen: bool


class Link(NamedTuple):
    label: str
    href: str


class ActionLink(NamedTuple):
    """`erases`: whether the action erases personal data. Such a button never invites."""

    label: str
    href: str
    erases: bool


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
    """A submission in a list. `kind` is its status as the stylesheet's class."""

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
    """A chart of `width` x `height` SVG units. `rows` are the same numbers as a table, one row for each day."""

    width: int
    height: int
    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    days: Sequence[Tick]
    rows: Sequence[tuple[str, Sequence[str]]]


class CountRow(NamedTuple):
    """A row for a campaign or a home. `widths` are percentages, for the small chart next to the numbers. `href` is set
    for homes only, and `customer` for homes if there are several customers."""

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
    stuck_count: str
    newest_stuck: Sequence[LeadRow]
    periods: Sequence[Option]
    customers: Sequence[Option]
    figures: Sequence[tuple[str, str]]
    chart: Chart
    campaigns: Sequence[CountRow]
    homes: Sequence[CountRow]
    max_lines: ClassVar[int] = MAX_LINES


@dataclass(frozen=True)
class HomePage(ConsolePage):
    """`tables` are the home's campaigns by operation: the operation, its label, and the rows."""

    template = "console/home.html"
    home: str
    customer: str
    periods: Sequence[Option]
    tables: Sequence[tuple[str, str, Sequence[CountRow]]]
    back: str
    max_lines: ClassVar[int] = MAX_LINES


@dataclass(frozen=True)
class SubmissionsPage(ConsolePage):
    """The list of submissions.

    searched    the search text
    unreadable  the text is no reference, e-mail address or phone number
    older       the URL of the next page, or None
    export      the URL of the list as a CSV file
    """

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
    """An entry in the submission's history. `kind`, for the stylesheet, is "good", "bad" or ""."""

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
    """One submission.

    why        a sentence or two that explain its status
    submitted  the submitted data, by label
    related    other submissions by the same person
    actions    the actions that apply now
    done       a message about the action that was just carried out
    """

    template = "console/submission.html"
    row: LeadRow
    submission_id: str
    why: Sequence[str]
    submitted: Sequence[tuple[str, str]]
    related: Sequence[LeadRow]
    steps: Sequence[StepRow]
    events: Sequence[Event]
    actions: Sequence[ActionLink]
    done: str


@dataclass(frozen=True)
class ConfirmPage(ConsolePage):
    """Asks for confirmation of an action. `erases`: whether it erases personal data."""

    template = "console/confirm.html"
    row: LeadRow
    erases: bool
    label: str
    questions: Sequence[str]
    back: str


class LoginRow(NamedTuple):
    """`state` is a text; `kind`, for the stylesheet, is "good", "bad", or "" if unknown."""

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
    """The embed builder.

    values   the chosen values, by input name
    preview  the URL of the form; None while it can't be shown
    snippet  the HTML for the broker's page
    theme    lines for the configuration, if the theme was changed
    """

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
