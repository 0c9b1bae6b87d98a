"""A circuit breaker for each customer's login, shared by every process that uses the database.

    401                               paused (open)
    403 for three different things    paused (a single one proves nothing: a visitor's address can name anything)
    Vitec unreachable                 not paused; the first success makes the backlog due at once

While a login is paused, one submission tries it (half-open) every `probe`, whichever process runs it; no other
submission uses it. The first success deletes the login's row (closed).

To avoid deadlocks, every transaction locks rows in the same order: first logins by their key, then submissions by login
and id. There are two exceptions, which never wait for a lock while they hold one: claims lock submissions first, and
key rotation and the person index lock submissions by id alone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, Update, bindparam, delete, exists, select, update

from app.delivery.claims import CredentialKey, Signal
from app.delivery.statements import WAS_FORBIDDEN
from app.domain.submission import FunctionGroup
from app.storage import elapsed
from app.storage.conflict_insert import conflict_insert
from app.storage.database import READ_SECONDS, WRITE_SECONDS, Database, now_of
from app.storage.driver.compiled import Prepared
from app.storage.encryption import KeyedHash
from app.storage.schema import logins, submissions

FORBIDDEN_IN_A_ROW = 3
SETTLES_SECONDS = WRITE_SECONDS + READ_SECONDS  # no transaction begun before is still under way then

log = structlog.get_logger()


def _update_by_id(*conditions: ColumnElement[bool]) -> Update:
    """An update of submissions that locks them in the order of their ids."""
    ids = select(submissions.c.id).where(*conditions).order_by(submissions.c.id).with_for_update()
    return update(submissions).where(submissions.c.id.in_(ids.correlate(None)))


_IS_LOGIN = (logins.c.customer_id == bindparam("of_customer")) & (logins.c.function_group == bindparam("of_group"))
_ALL = select(logins)
_ANY = Prepared(select(logins.c.customer_id).limit(1))
_LOGIN = select(logins).where(_IS_LOGIN)
_LOCKED = _LOGIN.with_for_update()
_UNDER_WAY = exists().where(
    submissions.c.id == logins.c.probed, submissions.c.claim.is_not(None), submissions.c.due_at > bindparam("of_now")
)
_MAY_PROBE = (logins.c.probe_at <= bindparam("of_now")) & ~_UNDER_WAY
# Locks the row until the end of the transaction. A claim never waits: a row that is locked already is skipped.
_PROBE_LOCK = _LOGIN.with_for_update(skip_locked=True).where(_MAY_PROBE)
_PROBE = update(logins).where(_IS_LOGIN, _MAY_PROBE)
# Time spent waiting for a paused login does not count towards a submission's age, which starts again now. Submissions
# that Vitec has forbidden did not wait for the login, so they keep their age.
_RESUME = _update_by_id(
    submissions.c.customer_id == bindparam("of_customer"),
    submissions.c.function_group == bindparam("of_group"),
    submissions.c.due_at.is_not(None),
    ~WAS_FORBIDDEN,
).values(delivery_since=bindparam("moment"))
# They become due in order of arrival, and after those that a caller waits for.
_BRING_BACK = _update_by_id(
    submissions.c.customer_id == bindparam("of_customer"),
    submissions.c.due_at > bindparam("of_now"),
    submissions.c.at_recovery,
    submissions.c.claim.is_(None),
).values(due_at=submissions.c.received_at, at_recovery=False)


class _Recorded:
    """The credentials that have a row, as far as this process knows: a success is recorded only for them. One that was
    added stays for `SETTLES_SECONDS` even if no row is found, because whoever looked may not have seen its transaction
    yet. It is not taken out with its row, because that transaction may have to be repeated. Used by all of the
    database's threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: frozenset[CredentialKey] = frozenset()
        self._added: dict[CredentialKey, float] = {}  # with the time, by `elapsed.seconds`

    def __contains__(self, credential: CredentialKey) -> bool:
        return credential in self._found or credential in self._added

    def __bool__(self) -> bool:
        return bool(self._found or self._added)

    def add(self, credential: CredentialKey) -> None:
        with self._lock:
            self._added[credential] = elapsed.seconds()

    def have_found(self, credentials: Iterable[CredentialKey]) -> None:
        """These have a row, and no others."""
        with self._lock:
            self._found = frozenset(credentials)
            self._added = {credential: at for credential, at in self._added.items() if not _is_settled(at)}

    def have_missed(self, credential: CredentialKey) -> None:
        """It has no row."""
        with self._lock:
            if credential in self._added and _is_settled(self._added[credential]):
                del self._added[credential]


def _is_settled(at: float) -> bool:
    return at <= elapsed.seconds() - SETTLES_SECONDS


class CircuitBreaker:
    """`probe` is the time between two tries of a paused login. `outage` is how long Vitec must have been unreachable
    for its first success to make the backlog due; after a shorter outage the ordinary retries suffice."""

    def __init__(self, database: Database, resource_hash: KeyedHash, probe: timedelta, outage: timedelta) -> None:
        self._database = database
        self._resource_hash = resource_hash
        self._probe = probe
        self._outage = outage
        self._recorded = _Recorded()

    async def may_read(self, credential: CredentialKey) -> bool:
        """Whether a lookup may call Vitec now. If the login is paused, only as its probe. Raises
        `StoreUnavailableError`."""
        if not await self._database.read(lambda connection: self._is_paused(connection, credential)):
            return True
        return await self._database.write(lambda connection: self._try(connection, credential))

    async def record_lookup(self, credential: CredentialKey, signal: Signal) -> None:
        """Records the signal of a lookup, which delivers nothing. Raises `StoreUnavailableError`."""

        def work(connection: Connection) -> None:
            self.lock(connection, credential, signal)
            self.record(connection, credential, signal, now_of(connection))

        if self.changes(credential, signal):
            await self._database.write(work)

    def changes(self, credential: CredentialKey, signal: Signal) -> bool:
        """Whether the signal must be written. A success need not, unless the login has a row."""
        return signal is not Signal.LET_IN or credential in self._recorded

    def lock(self, connection: Connection, credential: CredentialKey, signal: Signal) -> None:
        """Locks the login until the end of the transaction if the signal must be written, so that `record` need not
        wait."""
        if not self.changes(credential, signal):
            return
        if signal is Signal.AWAY:  # every attempt in a backlog signals this; only the first changes the row
            row = connection.execute(_LOGIN, _where(credential)).one_or_none()
            if row is not None and row.away_since is not None:
                return
        if signal is not Signal.LET_IN:  # several processes may signal at once: there must be a row to lock
            self._ensure(connection, credential)
        connection.execute(_LOCKED, _where(credential)).one_or_none()

    def rows(self, connection: Connection) -> dict[CredentialKey, Row[Any]]:
        """The rows of logins that are paused, or have signals that may lead to a pause."""
        if not _ANY.rows(connection, {}):  # the usual case
            self._recorded.have_found(())
            return {}
        rows = {(row.customer_id, FunctionGroup(row.function_group)): row for row in connection.execute(_ALL)}
        self._recorded.have_found(rows)
        return rows

    def is_paused(self, connection: Connection, credential: CredentialKey) -> bool:
        """Whether the login is paused. Without a query while this process knows of no row."""
        return bool(self._recorded) and self._is_paused(connection, credential)

    def lock_for_probe(self, connection: Connection, credential: CredentialKey, now: datetime) -> Row[Any] | None:
        """The paused login's row if it may be tried now, else None. The row is locked until the end of the
        transaction."""
        return connection.execute(_PROBE_LOCK, _where(credential) | {"of_now": now}).one_or_none()

    def record_probe(self, connection: Connection, credential: CredentialKey, submission: str, now: datetime) -> None:
        """The login is being tried. The next probe is due one interval from now, whatever the outcome of this one."""
        self._set(connection, credential, probe_at=now + self._probe, probed=submission)

    def may_probe_with_forbidden(self, row: Row[Any], now: datetime) -> bool:
        """Whether the probe is overdue by a whole interval. Only then may it be made with a submission that has been
        forbidden before."""
        return bool(row.probe_at + self._probe <= now)

    def record_forbidden_probe(
        self, connection: Connection, credential: CredentialKey, submission: str, now: datetime
    ) -> None:
        """As `record_probe`, with a submission that has been forbidden before. The next probe is not postponed: a new
        submission may try at once."""
        self._set(connection, credential, probe_at=now, probed=submission)

    def record(
        self,
        connection: Connection,
        credential: CredentialKey,
        signal: Signal,
        now: datetime,
        resource: Sequence[str] = (),
        submission: str | None = None,
    ) -> None:
        """Records what an attempt implies about the login. `resource` is what the call named, `submission` the one that
        made it. Call `lock` first."""
        row = connection.execute(_LOGIN, _where(credential)).one_or_none()
        if signal is Signal.LET_IN:
            self._let_in(connection, credential, row, now)
            return
        self._recorded.add(credential)
        if signal is Signal.AWAY:
            if row is None or row.away_since is None:
                self._set(connection, credential, away_since=now)
        elif signal is Signal.REFUSED:
            self._pause(connection, credential, row, "refused", now, submission)
        elif row is None or row.paused_at is None:
            self._forbidden(connection, credential, row, now, "/".join(resource), submission)

    def _let_in(self, connection: Connection, credential: CredentialKey, row: Row[Any] | None, now: datetime) -> None:
        if row is None:
            return
        connection.execute(delete(logins).where(_IS_LOGIN), _where(credential))
        if row.paused_at is not None:
            log.info("login accepted again", customer=credential[0], function_group=credential[1].value)
            connection.execute(_RESUME, _where(credential) | {"moment": now})
        away = row.away_since is not None and now - row.away_since >= self._outage
        if away or row.paused_at is not None:
            connection.execute(_BRING_BACK, {"of_customer": credential[0], "of_now": now})

    def _forbidden(
        self,
        connection: Connection,
        credential: CredentialKey,
        row: Row[Any] | None,
        now: datetime,
        resource: str,
        submission: str | None,
    ) -> None:
        before = (row.forbidden or "").split() if row else []
        resources = {*before, self._resource_hash.digest(resource).hex()}
        if len(resources) >= FORBIDDEN_IN_A_ROW:
            self._pause(connection, credential, row, "forbidden", now, submission)
        elif len(resources) > len(before):
            self._set(connection, credential, forbidden=" ".join(sorted(resources)))

    def _pause(
        self,
        connection: Connection,
        credential: CredentialKey,
        row: Row[Any] | None,
        reason: str,
        now: datetime,
        submission: str | None,
    ) -> None:
        paused_at = row.paused_at if row else None
        if paused_at is None:  # not at each probe, for a week
            log.error("login paused", customer=credential[0], function_group=credential[1].value, detail=reason)
        paused = {"paused_at": paused_at or now, "reason": reason, "probe_at": now + self._probe, "probed": submission}
        self._set(connection, credential, **paused)

    def _set(self, connection: Connection, credential: CredentialKey, **values: Any) -> None:
        row = {"customer_id": credential[0], "function_group": credential[1].value, **values}
        upsert = conflict_insert(connection, logins).values(row)
        connection.execute(upsert.on_conflict_do_update(index_elements=logins.primary_key, set_=values))

    def _ensure(self, connection: Connection, credential: CredentialKey) -> None:
        row = {"customer_id": credential[0], "function_group": credential[1].value}
        connection.execute(conflict_insert(connection, logins).values(row).on_conflict_do_nothing())

    def _is_paused(self, connection: Connection, credential: CredentialKey) -> bool:
        row = connection.execute(_LOGIN, _where(credential)).one_or_none()
        if row is None:
            self._recorded.have_missed(credential)
            return False
        self._recorded.add(credential)
        return row.paused_at is not None

    def _try(self, connection: Connection, credential: CredentialKey) -> bool:
        now = now_of(connection)
        probe = connection.execute(_PROBE, _where(credential) | {"of_now": now, "probe_at": now + self._probe})
        return probe.rowcount == 1


def capacity(row: Row[Any] | None, usual: int, now: datetime) -> int:
    """How many submissions may use a login at once: `usual`; none while it is paused; one when a probe is due."""
    if row is None or row.paused_at is None:
        return usual
    return min(usual, int(row.probe_at <= now))


def _where(credential: CredentialKey) -> dict[str, Any]:
    return {"of_customer": credential[0], "of_group": credential[1].value}
