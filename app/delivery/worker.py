"""The loop: claim what is due and there is room for, deliver it, wait, stop."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import structlog

from app.delivery.deliver import Deliverer
from app.domain.submission import GROUPS, FunctionGroup
from app.storage.database import StoreUnavailable
from app.storage.outbox import Claim, Lane, LeaseLost, Outbox
from app.vitec.pauses import Pauses

log = structlog.get_logger()

POLL_SECONDS = 1.0
STOP_SECONDS = 25.0


class Worker:
    """At most `concurrency` calls at once and `concurrency_per_customer` for one: a hanging office starves none."""

    def __init__(
        self,
        outbox: Outbox,
        deliverer: Deliverer,
        customers: Sequence[str],
        *,
        concurrency: int,
        concurrency_per_customer: int,
        lease: timedelta,
        pauses: Pauses,
    ) -> None:
        self._outbox = outbox
        self._deliverer = deliverer
        self._customers = customers
        self._concurrency = concurrency
        self._per_customer = concurrency_per_customer
        self._lease = lease
        self._pauses = pauses
        self._running: dict[asyncio.Task[None], str] = {}
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self._claim()
            except StoreUnavailable as error:
                log.error("store unavailable", detail=str(error))
            except Exception:  # a fault of ours in one round must not end all delivery
                log.exception("claiming failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
        await self._drain()

    def stop(self) -> None:
        """No more claims; what is in flight is finished."""
        self._stopping = True
        self._wake.set()

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_SECONDS)
        for task in self._running:  # the lease runs out and the step, marked as sending, is ambiguous
            task.cancel()

    async def _claim(self) -> None:
        free = self._concurrency - len(self._running)
        for claim in await self._outbox.claim_due(self._room(), free) if free else ():
            self._pauses.tried((claim.customer_id, GROUPS[claim.steps[0].operation]))
            task = asyncio.create_task(self._deliver(claim))
            self._running[task] = claim.customer_id
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()

    def _room(self) -> dict[Lane, int]:
        """Places for each customer's function groups; of a paused one a single place, when it is time for a probe."""
        busy = Counter(self._running.values())
        room = {}
        for customer in random.sample(self._customers, len(self._customers)):  # nobody is always last in line
            free = self._per_customer - busy[customer]
            for group in FunctionGroup:
                places = min(free, self._pauses.places((customer, group), free))
                if places > 0:
                    room[customer, group] = places
        return room

    async def _deliver(self, claim: Claim) -> None:
        heartbeat = asyncio.create_task(self._heartbeat(claim))
        try:
            await self._deliverer.deliver(claim)
        except (LeaseLost, StoreUnavailable) as lost:
            log.error("claim lost", submission=claim.id, customer=claim.customer_id, detail=type(lost).__name__)
        except Exception:  # the lease runs out, and the submission is due again
            log.exception("delivery failed", submission=claim.id, customer=claim.customer_id)
        finally:
            heartbeat.cancel()

    async def _heartbeat(self, claim: Claim) -> None:
        """Renews the lease while the work runs; one that is lost is found by the fence when the work is recorded."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await self._outbox.renew(claim)
            except LeaseLost:
                return
            except StoreUnavailable:
                continue
