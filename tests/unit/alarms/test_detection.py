"""Detection of silent forms, from the arrivals of the last five weeks."""

from datetime import UTC, datetime, timedelta

from app.alarms.detection import silent_forms
from app.alarms.incidents import Incident, IncidentKind
from app.alarms.silence import WEEK
from app.statistics.arrivals import Arrivals

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAST = NOW - 5 * HOUR
PAST = [Arrivals("M1", "interest", 8, NOW - HOUR - n * WEEK) for n in (1, 2, 3, 4)]
DROUGHT = Incident(IncidentKind.DROUGHT, "M1", "interest", LAST)


def lead(at: datetime, operation: str = "interest") -> Arrivals:
    return Arrivals("M1", operation, 1, at)


def test_an_unusually_silent_form_is_reported_since_its_last_lead() -> None:
    assert silent_forms([*PAST, lead(LAST)], NOW) == [DROUGHT]


def test_silence_outside_the_usual_hours_is_not_reported() -> None:
    assert silent_forms([*PAST, lead(LAST)], NOW - 2 * HOUR) == []


def test_each_form_is_compared_with_its_own_history() -> None:
    assert silent_forms([*PAST, lead(LAST), lead(LAST, "viewing"), lead(NOW, "lead")], NOW) == [DROUGHT]
