"""Helpers of the storage and delivery tests: posts as the web layer hands them over, an intake, views of the rows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, select, update

from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.claims import Claim, CredentialKey
from app.delivery.outbox import Outbox
from app.domain.ids import new_id
from app.domain.marketing import Marketing
from app.domain.submission import FunctionGroup, IdempotencyKey, Operation, PlannedStep, Submission
from app.intake.intake import Intake
from app.intake.new_submission import NewSubmission
from app.operations.planning import SubmissionContext
from app.operations.stored_application import StoredApplication
from app.storage.column_types import UtcDateTime
from app.storage.database import POSTGRESQL_WRITERS, Database
from app.storage.encryption import KeyedHash, Keyring
from app.storage.schema import attempts, logins, steps, submissions
from app.submissions.repository import SubmissionRepository
from tests.conftest import CUSTOMER

T = TypeVar("T")

KEYRING = Keyring([b"0123456789abcdef0123456789abcdef"])
CONTACT_HASH = KeyedHash("a secret key for the tests alone", "contacts")
RESOURCE_HASH = KeyedHash("a secret key for the tests alone", "resources")
OTHER = "M67890"
MINUTE = timedelta(minutes=1)
NO_MARKETING = Marketing()
BODY = {"firstName": "Anna", "lastName": "Å", "telephone": {"cell": "+46701740605"}}
VISITOR = {"updatePerson": {"customerId": CUSTOMER, "firstName": "Anna", "lastName": "Å", "cellPhone": "+46701740605"}}
BOOKING = PlannedStep(Operation.VIEWING, ("VIS1", "SLOT1"), VISITOR)
# What goes on after a booking: the contact that it answers is looked up, and gets a lead.
LEAD_AFTER = (
    PlannedStep(Operation.CONTACT, (), {}),
    PlannedStep(Operation.LEAD, (), {"leadSourceId": "LS1", "assignedToId": "U1"}),
)
ADVERTISING: CredentialKey = (CUSTOMER, FunctionGroup.ADVERTISING)
CRM: CredentialKey = (CUSTOMER, FunctionGroup.CRM)


class MachineClock:
    """This machine's clock, shifted as if someone had set it."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def now(self, zone: Any) -> datetime:
        return datetime.now(zone) + self.off


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


async def connect_all_writers(database: Database) -> None:
    """Lets each of PostgreSQL's writers connect; none of them takes two of the transactions."""
    all_connected = Barrier(POSTGRESQL_WRITERS, timeout=30)
    await asyncio.gather(*(database.write(lambda _: all_connected.wait()) for _ in range(POSTGRESQL_WRITERS)))


@asynccontextmanager
async def taking_in(
    database: Database, on_accepted: Callable[[Sequence[Any]], None] = lambda _: None
) -> AsyncIterator[Intake]:
    """A running intake."""
    intake = Intake(database, KEYRING, CONTACT_HASH, on_accepted)
    task = asyncio.create_task(intake.run())
    try:
        yield intake
    finally:
        intake.stop()
        await task


def application(
    customer_id: str = CUSTOMER,
    *,
    repeat: IdempotencyKey | None = None,
    resource: tuple[str, ...] = ("OBJ1",),
    more_steps: tuple[PlannedStep, ...] = (),
    body: Mapping[str, Any] = BODY,
) -> NewSubmission:
    """An interest as a new submission."""
    steps = (PlannedStep(Operation.INTEREST, resource, body), *more_steps)
    return submission(Operation.INTEREST, *steps, customer_id=customer_id, resource=resource, body=body, repeat=repeat)


def submission(
    operation: Operation,
    *steps: PlannedStep,
    customer_id: str = CUSTOMER,
    resource: tuple[str, ...] = (),
    body: Mapping[str, Any] = BODY,
    repeat: IdempotencyKey | None = None,
) -> NewSubmission:
    """A new submission as the web layer hands it over."""
    now = datetime.now(UTC)
    return NewSubmission(
        id=new_id(now),
        customer_id=customer_id,
        operation=operation,
        resource=resource,
        language="sv",
        received_at=now,
        application=replace(
            stored(body), bodies=tuple(step.body for step in steps), resources=tuple(step.resource for step in steps)
        ),
        contacts={"email": "anna@example.se", "phone": "+46701740605"},
        steps=steps,
        repeat=repeat,
    )


def stored(body: Mapping[str, Any] = BODY, marketing: Marketing = NO_MARKETING, estate: str = "") -> StoredApplication:
    """A stored application."""
    return StoredApplication((), body, SubmissionContext(False, None, marketing), estate=estate)


def marked(key: bytes, content: bytes = b"content", lifetime: timedelta = timedelta(minutes=10)) -> IdempotencyKey:
    return IdempotencyKey(key, content, lifetime)


def later(new: NewSubmission, by: timedelta) -> NewSubmission:
    """The same content in a later post."""
    return replace(new, id=new_id(datetime.now(UTC)), received_at=new.received_at + by)


def again(new: NewSubmission) -> NewSubmission:
    return later(new, timedelta(seconds=1))


async def store(database: Database, *new: NewSubmission) -> None:
    async with taking_in(database) as intake:
        for new_submission in new:
            await intake.accept(new_submission)


def ids(database: Database) -> list[str]:
    """The ids of all submissions as another connection sees them: only those committed."""
    with database.engine.connect() as connection:
        return list(connection.execute(select(submissions.c.id)).scalars())


async def submission_of(database: Database, submission_id: str) -> Submission:
    saved = await SubmissionRepository(database, KEYRING).get(submission_id)
    assert saved is not None
    return saved


async def row_of(database: Database, submission_id: str) -> Row[Any]:
    return await database.read(lambda c: c.execute(select(submissions).where(submissions.c.id == submission_id)).one())


async def attempts_of(database: Database, submission_id: str) -> list[Row[Any]]:
    of_submission = select(attempts).where(attempts.c.submission_id == submission_id).order_by(attempts.c.id)
    return await database.read(lambda connection: list(connection.execute(of_submission)))


def logins_of(database: Database, probe: timedelta = 5 * MINUTE, outage: timedelta = timedelta(0)) -> CircuitBreaker:
    return CircuitBreaker(database, RESOURCE_HASH, probe, outage)


def outbox_of(database: Database, lease: timedelta = MINUTE, logins: CircuitBreaker | None = None) -> Outbox:
    return Outbox(database, KEYRING, logins or logins_of(database), lease, timedelta(seconds=5))


async def claim_one(outbox: Outbox, customer_id: str = CUSTOMER) -> Claim:
    (claim,) = await outbox.claim_due({customer_id: 1}, 1)
    return claim


async def soon(condition: Callable[[], Awaitable[T | None]], *, within: float = 30) -> T:
    """The first true value of `condition`."""
    deadline = asyncio.get_running_loop().time() + within
    while not (value := await condition()):
        assert asyncio.get_running_loop().time() < deadline, f"did not come true within {within} s"
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)
    return value


async def time_passes(database: Database, by: timedelta) -> None:
    """Simulates the passing of time: shifts all times in the database into the past."""

    def work(connection: Connection) -> None:
        for table in (submissions, steps, attempts, logins):
            for column in table.c:
                if not isinstance(column.type, UtcDateTime):
                    continue
                for (moment,) in connection.execute(select(column).distinct()).all():
                    if moment is not None:
                        moved = update(table).where(column == moment).values({column.name: moment - by})
                        connection.execute(moved)

    await database.write(work)
