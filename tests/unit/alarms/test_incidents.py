"""What a look at the troubles makes of the alarms."""

from datetime import UTC, datetime

import pytest

from app.alarms.incidents import Changes, Kind, State, Trouble, changes

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TROUBLE = Trouble(Kind.PAUSED, "M1", "crm", NOW)


@pytest.mark.parametrize(
    ("state", "there", "expected"),
    [
        (None, True, Changes(raised=(TROUBLE,))),
        (None, False, Changes()),
        (State.NEW, True, Changes()),
        (State.NEW, False, Changes(gone=(TROUBLE.key,))),
        (State.TOLD, True, Changes()),
        (State.TOLD, False, Changes(over=(TROUBLE.key,))),
        (State.OVER, True, Changes(back=(TROUBLE.key,))),
        (State.OVER, False, Changes()),
    ],
)
def test_each_state_has_its_next(state: State | None, there: bool, expected: Changes) -> None:
    assert changes({TROUBLE.key: state} if state else {}, [TROUBLE] if there else []) == expected


def test_a_look_that_finds_nothing_new_changes_nothing() -> None:
    assert not changes({TROUBLE.key: State.TOLD}, [TROUBLE])
    assert changes({}, [TROUBLE])
