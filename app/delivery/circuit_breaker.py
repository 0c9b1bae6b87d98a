"""A circuit breaker for each customer's login, shared by every process on the database.

    401                               paused (open)
    403 for three different things    paused (one alone says nothing: a visitor's address can name anything)
    Vitec away                        not paused; the first success brings what waits for it back

A paused login is tried (half-open) by one submission every `probe`, whichever process has it, and used by no other.
Its row goes with the first success (closed).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.delivery.claims import CredentialKey, Signal
from app.delivery.statements import WAS_FORBIDDEN
from app.domain.submission import FunctionGroup
from app.storage.database import Database, now_of
from app.storage.driver.compiled import Prepared
from app.storage.encryption import KeyedHash
from app.storage.schema import logins, submissions

FORBIDDEN_IN_A_ROW = 3

log = structlog.get_logger()

_OF_LOGIN = (logins.c.customer_id == bindparam("of_customer")) & (logins.c.function_group == bindparam("of_group"))
_ALL = select(logins)
_ANY = Prepared(select(logins.c.customer_id).limit(1))
_ONE = select(logins).where(_OF_LOGIN)
_LOCKED = _ONE.with_for_update()
_UNDER_WAY = exists().where(
    submissions.c.id == logins.c.probed, submissions.c.claim.is_not(None), submissions.c.due_at > bindparam("of_now")
)
_MAY_PROBE = (logins.c.probe_at <= bindparam("of_now")) & ~_UNDER_WAY
# Whoever has it, no other has until the transaction's end, and then its conditions are looked at anew.
_TURN = _LOCKED.where(_MAY_PROBE)
_TRY = update(logins).where(_OF_LOGIN, _MAY_PROBE)
# What waits for the pause's end has spent no time either: what it may take is counted from now. But what Vitec gives no
# access to has waited for itself.
_RESUME = (
    update(submissions)
    .where(
        submissions.c.customer_id == bindparam("of_customer"),
        submissions.c.function_group == bindparam("of_group"),
        submissions.c.due_at.is_not(None),
        ~WAS_FORBIDDEN,
    )
    .values(delivery_since=bindparam("moment"))
)
_BRING_BACK = (
    update(submissions)
    .where(
        submissions.c.customer_id == bindparam("of_customer"),
        submissions.c.due_at > bindparam("of_now"),
        submissions.c.at_recovery,
        submissions.c.claim.is_(None),
    )
    # In the order in which they came, and behind whatever someone waits for.
    .values(due_at=submissions.c.received_at, at_recovery=False)
)


class CircuitBreaker:
    """`probe` is how long a paused login rests; `outage` is how long Vitec must have been away for its first success to
    bring the backlog back (a blip is outlived by the ordinary waits)."""

    def __init__(self, database: Database, resource_hash: KeyedHash, probe: timedelta, outage: timedelta) -> None:
        self._database = database
        self._resource_hash = resource_hash
        self._probe = probe
        self._outage = outage
        self._troubled: set[CredentialKey] = set()

    async def may_read(self, lane: CredentialKey) -> bool:
        """Whether a look-up may go now: always, but for a paused login, which it may at most probe.
        Raises `StoreUnavailableError`."""
        if not await self._database.read(lambda connection: self._is_paused(connection, lane)):
            return True
        return await self._database.write(lambda connection: self._try(connection, lane))

    async def tell(self, lane: CredentialKey, news: Signal) -> None:
        """Of a call that delivers nothing. Raises `StoreUnavailableError`."""
        if self.matters(lane, news):
            await self._database.write(lambda connection: self.told(connection, lane, news, now_of(connection)))

    def matters(self, lane: CredentialKey, news: Signal) -> bool:
        """Whether there is anything to write: that all is well is the rule."""
        return news is not Signal.LET_IN or lane in self._troubled

    def all(self, connection: Connection) -> dict[CredentialKey, Row[Any]]:
        """Each login with something to know of."""
        if not _ANY.rows(connection, {}):  # the rule
            self._troubled = set()
            return {}
        rows = {(row.customer_id, FunctionGroup(row.function_group)): row for row in connection.execute(_ALL)}
        self._troubled = set(rows)
        return rows

    def rests(self, connection: Connection, lane: CredentialKey) -> bool:
        return bool(self._troubled) and self._is_paused(connection, lane)

    def turn(self, connection: Connection, lane: CredentialKey, now: datetime) -> Row[Any] | None:
        """The paused login's row, if it may be tried now; then by no other until the transaction's end."""
        return connection.execute(_TURN, _of(lane) | {"of_now": now}).one_or_none()

    def probed(self, connection: Connection, lane: CredentialKey, submission: str, now: datetime) -> None:
        """The one that tries: the next is a whole rest away, whatever becomes of this one."""
        self._set(connection, lane, probe_at=now + self._probe, probed=submission)

    def last_resort(self, row: Row[Any], now: datetime) -> bool:
        """Whether nothing has tried it for a rest longer than there need be: then what was forbidden before may."""
        return bool(row.probe_at + self._probe <= now)

    def tried_with_forbidden(self, connection: Connection, lane: CredentialKey, submission: str, now: datetime) -> None:
        """It takes no turn of what comes fresh: such a one may go at once."""
        self._set(connection, lane, probe_at=now, probed=submission)

    def told(
        self,
        connection: Connection,
        lane: CredentialKey,
        news: Signal,
        now: datetime,
        resource: Sequence[str] = (),
        submission: str | None = None,
    ) -> None:
        if news is Signal.FORBIDDEN:  # several may count at once: there must be a row to lock
            self._ensure(connection, lane)
        row = connection.execute(_LOCKED, _of(lane)).one_or_none()
        self._troubled.add(lane)
        if news is Signal.LET_IN:
            self._let_in(connection, lane, row, now)
        elif news is Signal.AWAY:
            if row is None or row.away_since is None:
                self._set(connection, lane, away_since=now)
        elif news is Signal.REFUSED:
            self._pause(connection, lane, row, "refused", now, submission)
        elif row is None or row.paused_at is None:
            self._forbidden(connection, lane, row, now, "/".join(resource), submission)

    def _let_in(self, connection: Connection, lane: CredentialKey, row: Row[Any] | None, now: datetime) -> None:
        self._troubled.discard(lane)
        if row is None:
            return
        connection.execute(delete(logins).where(_OF_LOGIN), _of(lane))
        if row.paused_at is not None:
            log.info("login accepted again", customer=lane[0], function_group=lane[1].value)
            connection.execute(_RESUME, _of(lane) | {"moment": now})
        away = row.away_since is not None and now - row.away_since >= self._outage
        if away or row.paused_at is not None:
            connection.execute(_BRING_BACK, {"of_customer": lane[0], "of_now": now})

    def _forbidden(
        self,
        connection: Connection,
        lane: CredentialKey,
        row: Row[Any] | None,
        now: datetime,
        resource: str,
        submission: str | None,
    ) -> None:
        before = (row.forbidden or "").split() if row else []
        seen = {*before, self._resource_hash.digest(resource).hex()}
        if len(seen) >= FORBIDDEN_IN_A_ROW:
            self._pause(connection, lane, row, "forbidden", now, submission)
        elif len(seen) > len(before):
            self._set(connection, lane, forbidden=" ".join(sorted(seen)))

    def _pause(
        self,
        connection: Connection,
        lane: CredentialKey,
        row: Row[Any] | None,
        reason: str,
        now: datetime,
        submission: str | None,
    ) -> None:
        since = row.paused_at if row and row.paused_at else now
        log.error("login paused", customer=lane[0], function_group=lane[1].value, detail=reason)
        paused = {"paused_at": since, "reason": reason, "probe_at": now + self._probe, "probed": submission}
        self._set(connection, lane, forbidden=None, **paused)

    def _set(self, connection: Connection, lane: CredentialKey, **values: Any) -> None:
        row = {"customer_id": lane[0], "function_group": lane[1].value, **values}
        upsert = _dialect(connection).insert(logins).values(row)
        connection.execute(upsert.on_conflict_do_update(index_elements=logins.primary_key, set_=values))

    def _ensure(self, connection: Connection, lane: CredentialKey) -> None:
        row = {"customer_id": lane[0], "function_group": lane[1].value}
        connection.execute(_dialect(connection).insert(logins).values(row).on_conflict_do_nothing())

    def _is_paused(self, connection: Connection, lane: CredentialKey) -> bool:
        row = connection.execute(_ONE, _of(lane)).one_or_none()
        if row is not None:
            self._troubled.add(lane)
        return row is not None and row.paused_at is not None

    def _try(self, connection: Connection, lane: CredentialKey) -> bool:
        now = now_of(connection)
        tried = connection.execute(_TRY, _of(lane) | {"of_now": now, "probe_at": now + self._probe})
        return tried.rowcount == 1


def _dialect(connection: Connection) -> Any:
    return sqlite if connection.dialect.name == "sqlite" else postgresql


def capacity(row: Row[Any] | None, usual: int, now: datetime) -> int:
    """How many submissions may use a login: the usual number, none while it is paused, one when it is time to try."""
    if row is None or row.paused_at is None:
        return usual
    return min(usual, int(row.probe_at <= now))


def _of(lane: CredentialKey) -> dict[str, Any]:
    return {"of_customer": lane[0], "of_group": lane[1].value}
