"""What a look at the troubles makes of the alarms."""

from datetime import UTC, datetime

import pytest

from app.alarms.incidents import Changes, Incident, IncidentKind, IncidentState, changes

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TROUBLE = Incident(IncidentKind.PAUSED, "M1", "crm", NOW)


@pytest.mark.parametrize(
    ("state", "there", "expected"),
    [
        (None, True, Changes(raised=(TROUBLE,))),
        (None, False, Changes()),
        (IncidentState.NEW, True, Changes()),
        (IncidentState.NEW, False, Changes(gone=(TROUBLE.key,))),
        (IncidentState.TOLD, True, Changes()),
        (IncidentState.TOLD, False, Changes(over=(TROUBLE.key,))),
        (IncidentState.OVER, True, Changes(back=(TROUBLE.key,))),
        (IncidentState.OVER, False, Changes()),
    ],
)
def test_each_state_has_its_next(state: IncidentState | None, there: bool, expected: Changes) -> None:
    assert changes({TROUBLE.key: state} if state else {}, [TROUBLE] if there else []) == expected


def test_a_look_that_finds_nothing_new_changes_nothing() -> None:
    assert not changes({TROUBLE.key: IncidentState.TOLD}, [TROUBLE])
    assert changes({}, [TROUBLE])
