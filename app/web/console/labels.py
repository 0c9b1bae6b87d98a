"""Labels of statuses, outcomes and function groups, and formatting of numbers and times."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from app.domain.campaigns import OTHER, Campaign
from app.domain.datetimes import STOCKHOLM
from app.domain.submission import AttemptOutcome, FunctionGroup, Status, StepStatus
from app.i18n import N_, GetText
from app.operations.member_labels import CHOICES, same_member

STATUSES: Mapping[str, str] = {
    Status.PENDING: N_("Waiting"),
    Status.DELIVERED: N_("Delivered"),
    Status.REJECTED: N_("Refused by Vitec"),
    Status.FAILED: N_("Failed"),
    Status.UNCERTAIN: N_("Uncertain"),
    Status.HELD: N_("Held"),
    Status.UNREADABLE: N_("Unreadable"),
}
STEP_STATUSES: Mapping[str, str] = {
    **STATUSES,
    StepStatus.WAITING: N_("Waiting"),
    StepStatus.SENDING: N_("Being sent"),
    StepStatus.SKIPPED: N_("Not needed"),
}
OUTCOMES: Mapping[str | None, str] = {
    AttemptOutcome.DELIVERED: N_("Vitec received it"),
    AttemptOutcome.REJECTED: N_("Vitec refused it"),
    AttemptOutcome.NOT_FOUND: N_("Vitec doesn’t know the id"),
    AttemptOutcome.UNAVAILABLE: N_("Vitec couldn’t be reached"),
    AttemptOutcome.UNREADABLE: N_("Vitec’s answer couldn’t be read"),
    AttemptOutcome.REFUSED_LOGIN: N_("Vitec refused the login"),
    AttemptOutcome.FORBIDDEN: N_("Vitec denied access"),
    AttemptOutcome.AMBIGUOUS: N_("Sent, but the answer doesn’t say whether Vitec has it"),
    AttemptOutcome.SKIPPED: N_("Not needed"),
    AttemptOutcome.NOT_SENT: N_("Not sent: another worker might have taken over"),
    AttemptOutcome.BLOCKED: N_("It could not continue"),
    None: N_("Being sent"),
}
# Entries of the history that are no calls: operators' actions, and what the service did without Vitec.
NOTES: Mapping[str, str] = {
    AttemptOutcome.RETRIED: N_("Sent again manually"),
    AttemptOutcome.RELEASED: N_("Released manually"),
    AttemptOutcome.DISCARDED: N_("Discarded manually"),
    AttemptOutcome.SET_ASIDE: N_("Set aside: it can’t be decrypted or is damaged"),
    AttemptOutcome.RESTORED: N_("Restored from a backup: it may have been sent since"),
}
_DATETIMES = frozenset({"validUntil", "gdprApprovalDate", "updatePerson.gdprApprovalDate"})
GROUPS: Mapping[str, str] = {
    FunctionGroup.ADVERTISING: N_("Advertising and viewings"),
    FunctionGroup.CRM: N_("CRM"),
}
REASONS: Mapping[str, str] = {
    "refused": N_("Vitec refuses the password."),
    "forbidden": N_("Vitec denied access to several things in a row."),
}


# Cached: Babel parses its patterns at each call, and a page has hundreds of numbers.
@lru_cache(maxsize=4096)
def number(value: int, language: str) -> str:
    return str(format_decimal(value, locale=language))


@lru_cache(maxsize=4096)
def share(part: int, whole: int, language: str) -> str:
    """A dash if there is none: what programs post has no form view, so `part` may be more than `whole`."""
    return str(format_percent(part / whole, locale=language)) if 0 < whole >= part else "–"


def member_value(name: str, value: object, language: str, gettext: GetText) -> str:
    """A member's value as text for people."""
    if isinstance(value, bool):
        return gettext(N_("Yes")) if value else gettext(N_("No"))
    if isinstance(value, int | float):
        return str(format_decimal(value, locale=language))
    text = str(value)
    if name in _DATETIMES:
        try:
            return moment(datetime.fromisoformat(text), language)
        except OverflowError:  # a program's "for ever", which is in the year 10000 in Sweden
            return text
    choices = CHOICES.get(same_member(name), {})
    return gettext(choices[text]) if text in choices else text


def moment(value: datetime, language: str) -> str:
    """Date and time in Sweden, with the year if it is not the current one."""
    year = "" if value.astimezone(STOCKHOLM).year == datetime.now(STOCKHOLM).year else " y"
    return _format(value, f"d MMM{year} HH:mm", language)


def second(value: datetime, language: str) -> str:
    """As `moment`, with seconds."""
    return _format(value, "d MMM y HH:mm:ss", language)


def sortable(value: datetime) -> str:
    """As `second`, in the form that every spreadsheet takes for a time: 2027-10-21 07:03:34."""
    return value.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M:%S")


def _format(value: datetime, pattern: str, language: str) -> str:
    return str(format_datetime(value.astimezone(STOCKHOLM), pattern, locale=language))


@lru_cache(maxsize=1024)
def day(value: date, language: str) -> str:
    return str(format_date(value, "d MMM", locale=language))


def duration(value: timedelta | None, language: str) -> str:
    if value is None:
        return "–"
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{format_decimal(round(seconds * 1000), locale=language)} ms"
    if seconds < 10:
        return f"{format_decimal(round(seconds, 1), locale=language)} s"
    return str(format_timedelta(value, threshold=1.2, format="short", locale=language))


def seconds(number: int, language: str) -> str:
    """ "1 second", "90 seconds": never rounded to minutes."""
    return str(format_unit(number, "duration-second", locale=language))


def campaign(value: Campaign, gettext: GetText) -> str:
    """Source, medium and campaign in one line. The rest ("Others") and submissions without tags have labels of their
    own."""
    if all(part == OTHER for part in value):
        return gettext(N_("Others"))
    last = max((index for index, part in enumerate(value) if part), default=-1)
    parts = [gettext(N_("Others")) if part == OTHER else part or "–" for part in value[: last + 1]]
    return " / ".join(parts) or gettext(N_("Without tags"))


def home(value: str, gettext: GetText) -> str:
    return gettext(N_("Others")) if value == OTHER else value
