"""Generates a database as after years of use: three months of submissions, 2 % of them stuck, and their counts."""

import random
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Engine, insert

from app.bootstrap.services import prepare_database
from app.config.settings import Settings
from app.domain.campaigns import Campaign
from app.domain.submission import Operation, Status
from app.operations.registry import group_of
from app.statistics.daily_counts import Counted, Timed, add, add_times, day_of
from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad
from app.storage.encryption import KeyedHash, Keyring
from app.storage.migrations import upgrade
from app.storage.schema import HOW_FAR, person_index, steps, submissions
from benchmarks.empty_application import EMPTY

DAYS = 90
BATCH = 5_000
SEARCHED_EMAIL = "anna@example.se"  # in five submissions
CAMPAIGNS = [
    Campaign(source, medium, f"vecka-{week}")
    for source, medium in (("google", "cpc"), ("facebook", "social"), ("nyhetsbrev", "email"))
    for week in range(6)
]


def fill(settings: Settings, rows: int) -> None:
    """Fills the settings' database, which must be empty or not exist."""
    database = Database(settings.database_url.get_secret_value())
    upgrade(database)
    prepare_database(database)
    generator = _Generator(settings, rows)
    engine = database.engine
    for start in range(0, rows, BATCH):
        generator.insert_batch(engine, start, min(rows, start + BATCH))
    with engine.begin() as connection:
        generator.insert_counts(connection)
    with closing(engine.raw_connection()) as connection:  # VACUUM can't run in a transaction
        connection.cursor().execute("ANALYZE" if database.is_sqlite else "VACUUM ANALYZE")
    database.close()


class _Generator:
    """Generates submissions, evenly spread over the last `DAYS` days."""

    def __init__(self, settings: Settings, rows: int) -> None:
        self._rng = random.Random(1)
        self._customers = [customer.id for customer in settings.customers]
        self._rows = rows
        self._start = datetime.now(UTC) - timedelta(days=DAYS)
        self._interval = timedelta(days=DAYS) / rows
        self._contacts = KeyedHash(settings.secret_key.get_secret_value(), "contacts")
        payload = EMPTY.to_json() | {"application": {"firstName": "Anna"}, "more": "x" * 300}
        self._keyring, self._payload = Keyring(settings.encryption_keys), payload
        self._encrypted = self._keyring.encrypt(payload, payload_aad(""))
        self._received: Counter[Counted] = Counter()
        self._delivered: Counter[Counted] = Counter()
        self._times: Counter[Timed] = Counter()

    def insert_batch(self, engine: Engine, start: int, end: int) -> None:
        rows, step_rows, hashes = [], [], []
        for number in range(start, end):
            at = self._start + self._interval * number
            submission_id = str(UUID(int=(int(at.timestamp() * 1000) << 80) | 0x7 << 76 | number))
            row = self._row(submission_id, at, number)
            rows.append(row)
            step_rows.append(
                {
                    "submission_id": submission_id,
                    "position": 0,
                    "operation": row["operation"],
                    "resource": row["resource"],
                    "status": row["step"],
                    "attempts": 1,
                }
            )
            hashes.append({"hash": row["email_hash"], "submission_id": submission_id})
        for row in rows:
            del row["step"]
        with engine.begin() as connection:
            connection.execute(insert(submissions), rows)
            connection.execute(insert(steps), step_rows)
            connection.execute(insert(person_index), sorted(hashes, key=lambda row: str(row["hash"])))
            if end == self._rows:
                connection.execute(insert(person_index), [{"hash": HOW_FAR, "submission_id": rows[-1]["id"]}])

    def _row(self, submission_id: str, at: datetime, number: int) -> dict[str, object]:
        rng = self._rng
        customer, home = rng.choice(self._customers), f"OBJ{rng.randrange(60)}"
        operation = Operation.VIEWING if number % 3 == 0 else Operation.INTEREST
        status = Status.DELIVERED
        if number % 50 == 0:
            status = rng.choice((Status.REJECTED, Status.FAILED, Status.UNCERTAIN, Status.HELD))
        if number > self._rows - 20:
            status = Status.PENDING
        day = day_of(at)
        counted = Counted(day, customer, operation.value, home, rng.choice(CAMPAIGNS))
        self._received[counted] += 1
        if status is Status.DELIVERED:
            self._delivered[counted] += 1
            self._times[Timed(day, customer, operation.value, rng.randrange(-8, 20))] += 1
        contact = SEARCHED_EMAIL if number % (self._rows // 5) == 7 else f"person{number}@example.se"
        payload = (
            self._keyring.encrypt(self._payload, payload_aad(submission_id))
            if contact == SEARCHED_EMAIL
            else self._encrypted
        )
        pending = status is Status.PENDING
        return {
            "id": submission_id,
            "customer_id": customer,
            "operation": operation.value,
            "resource": home,
            "status": status.value,
            "language": "sv",
            "received_at": at,
            "delivery_since": at,
            "settled_at": None if pending else at + timedelta(seconds=1),
            "payload": payload,
            "email_hash": self._contacts.digest(contact),
            "function_group": group_of(operation).value,
            "due_at": at if pending else None,
            "step": "waiting" if pending or status is Status.HELD else status.value,
        }

    def insert_counts(self, connection: Connection) -> None:
        add(connection, "submissions", self._received)
        add(connection, "delivered", self._delivered)
        add(connection, "views", Counter({counted: count * 20 for counted, count in self._received.items()}))
        add_times(connection, self._times)
