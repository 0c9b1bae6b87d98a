"""Claiming: due submissions get a token and a lease, and their first step is marked as being sent.

One transaction claims for all credentials. Its cost grows with the number of customers that have something outstanding,
not with the length of their backlogs.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import shuffle
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row

from app.delivery import statements
from app.delivery.circuit_breaker import CircuitBreaker, capacity
from app.delivery.claims import Claim, CredentialKey, Lease
from app.delivery.decryption import DecryptedSubmission, claimed_step, decrypt_submission, interrupted
from app.delivery.unreadable_submissions import set_aside
from app.domain.submission import FunctionGroup, Operation
from app.storage.clock import ALARMS_AFTER, is_steady
from app.storage.column_types import moment_of
from app.storage.database import began_of, now_of
from app.storage.encryption import Keyring

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Claiming:
    """`patience` is how long a caller may wait. Submissions that have been due for less than that are claimed first."""

    def __init__(
        self, keyring: Keyring, circuit_breaker: CircuitBreaker, lease: timedelta, patience: timedelta
    ) -> None:
        self._keyring = keyring
        self._circuit_breaker = circuit_breaker
        self._lease = lease
        self._patience = patience

    def is_due(self, connection: Connection, customers: Collection[str]) -> bool:
        """Whether any submission of these customers can be claimed now."""
        now, logins = now_of(connection), self._circuit_breaker.rows(connection)
        return any(
            capacity(logins.get(credential), 1, now) for credential, _ in _due_credentials(connection, customers, now)
        )

    def claim(
        self, connection: Connection, room: Mapping[str, int], limit: int, in_flight: Mapping[str, Sequence[str]]
    ) -> list[Claim]:
        """As `Outbox.claim_due`."""
        now, logins = now_of(connection), self._circuit_breaker.rows(connection)
        credentials, left = _due_credentials(connection, room, now), dict(room)
        shuffle(credentials)  # otherwise the same customer might always be last
        rows: list[Row[Any]] = []
        probes: set[str] = set()
        for credential, due_since in credentials:
            customer, login = credential[0], logins.get(credential)
            usual = min(left[customer], limit - len(rows))
            number = capacity(login, usual, now)
            if not number:
                continue
            if login is not None and login.paused_at is not None:
                taken, is_probe = self._probe(connection, credential, now, in_flight.get(customer, ()))
                probes |= {row.id for row in taken if is_probe}
            else:
                taken = self._next(connection, credential, number, due_since, now, in_flight.get(customer, ()))
            left[customer] -= len(taken)
            rows += taken
        return self._begun(connection, rows, probes, now)

    def _next(
        self,
        connection: Connection,
        credential: CredentialKey,
        number: int,
        due_since: datetime,
        now: datetime,
        others: Sequence[str],
    ) -> Sequence[Row[Any]]:
        recent = now - self._patience
        taken = self._take(connection, credential, number, now, since=recent, others=others)
        if len(taken) < number and due_since <= recent:
            taken = [
                *taken,
                *self._take(connection, credential, number - len(taken), now, due_by=recent, others=others),
            ]
        return taken

    def _probe(
        self, connection: Connection, credential: CredentialKey, now: datetime, in_flight: Sequence[str]
    ) -> tuple[Sequence[Row[Any]], bool]:
        """Takes at most one submission, among all processes, to try a paused login; also returns whether it is a probe.
        If possible it is another submission than the last time. A submission that Vitec has forbidden is not a probe,
        and is taken only if no other is due."""
        login = self._circuit_breaker.lock_for_probe(connection, credential, now)
        if login is None:
            return [], False
        others = [*in_flight, login.probed] if login.probed else in_flight
        taken = self._take(connection, credential, 1, now, others=others, forbidden=False)
        taken = taken or self._take(connection, credential, 1, now, others=in_flight, forbidden=False)
        for row in taken:
            self._circuit_breaker.record_probe(connection, credential, row.id, now)
        if taken or not self._circuit_breaker.may_probe_with_forbidden(login, now):
            return taken, True
        taken = self._take(connection, credential, 1, now, others=others, forbidden=True)
        taken = taken or self._take(connection, credential, 1, now, others=in_flight, forbidden=True)
        for row in taken:
            self._circuit_breaker.record_forbidden_probe(connection, credential, row.id, now)
        return taken, False

    def _take(
        self,
        connection: Connection,
        credential: CredentialKey,
        number: int,
        now: datetime,
        *,
        since: datetime = LONG_AGO,
        due_by: datetime | None = None,
        others: Sequence[str] = (),
        forbidden: bool | None = None,
    ) -> Sequence[Row[Any]]:
        values = {
            "of_customer": credential[0],
            "of_group": credential[1].value,
            "of_since": since,
            "of_now": due_by or now,
            "limit": number,
            "claim": str(uuid4()),
            "due_at": now + self._lease,
            **{f"of_other_{index}": other for index, other in enumerate(others)},
        }
        return statements.claim(len(others), forbidden=forbidden).rows(connection, values)

    def _begun(self, connection: Connection, rows: Sequence[Row[Any]], probes: set[str], now: datetime) -> list[Claim]:
        began = began_of(connection)
        steps_of = statements.steps_of(connection, [row.id for row in rows])
        claims = []
        for row in rows:
            try:
                decrypted = self._decrypted(row, steps_of[row.id])
            except Exception as error:  # one bad submission must not stop the others
                set_aside(connection, row, steps_of[row.id], now, error)
                continue
            since = moment_of(row.delivery_since, connection.dialect)
            assert since is not None  # the column is never empty
            claims.append(
                Claim(
                    row.id,
                    row.claim,
                    row.customer_id,
                    decrypted.operation,
                    since,
                    decrypted.steps,
                    decrypted.results,
                    row.id in probes,
                    Lease(began + self._lease.total_seconds()),
                    _age(connection, since, now),
                    began,
                )
            )
        _begin(connection, [claim for claim in claims if not claim.steps[0].interrupted], now)
        return claims

    def _decrypted(self, row: Row[Any], steps: Sequence[Any]) -> DecryptedSubmission:
        """The decrypted submission. If that fails and a call was interrupted, only the step of that call, so that its
        outcome is recorded anyway."""
        try:
            return decrypt_submission(self._keyring, row, steps)
        except Exception:
            if (step := interrupted(steps)) is None:
                raise
            return DecryptedSubmission(Operation(row.operation), (claimed_step(step, (), {}),), {})


def _begin(connection: Connection, claims: Sequence[Claim], now: datetime) -> None:
    """Marks the first step of each as being sent. This is committed before the calls."""
    begun = [
        {"of_submission": claim.id, "begun_position": claim.steps[0].position, "started_at": now} for claim in claims
    ]
    statements.BEGIN.execute_all(connection, begun)


def _age(connection: Connection, since: datetime, now: datetime) -> timedelta:
    """How long the submission has been tried. Zero while the clock is in doubt, so that nothing is given up because a
    clock jumped."""
    age = now - since
    return age if age < ALARMS_AFTER or is_steady(connection, ALARMS_AFTER) else timedelta(0)


def _due_credentials(
    connection: Connection, customers: Collection[str], now: datetime
) -> list[tuple[CredentialKey, datetime]]:
    """These customers' credentials that have something due, with the time since when."""
    credentials = []
    for row in statements.OLDEST_DUE.rows(connection, {}):
        due_at = moment_of(row.due_at, connection.dialect)
        if due_at is not None and due_at <= now and row.id in customers:
            credentials.append(((row.id, FunctionGroup(row.name)), due_at))
    return credentials
