"""Claiming: what is due and may go gets a token and a lease, and its first step is marked as being sent.

One transaction does it for all lanes. Its cost follows from how many customers have something outstanding, and not
from how much there is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import shuffle
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row

from app.delivery import statements
from app.delivery.circuit_breaker import CircuitBreaker, capacity
from app.delivery.claims import Claim, ClaimedStep, CredentialKey, Lease
from app.delivery.opening import Opened, claimed_step, interrupted, open_submission
from app.delivery.unreadable_submissions import set_aside
from app.domain.submission import FunctionGroup, Operation
from app.storage.clock import ALARMS_AFTER, is_steady
from app.storage.column_types import moment_of
from app.storage.database import began_of, now_of
from app.storage.encryption import Keyring

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Claiming:
    """`patience` is how long a caller may wait: what has been due for less goes before what has been due for longer."""

    def __init__(self, keyring: Keyring, logins: CircuitBreaker, lease: timedelta, patience: timedelta) -> None:
        self._keyring = keyring
        self._logins = logins
        self._lease = lease
        self._patience = patience

    def is_due(self, connection: Connection, customers: Collection[str]) -> bool:
        """Whether there is anything for these customers that may go now."""
        now, known = now_of(connection), self._logins.all(connection)
        return any(capacity(known.get(lane), 1, now) for lane, _ in _lanes(connection, customers, now))

    def claim(
        self, connection: Connection, room: Mapping[str, int], most: int, in_flight: Mapping[str, Sequence[str]]
    ) -> list[Claim]:
        now, known = now_of(connection), self._logins.all(connection)
        lanes, left = _lanes(connection, room, now), dict(room)
        shuffle(lanes)  # nobody is always last in line
        rows: list[Row[Any]] = []
        probes: set[str] = set()
        for lane, head in lanes:
            customer, login = lane[0], known.get(lane)
            usual = min(left[customer], most - len(rows))
            number = capacity(login, usual, now)
            if not number:
                continue
            if login is not None and login.paused_at is not None:
                taken, is_probe = self._probe(connection, lane, now, in_flight.get(customer, ()))
                probes |= {row.id for row in taken if is_probe}
            else:
                taken = self._next(connection, lane, number, head, now, in_flight.get(customer, ()))
            left[customer] -= len(taken)
            rows += taken
        return list(self._begun(connection, rows, probes, now))

    def _next(
        self,
        connection: Connection,
        lane: CredentialKey,
        number: int,
        head: datetime,
        now: datetime,
        others: Sequence[str],
    ) -> Sequence[Row[Any]]:
        recent = now - self._patience
        taken = self._take(connection, lane, number, now, since=recent, others=others)
        if len(taken) < number and head <= recent:
            taken = [*taken, *self._take(connection, lane, number - len(taken), now, due_by=recent, others=others)]
        return taken

    def _probe(
        self, connection: Connection, lane: CredentialKey, now: datetime, in_flight: Sequence[str]
    ) -> tuple[Sequence[Row[Any]], bool]:
        """Whoever tries a paused login, at most one of all processes together, and whether it is a probe. Another one
        than the last time, unless there is no other; what Vitec gives no access to is none, and goes at its own pace
        where nothing else is there to try."""
        login = self._logins.turn(connection, lane, now)
        if login is None:
            return [], False
        others = [*in_flight, login.probed] if login.probed else in_flight
        taken = self._take(connection, lane, 1, now, others=others, forbidden=False)
        taken = taken or self._take(connection, lane, 1, now, others=in_flight, forbidden=False)
        for row in taken:
            self._logins.probed(connection, lane, row.id, now)
        if taken or not self._logins.last_resort(login, now):
            return taken, True
        taken = self._take(connection, lane, 1, now, others=others, forbidden=True)
        taken = taken or self._take(connection, lane, 1, now, others=in_flight, forbidden=True)
        for row in taken:
            self._logins.tried_with_forbidden(connection, lane, row.id, now)
        return taken, False

    def _take(
        self,
        connection: Connection,
        lane: CredentialKey,
        number: int,
        now: datetime,
        *,
        since: datetime = LONG_AGO,
        due_by: datetime | None = None,
        others: Sequence[str] = (),
        forbidden: bool | None = None,
    ) -> Sequence[Row[Any]]:
        values = {
            "of_customer": lane[0],
            "of_group": lane[1].value,
            "of_since": since,
            "of_now": due_by or now,
            "most": number,
            "claim": str(uuid4()),
            "due_at": now + self._lease,
            **{f"of_other_{number}": other for number, other in enumerate(others)},
        }
        return statements.claim(len(others), forbidden=forbidden).rows(connection, values)

    def _begun(
        self, connection: Connection, rows: Sequence[Row[Any]], probes: set[str], now: datetime
    ) -> Iterable[Claim]:
        began = began_of(connection)
        for row in rows:
            steps = statements.STEPS.rows(connection, {"of_submission": row.id})
            try:
                opened = self._opened(row, steps)
            except Exception as error:  # whatever is wrong with it: the others go on
                set_aside(connection, row, steps, now, error)
                continue
            since = moment_of(row.delivery_since, connection.dialect)
            assert since is not None  # the column is never empty
            claim = Claim(
                row.id,
                row.claim,
                row.customer_id,
                opened.operation,
                since,
                opened.steps,
                opened.results,
                row.id in probes,
                Lease(began + self._lease.total_seconds()),
                _age(connection, since, now),
                began,
            )
            if not claim.steps[0].interrupted:
                _begin(connection, claim, claim.steps[0], now)
            yield claim

    def _opened(self, row: Row[Any], steps: Sequence[Any]) -> Opened:
        """What became of a call that was interrupted is recorded even where nothing of it can be read."""
        try:
            return open_submission(self._keyring, row, steps)
        except Exception:
            if (step := interrupted(steps)) is None:
                raise
            return Opened(Operation(row.operation), (claimed_step(step, (), {}),), {})


def _begin(connection: Connection, claim: Claim, step: ClaimedStep, now: datetime) -> None:
    """Marks the step as being sent; the commit comes before the call."""
    begun = {"of_submission": claim.id, "begun_position": step.position, "started_at": now}
    statements.BEGIN.execute(connection, begun)


def _age(connection: Connection, since: datetime, now: datetime) -> timedelta:
    """Nothing is given up because a clock has jumped."""
    age = now - since
    return age if age < ALARMS_AFTER or is_steady(connection, ALARMS_AFTER) else timedelta(0)


def _lanes(connection: Connection, customers: Collection[str], now: datetime) -> list[tuple[CredentialKey, datetime]]:
    """Those of these customers that have something due, and since when."""
    lanes = []
    for row in statements.HEADS.rows(connection, {}):
        due_at = moment_of(row.due_at, connection.dialect)
        if due_at is not None and due_at <= now and row.id in customers:
            lanes.append(((row.id, FunctionGroup(row.name)), due_at))
    return lanes
