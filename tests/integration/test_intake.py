"""Intake on either database: nobody is answered before the commit, and nothing is stored twice."""

import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text, update

from app.domain.submission import Operation, PlannedStep
from app.intake.idempotency import Accepted, IdempotencyConflictError
from app.intake.intake import MAX_WAITING, POSTGRESQL_BATCH, SQLITE_BATCH, Intake
from app.intake.new_submission import NewSubmission
from app.storage.database import Database, StoreUnavailableError
from app.storage.encrypted_fields import payload_aad
from app.storage.schema import steps, submissions
from app.web.health import Readiness
from tests.databases import put_migrated
from tests.integration.storage_helpers import (
    BODY,
    BOOKING,
    CONTACT_HASH,
    KEYRING,
    LEAD_AFTER,
    VISITOR,
    again,
    application,
    ids,
    marked,
    opened,
    submission,
    taking_in,
    time_passes,
)

pytestmark = pytest.mark.anyio


def files(folder: Path) -> list[Path]:
    """The database's content on disk, if it has files of its own."""
    return list(folder.glob("intresse.db*"))


@contextmanager
def writers_locked_out(database: Database) -> Iterator[None]:
    with database.engine.begin() as connection:  # on SQLite this is the write lock
        if not database.is_sqlite:
            connection.execute(text("LOCK TABLE submissions IN ACCESS EXCLUSIVE MODE"))
        yield


async def test_what_is_accepted_is_on_disk(database: Database, database_url: str) -> None:
    new = application()
    async with taking_in(database) as intake:
        accepted = await intake.accept(new)
        with opened(database_url) as another:
            assert ids(another) == [new.id]
    assert accepted == Accepted(new.id, repeated=False)


async def test_nobody_is_answered_before_the_commit(database: Database) -> None:
    async with taking_in(database) as intake:
        with writers_locked_out(database):
            answer = asyncio.ensure_future(intake.accept(application()))
            answered, _ = await asyncio.wait({answer}, timeout=0.2)
            assert not answered
        assert (await answer).id in ids(database)


async def test_a_submission_is_stored_together_with_its_steps_in_order(database: Database) -> None:
    new = application(more_steps=(BOOKING,))
    async with taking_in(database) as intake:
        await intake.accept(new)
    with database.engine.connect() as connection:
        stored = connection.execute(select(steps).order_by(steps.c.position)).all()
        sealed = connection.execute(select(submissions.c.payload)).scalar_one()
    assert [(step.submission_id, step.position, step.operation, step.resource) for step in stored] == [
        (new.id, 0, "interest", "OBJ1"),
        (new.id, 1, "viewing", "VIS1/SLOT1"),
    ]
    assert {(step.status, step.attempts) for step in stored} == {("waiting", 0)}
    assert KEYRING.decrypt(sealed, payload_aad(new.id)) == json.loads(json.dumps(new.application.to_json()))
    assert new.application.bodies == (BODY, VISITOR)


@pytest.mark.parametrize(
    ("new", "group"),
    [
        (application(more_steps=LEAD_AFTER), "advertising"),
        (submission(Operation.LEAD, *LEAD_AFTER), "crm"),
        (submission(Operation.LOAN_PROMISE, PlannedStep(Operation.LOAN_PROMISE, ("C1",), {})), "crm"),
    ],
    ids=["interest", "lead", "loan promise"],
)
async def test_what_is_accepted_is_due_at_once_under_the_password_that_its_first_step_needs(
    database: Database, new: NewSubmission, group: str
) -> None:
    new = again(new)
    async with taking_in(database) as intake:
        await intake.accept(new)
    with database.engine.connect() as connection:
        row = connection.execute(select(submissions)).one()
    assert (row.function_group, row.status, row.claim) == (group, "pending", None)
    assert row.received_at == row.delivery_since == row.due_at == new.received_at


async def test_many_at_once_share_a_few_commits(database: Database) -> None:
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)
    limit = SQLITE_BATCH if database.is_sqlite else POSTGRESQL_BATCH
    many = [application() for _ in range(limit + 50)]
    async with taking_in(database) as intake:
        accepted = await asyncio.gather(*map(intake.accept, many))
    assert [result.id for result in accepted] == [new.id for new in many]
    assert sorted(ids(database)) == sorted(new.id for new in many)
    assert 2 <= len(commits) <= 4  # a batch is never larger than it may be


async def test_the_delivery_is_notified_of_each_commit(database: Database) -> None:
    stored_when_heard: list[int] = []
    async with taking_in(database, lambda _: stored_when_heard.append(len(ids(database)))) as intake:
        await intake.accept(application())
        await intake.accept(application())
    assert stored_when_heard == [1, 2]


async def test_the_same_key_twice_in_one_batch_is_one_submission(database: Database) -> None:
    first = application(repeat=marked(b"key"))
    async with taking_in(database) as intake:
        accepted = await asyncio.gather(intake.accept(first), intake.accept(again(first)))
    assert [*accepted] == [Accepted(first.id, repeated=False), Accepted(first.id, repeated=True)]
    assert ids(database) == [first.id]


async def test_the_same_key_in_a_later_batch_answers_the_first(database: Database) -> None:
    first = application(repeat=marked(b"key"))
    counted: list[Any] = []
    async with taking_in(database, counted.extend) as intake:
        await intake.accept(first)
        repeated = await intake.accept(again(first))
    assert repeated == Accepted(first.id, repeated=True)
    assert ids(database) == [row["id"] for row in counted] == [first.id]


async def test_the_same_keys_at_two_replicas_at_once_are_one_submission_each(
    database: Database, database_url: str
) -> None:
    firsts = [application(repeat=marked(f"key {i}".encode())) for i in range(40)]
    seconds = [again(new) for new in reversed(firsts)]
    with opened(database_url) as another:
        async with taking_in(database) as one, taking_in(another) as other:
            posts = [*map(one.accept, firsts), *map(other.accept, seconds)]
            accepted = await asyncio.gather(*posts)
    assert [a.id for a in accepted[:40]] == [a.id for a in reversed(accepted[40:])]
    assert Counter(a.repeated for a in accepted) == {False: 40, True: 40}
    assert sorted(ids(database)) == sorted({a.id for a in accepted})


async def test_posts_without_a_key_are_never_taken_for_repeats(database: Database) -> None:
    first = application()
    async with taking_in(database) as intake:
        accepted = await asyncio.gather(intake.accept(first), intake.accept(again(first)))
    assert [result.repeated for result in accepted] == [False, False]
    assert len(ids(database)) == 2


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_same_key_with_other_content_is_the_callers_mistake(database: Database, at_once: bool) -> None:
    first = application(repeat=marked(b"key", b"one thing"))
    other = application(repeat=marked(b"key", b"another"))
    async with taking_in(database) as intake:
        if at_once:
            answers = await asyncio.gather(intake.accept(first), intake.accept(other), return_exceptions=True)
            assert isinstance(answers[1], IdempotencyConflictError)
        else:
            await intake.accept(first)
            with pytest.raises(IdempotencyConflictError):
                await intake.accept(other)
    assert ids(database) == [first.id]


@pytest.mark.parametrize(
    ("after", "repeated"), [(timedelta(minutes=9, seconds=58), True), (timedelta(minutes=10), False)]
)
async def test_a_key_is_free_again_when_its_time_has_run_out(
    database: Database, after: timedelta, repeated: bool
) -> None:
    first = application(repeat=marked(b"key", lifetime=timedelta(minutes=10)))
    async with taking_in(database) as intake:
        await intake.accept(first)
        await time_passes(database, after)
        second = again(first)
        accepted = await intake.accept(second)
        await time_passes(database, timedelta(minutes=1))
        third = await intake.accept(again(second))
    assert accepted.repeated is repeated
    assert accepted.id == (first.id if repeated else second.id)
    assert third.id == (third.id if repeated else second.id)
    assert len(ids(database)) == 2


def _id_that_is_taken(taken: NewSubmission) -> NewSubmission:
    return replace(application(), id=taken.id)


def _text_that_no_column_holds(_: NewSubmission) -> NewSubmission:
    return application(customer_id="M" * 41, resource=("OBJ\0",))


def _nothing_where_something_must_be(_: NewSubmission) -> NewSubmission:
    return replace(application(), language=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad", [_id_that_is_taken, _nothing_where_something_must_be, _text_that_no_column_holds], ids=lambda f: f.__name__
)
async def test_one_bad_row_fails_no_other_of_its_batch(database: Database, bad: Any) -> None:
    taken = application()
    good = [application() for _ in range(3)]
    async with taking_in(database) as intake:
        await intake.accept(taken)
        batch = [good[0], bad(taken), *good[1:]]
        answers = await asyncio.gather(*map(intake.accept, batch), return_exceptions=True)
    assert [answers[0], *answers[2:]] == [Accepted(new.id, repeated=False) for new in good]
    assert {new.id for new in good} <= set(ids(database))


async def test_the_caller_of_a_bad_row_learns_that_it_was_not_stored(database: Database) -> None:
    taken = application()
    async with taking_in(database) as intake:
        await intake.accept(taken)
        with pytest.raises(StoreUnavailableError):
            await intake.accept(_id_that_is_taken(taken))


async def test_when_too_many_wait_the_next_is_turned_away_at_once_and_no_one_else(database: Database) -> None:
    intake = Intake(database, KEYRING, CONTACT_HASH, lambda _: None)
    number = MAX_WAITING + 2 * SQLITE_BATCH  # one batch may be on its way to the disk already
    waiting = [asyncio.ensure_future(intake.accept(application())) for _ in range(number)]
    await asyncio.wait(waiting, timeout=0)  # all have handed over their rows
    turned_away = [task for task in waiting if task.done()]
    assert SQLITE_BATCH <= len(turned_away) <= 2 * SQLITE_BATCH
    intake.stop()
    await intake.run()
    assert all(isinstance(task.exception(), StoreUnavailableError) for task in turned_away)
    await asyncio.gather(*(task for task in waiting if task not in turned_away))
    assert len(ids(database)) == number - len(turned_away)


async def test_a_post_to_an_unavailable_database_fails_and_the_next_is_stored_once_it_is_back(
    database: Database,
) -> None:
    async with taking_in(database) as intake:
        with database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE steps RENAME TO away"))
        with pytest.raises(StoreUnavailableError):
            await intake.accept(application())
        with database.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO steps"))
        new = application()
        await intake.accept(new)
    assert ids(database) == [new.id]  # of the first not even half


def put_another(file: Path) -> None:
    shutil.copyfile(file, copy := file.with_suffix(".copy"))
    copy.replace(file)


@pytest.mark.parametrize(
    "remove",
    [Path.unlink, put_another, lambda file: Path(f"{file}-wal").unlink()],
    ids=["the file is removed", "it is replaced", "its WAL is removed"],
)
async def test_nothing_is_accepted_into_a_file_that_nobody_can_open_again(
    tmp_path: Path, remove: Callable[[Path], None]
) -> None:
    """SQLite itself writes on and reports success. What was accepted before can still be delivered."""
    file = tmp_path / "intresse.db"
    put_migrated(url := f"sqlite:///{file}")
    with opened(url) as database:
        async with taking_in(database) as intake:
            before = await intake.accept(application())
            assert await Readiness(database, list).ask() is True
            remove(file)
            with pytest.raises(StoreUnavailableError, match="while in use"):
                await intake.accept(application())
            with pytest.raises(StoreUnavailableError):
                await Readiness(database, list).ask()
            deliver = update(submissions).values(due_at=None).returning(submissions.c.id)
            assert await database.write(lambda connection: connection.execute(deliver).scalars().all()) == [before.id]


async def test_what_waits_when_the_service_stops_is_still_stored_and_answered(database: Database) -> None:
    intake = Intake(database, KEYRING, CONTACT_HASH, lambda _: None)
    waiting = [asyncio.ensure_future(intake.accept(application())) for _ in range(SQLITE_BATCH + 1)]
    await asyncio.wait(waiting, timeout=0)
    intake.stop()
    await intake.run()
    assert sorted(accepted.id for accepted in await asyncio.gather(*waiting)) == sorted(ids(database))


async def test_after_the_stop_no_post_is_accepted(database: Database) -> None:
    async with taking_in(database) as intake:
        pass
    with pytest.raises(StoreUnavailableError):
        await asyncio.wait_for(intake.accept(application()), 30)
    assert ids(database) == []


async def test_a_stop_in_the_middle_of_a_commit_still_answers_those_in_it(database: Database) -> None:
    intake = Intake(database, KEYRING, CONTACT_HASH, lambda _: None)
    task = asyncio.create_task(intake.run())
    answer = asyncio.ensure_future(intake.accept(application()))
    with writers_locked_out(database):
        await asyncio.wait({answer}, timeout=0.2)
        intake.stop()
        stopped, _ = await asyncio.wait({task}, timeout=0.2)
        assert not stopped
    await asyncio.wait_for(task, 30)
    assert [(await answer).id] == ids(database)


async def test_a_caller_that_hangs_up_does_not_unstore_its_post(database: Database) -> None:
    hung_up, stays = application(), application()
    async with taking_in(database) as intake:
        with writers_locked_out(database):
            first = asyncio.ensure_future(intake.accept(hung_up))
            await asyncio.wait({first}, timeout=0.1)
            second = asyncio.ensure_future(intake.accept(stays))
            await asyncio.wait({second}, timeout=0.1)
            first.cancel()
        assert (await second).id == stays.id
    assert sorted(ids(database)) == sorted([hung_up.id, stays.id])


async def test_a_fault_after_the_commit_is_no_refusal(database: Database) -> None:
    def fault(_: object) -> None:
        raise LookupError("a fault of ours")

    new = [application(), application()]
    async with taking_in(database, fault) as intake:
        accepted = await asyncio.gather(*map(intake.accept, new))
    assert accepted == [Accepted(new_submission.id, repeated=False) for new_submission in new]


async def test_a_submission_that_cannot_be_made_costs_no_other_of_its_batch(database: Database) -> None:
    def fault() -> NewSubmission:
        raise LookupError("a fault of ours")

    before, after = application(), application()
    async with taking_in(database) as intake:
        makes: list[Callable[[], NewSubmission]] = [fault, lambda: before, fault, lambda: after, fault]
        outcomes = await asyncio.gather(*map(intake.accept_from, makes), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [LookupError, Accepted, LookupError, Accepted, LookupError]
        with pytest.raises(LookupError):  # alone in its batch
            await intake.accept_from(fault)
    assert [accepted.id for accepted in outcomes if isinstance(accepted, Accepted)] == [before.id, after.id]
    assert sorted(ids(database)) == sorted([before.id, after.id])


async def test_nothing_of_a_person_can_be_read_in_the_database(database: Database, tmp_path: Path) -> None:
    body = {"firstName": "Xanthippa", "email": {"emailAddress": "xanthippa@example.se"}}
    new = replace(application(body=body), contacts={"email": "xanthippa@example.se", "phone": "+46701740605"})
    async with taking_in(database) as intake:
        await intake.accept(new)
    with database.engine.connect() as connection:
        rows = [*connection.execute(select(submissions)), *connection.execute(select(steps))]
    stored = b"\n".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    stored += b"".join(path.read_bytes() for path in files(tmp_path))
    assert new.id.encode() in stored  # so what is there can be found
    for secret in (b"Xanthippa", b"xanthippa", b"example.se", b"701740605"):
        assert secret not in stored
