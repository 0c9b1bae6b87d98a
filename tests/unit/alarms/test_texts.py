"""Texts of alarms, in both languages."""

from datetime import UTC, datetime

import pytest

from app.alarms.alerts import Alert
from app.alarms.incidents import OF_SUBMISSIONS, IncidentKind
from app.alarms.texts import CLEARED_TEXTS, MAX_REFERENCES, STARTED_TEXTS, AlertText, alert_text
from app.domain.ids import new_id, reference_of
from app.domain.submission import FunctionGroup, Operation
from app.web.rendering.templates import Templates

TEMPLATES = Templates()
SINCE = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
SUBJECTS = {
    IncidentKind.PAUSED: FunctionGroup.CRM.value,
    IncidentKind.DROUGHT: Operation.VIEWING.value,
    IncidentKind.OVERDUE: "",
} | dict.fromkeys(OF_SUBMISSIONS, new_id(datetime.now(UTC)))


def alert(kind: IncidentKind, *, over: bool = False, subjects: tuple[str, ...] = ()) -> Alert:
    return Alert("N1", kind, "M1", over, subjects or (SUBJECTS[kind],), SINCE, SINCE, 0)


def text(of: Alert, language: str = "sv") -> AlertText:
    return alert_text(of, "Mäklarhuset", TEMPLATES.gettext(language), language)


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in IncidentKind if kind is not IncidentKind.UNDELIVERED])
def test_every_alarm_and_every_all_clear_names_the_firm_and_fills_its_text(
    kind: IncidentKind, over: bool, language: str
) -> None:
    shown = text(alert(kind, over=over), language)
    assert shown.title.startswith("Mäklarhuset: ")
    assert "%" not in shown.title + shown.body
    assert "\n" not in shown.title


def test_a_lead_by_mail_has_texts_of_its_own() -> None:
    assert set(STARTED_TEXTS) == set(CLEARED_TEXTS) == set(IncidentKind) - {IncidentKind.UNDELIVERED}


def test_times_are_in_swedish_time_and_in_the_recipients_language() -> None:
    assert text(alert(IncidentKind.OVERDUE)).title == "Mäklarhuset: anmälningar har väntat sedan 22 november 13:05"
    assert (
        text(alert(IncidentKind.OVERDUE), "en").title == "Mäklarhuset: leads have been waiting since 22 November 13:05"
    )


def test_the_end_of_a_wait_does_not_promise_that_the_leads_have_arrived() -> None:
    """Those that were given up no longer wait either."""
    over = alert(IncidentKind.OVERDUE, over=True)
    assert "or are no longer retried" in text(over, "en").body
    assert "har försöken upphört" in text(over, "sv").body


def test_a_login_is_described_by_what_it_is_for() -> None:
    both = alert(IncidentKind.PAUSED, subjects=("advertising", "crm"))
    assert "valuations and final prices, leads, contacts and loan promises" in text(both, "en").body


def test_submissions_are_listed_by_reference_and_only_the_first_of_many() -> None:
    many = tuple(new_id(datetime.now(UTC)) for _ in range(MAX_REFERENCES + 5))
    shown = text(alert(IncidentKind.REJECTED, subjects=many))
    assert shown.title == f"Mäklarhuset: Vitec har avvisat anmälningar ({len(many)})"
    references = shown.body.split("\n\n")[1].splitlines()
    assert references == [*(reference_of(submission_id) for submission_id in many[:MAX_REFERENCES]), "och 5 till"]


def test_with_a_console_each_submission_is_a_click_away() -> None:
    single = alert(IncidentKind.FAILED)
    shown = alert_text(single, "Mäklarhuset", TEMPLATES.gettext("sv"), "sv", "https://leads.example.se/console")
    [submission_id] = single.subjects
    assert (
        f"{reference_of(submission_id)}  https://leads.example.se/console/submissions/{submission_id}\n" in shown.body
    )


def test_alarms_are_in_english_if_the_configuration_says_so() -> None:
    shown = text(alert(IncidentKind.REFUSED_BOOKING), "en")
    assert shown.title == "Mäklarhuset: Vitec refused bookings whose visitors have a receipt (1)"
    assert shown.body.startswith("The visitors believe that they have a place. Contact them now")
