"""The move from SQLite to PostgreSQL: complete, once, and never served from both."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from app.bootstrap.services import prepare_database
from app.delivery.claims import StepOutcome
from app.domain.submission import AttemptOutcome, StepStatus
from app.maintenance import move
from app.maintenance.move import MoveError
from app.maintenance.move_state import is_active
from app.storage.database import Database, DatabaseUnusableError, StoreUnavailableError
from app.storage.migrations import upgrade
from app.storage.schema import attempts, moves, submissions
from tests.integration.storage_helpers import (
    LEAD_AFTER,
    application,
    claim_one,
    ids,
    opened,
    outbox_of,
    store,
    submission_of,
)

pytestmark = pytest.mark.anyio
ROWS = 7


@pytest.fixture
def template() -> str:
    return "template1"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    """An empty, up-to-date database."""
    with opened(f"sqlite:///{tmp_path}/intresse.db") as database:
        upgrade(database)
        yield database


@pytest.fixture
def target(postgresql_url: str) -> Iterator[Database]:
    with opened(postgresql_url) as database:
        yield database


async def filled(database: Database) -> list[str]:
    """Stores submissions with steps and attempts, one in progress and one delivered; returns their ids."""
    new = [application(resource=(f"OBJ{number}",), more_steps=LEAD_AFTER) for number in range(ROWS)]
    await store(database, *new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    first, second, _ = claim.steps
    await outbox.record_and_begin(
        claim, first, StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C1"), second
    )
    await outbox.record(claim, second, StepOutcome(StepStatus.WAITING, AttemptOutcome.UNAVAILABLE))
    return [submission.id for submission in new]


async def test_everything_is_moved_and_pending_submissions_stay_pending(source: Database, target: Database) -> None:
    moved = await filled(source)
    before = [await submission_of(source, submission_id) for submission_id in moved]
    contents = move.move(source, target)
    assert contents["submissions"].rows == ROWS
    assert contents["steps"].rows == 3 * ROWS
    prepare_database(target)
    assert [await submission_of(target, submission_id) for submission_id in moved] == before
    claim = await claim_one(outbox_of(target))
    assert claim.id in moved
    newest = select(func.max(attempts.c.id))
    assert await target.read(lambda c: c.execute(newest).scalar()) == contents["attempts"].rows + 1


async def test_the_old_database_is_served_no_more(source: Database, target: Database) -> None:
    await filled(source)
    move.move(source, target)
    with pytest.raises(DatabaseUnusableError, match="everything was moved to postgresql://"):
        prepare_database(source)


async def test_a_process_that_still_runs_on_the_old_database_can_change_nothing_there(
    source: Database, target: Database
) -> None:
    await filled(source)
    outbox = outbox_of(source)
    move.move(source, target)
    with pytest.raises(StoreUnavailableError):
        await claim_one(outbox)
    with pytest.raises(StoreUnavailableError):
        await store(source, application())
    assert not await source.read(is_active)


async def test_a_move_waits_for_no_worker(source: Database, target: Database) -> None:
    await filled(source)
    await claim_one(outbox_of(source))
    with pytest.raises(MoveError, match="stop the service first"):
        move.move(source, target)
    assert await source.read(is_active)


async def test_after_an_interrupted_move_neither_database_is_served_and_the_move_resumes(
    source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move, "BATCH", 2)
    moved = await filled(source)
    upgrade(target)
    with target.engine.begin() as connection:  # the fifth row of steps can't be taken
        refusal = "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'full'; END $$ LANGUAGE plpgsql"
        connection.execute(text(refusal))
        only = "CREATE TRIGGER full_disk BEFORE INSERT ON steps FOR EACH ROW WHEN (NEW.position = 2)"
        connection.execute(text(f"{only} EXECUTE FUNCTION refuse()"))
    with pytest.raises(DatabaseUnusableError, match="full"):
        move.move(source, target)
    assert len(ids(target)) == ROWS
    for database in (source, target):
        with pytest.raises(DatabaseUnusableError, match="a move is unfinished"):
            prepare_database(database)
    with target.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER full_disk ON steps"))
    assert move.move(source, target)["steps"].rows == 3 * ROWS
    prepare_database(target)
    assert sorted(ids(target)) == sorted(moved)


async def test_a_move_made_again_changes_nothing(source: Database, target: Database) -> None:
    await filled(source)
    first = move.move(source, target)
    await store(target, application())
    assert move.move(source, target) == first
    assert len(ids(target)) == ROWS + 1


async def test_what_was_moved_is_not_moved_on_to_a_third_database(source: Database, target: Database) -> None:
    """The message says so: this move is neither unfinished nor can it be undone."""
    move.move(source, target)
    third = Database("postgresql://user@127.0.0.1:1/third")
    try:
        with pytest.raises(MoveError, match="everything was moved to"):
            move._freeze(source, third)
    finally:
        third.close()


async def test_a_database_that_differs_from_its_source_is_not_served(source: Database, target: Database) -> None:
    await filled(source)
    upgrade(target)
    move._freeze(source, target)
    move._prepare(source, target)
    with source.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(submissions)).mappings()]
    with target.engine.begin() as connection:
        connection.execute(insert(submissions), [row | {"status": "delivered"} for row in rows])
    with pytest.raises(MoveError, match="not the same in both: submissions"):
        move.move(source, target)
    with pytest.raises(DatabaseUnusableError):
        prepare_database(target)


async def test_a_move_that_has_not_ended_can_be_given_up(source: Database, target: Database) -> None:
    moved = await filled(source)
    upgrade(target)
    move._freeze(source, target)
    move.give_up(source)
    prepare_database(source)
    await store(source, application())
    assert set(moved) < set(ids(source))


async def test_a_move_that_has_ended_can_not_be_given_up(source: Database, target: Database) -> None:
    move.move(source, target)
    with pytest.raises(MoveError, match="has finished"):
        move.give_up(source)


async def test_a_database_with_submissions_of_its_own_takes_no_others(source: Database, target: Database) -> None:
    upgrade(target)
    await store(target, application())
    with pytest.raises(MoveError, match="has submissions of its own"):
        move.move(source, target)
    move.give_up(source)


async def test_a_move_goes_from_sqlite_to_postgresql_only(source: Database, target: Database) -> None:
    for pair in ((source, source), (target, target), (target, source)):
        with pytest.raises(MoveError, match="from the configured sqlite"):
            move.move(*pair)


def test_every_table_is_moved() -> None:
    assert {table.name for table in move.TABLES} >= {"submissions", "steps", "attempts"}
    assert attempts.autoincrement_column is attempts.c.id
    assert moves not in move.TABLES
