"""What the demo's page shows: typed contexts for its template, as in `pages`."""

from dataclasses import dataclass

from app.web.pages import Firm, LanguageLink


@dataclass(frozen=True)
class Choice:
    """Something to go to on the demo page: a campaign's tags, a personal link."""

    label: str
    href: str
    current: bool


@dataclass(frozen=True)
class Mood:
    """What the sandbox CRM can be made to do."""

    name: str
    label: str
    current: bool


@dataclass(frozen=True)
class CrmCall:
    """One request as the sandbox CRM received it. `at` is a local time of day; `tags` are name and value."""

    number: int
    operation: str
    what: str
    who: str
    path: str
    at: str
    status: int | None
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DemoPage:
    """The made-up broker's page, both forms in it, and beside it what the CRM received (newest first).

    service        the origin that the forms come from; "" for the page's own
    said_language  what the visitor chose, else ""
    slots          the viewing's times as the embed has them, `full_time` the one that has no place left
    query          the page's own, to come back to
    """

    language: str
    languages: tuple[LanguageLink, ...]
    firm: Firm
    service: str
    said_language: str
    customer_id: str
    estate_id: str
    viewing_id: str
    slot_id: str
    slots: str
    viewing_day: str
    full_time: str
    campaigns: tuple[Choice, ...]
    personal: tuple[Choice, ...]
    moods: tuple[Mood, ...]
    calls: tuple[CrmCall, ...]
    query: str
    demo: bool = True
