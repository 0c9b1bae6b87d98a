"""Texts of alerts: a title and instructions for each kind of incident. They contain no personal data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_datetime

from app.alarms.alerts import Alert
from app.alarms.incidents import OF_SUBMISSIONS, IncidentKind
from app.domain.datetimes import STOCKHOLM
from app.domain.ids import reference_of
from app.domain.submission import FunctionGroup
from app.i18n import N_, GetText
from app.operations.registry import POSTED

MAX_REFERENCES = 20


@dataclass(frozen=True)
class AlertText:
    title: str
    body: str


# `%(firm)s`: the customer's name; `%(number)s`: of submissions; `%(about)s`: the login or form; `%(since)s`: a time.
STARTED_TEXTS: Mapping[IncidentKind, tuple[str, str]] = {
    IncidentKind.PAUSED: (
        N_("%(firm)s: Vitec refuses the login"),
        N_(
            "Vitec has refused the login for %(about)s since %(since)s. Leads are saved and waiting, and one is tried "
            "from time to time. Check the password with: intresse check --online"
        ),
    ),
    IncidentKind.OVERDUE: (
        N_("%(firm)s: leads have been waiting since %(since)s"),
        N_(
            "They are saved. Check whether Vitec is down, whether a worker is running, and whether the customer is in "
            "the configuration."
        ),
    ),
    IncidentKind.DROUGHT: (
        N_("%(firm)s: no leads since %(since)s"),
        N_(
            "This is about %(about)s, which came in during the same hours of each of the past "
            "four weeks. Check that the form is still on the broker’s website, and can be sent."
        ),
    ),
    IncidentKind.REJECTED: (
        N_("%(firm)s: Vitec refused leads (%(number)s)"),
        N_("See Vitec’s words with intresse leads show. Fix the cause, then run: intresse leads retry."),
    ),
    IncidentKind.FAILED: (
        N_("%(firm)s: leads could not be delivered (%(number)s)"),
        N_("They are no longer retried. See why with intresse leads show, then run: intresse leads retry."),
    ),
    IncidentKind.UNCERTAIN: (
        N_("%(firm)s: leads that may have reached Vitec (%(number)s)"),
        N_(
            "Look for them in Vitec. Send those that are missing there with intresse leads release, "
            "and discard the rest."
        ),
    ),
    IncidentKind.HELD: (
        N_("%(firm)s: leads held as suspected spam (%(number)s)"),
        N_("Review them. Send the real ones with intresse leads release, and discard the rest."),
    ),
    IncidentKind.UNREADABLE: (
        N_("%(firm)s: leads that can’t be read (%(number)s)"),
        N_(
            "None of the encryption keys can decrypt them. Add the missing key to encryption_keys again, and they will "
            "be sent automatically; without it they can only be discarded: intresse leads discard."
        ),
    ),
    IncidentKind.SOON_DISCARDED: (
        N_("%(firm)s: leads are about to be discarded (%(number)s)"),
        N_(
            "They have been held as suspected spam, or could not be delivered, since %(since)s or later, and will be "
            "erased within 7 days. Send the real ones before then with intresse leads release or intresse leads retry."
        ),
    ),
    IncidentKind.REFUSED_BOOKING: (
        N_("%(firm)s: Vitec refused bookings whose visitors have a receipt (%(number)s)"),
        N_(
            "The visitors believe that they have a place. Contact them now, and offer another "
            "time. See Vitec’s words with intresse leads show."
        ),
    ),
}
CLEARED_TEXTS: Mapping[IncidentKind, tuple[str, str]] = {
    IncidentKind.PAUSED: (
        N_("%(firm)s: Vitec accepts the login again"),
        N_("This is about %(about)s. The waiting leads are being delivered."),
    ),
    IncidentKind.OVERDUE: (
        N_("%(firm)s: leads are no longer overdue"),
        N_("They have been delivered or dealt with, or are no longer retried. Another alert then says so."),
    ),
    IncidentKind.DROUGHT: (N_("%(firm)s: leads are coming in again"), N_("This is about %(about)s.")),
    IncidentKind.SOON_DISCARDED: (
        N_("%(firm)s: leads that are no longer about to be discarded (%(number)s)"),
        N_("They have been sent or erased, or are kept for longer."),
    ),
    **dict.fromkeys(
        OF_SUBMISSIONS - {IncidentKind.SOON_DISCARDED, IncidentKind.UNDELIVERED},
        (N_("%(firm)s: leads that have been dealt with (%(number)s)"), N_("No further action is needed.")),
    ),
}
# What an alert is about, by function group or operation.
ABOUT: Mapping[str, str] = {
    FunctionGroup.ADVERTISING: N_("interests, bookings, valuations and final prices"),
    FunctionGroup.CRM: N_("leads, contacts and loan promises"),
    **{spec.operation: spec.plural for spec in POSTED},
}


def alert_text(alert: Alert, firm: str, gettext: GetText, language: str, console: str = "") -> AlertText:
    """`console` is the console's address, if there is one; the text then links to each submission."""
    title, body = (CLEARED_TEXTS if alert.over else STARTED_TEXTS)[alert.kind]
    values = {
        "firm": firm,
        "number": len(alert.subjects),
        "about": ", ".join(gettext(ABOUT[subject]) for subject in alert.subjects if subject in ABOUT),
        "since": moment(alert.since, language),
    }
    paragraphs = [gettext(body) % values]
    if alert.kind in OF_SUBMISSIONS:
        paragraphs.append("\n".join(_references(alert, gettext, console)))
    return AlertText(gettext(title) % values, "\n\n".join(paragraphs) + "\n")


def _references(alert: Alert, gettext: GetText, console: str) -> list[str]:
    shown = [
        f"{reference_of(submission_id)}  {console}/submissions/{submission_id}"
        if console
        else reference_of(submission_id)
        for submission_id in alert.subjects[:MAX_REFERENCES]
    ]
    more = len(alert.subjects) - len(shown)
    return [*shown, gettext(N_("and %(number)s more")) % {"number": more}] if more else shown


def moment(at: datetime, language: str) -> str:
    """The date and time in Sweden, formatted."""
    return format_datetime(at.astimezone(STOCKHOLM), "d MMMM HH:mm", locale=language)
