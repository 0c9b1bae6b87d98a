"""The delivery worker: claims due submissions as capacity allows, delivers them, and shuts down gracefully."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from app.delivery.claims import Claim, LeaseLostError
from app.delivery.deliverer import Deliverer
from app.delivery.lease_renewal import keep_renewing
from app.delivery.outbox import Outbox
from app.storage.database import StoreUnavailableError
from app.vitec.throttle import Throttle

log = structlog.get_logger()

HANGS_SECONDS = 2.0  # a delivery that takes longer counts as hanging
POLL_SECONDS = 0.1  # between two looks for submissions that another process has accepted
RETRY_SECONDS = 1.0  # between two tries while the database is unavailable
STOP_SECONDS = 20.0  # at a stop, the time for calls in flight to end by themselves
RECORD_SECONDS = 3.0  # then the time to record the outcomes of abandoned calls


class Worker:
    """Makes at most `concurrency` calls at once, not counting those that hang, and at most `concurrency_per_customer`
    for one customer, counting them. So hanging offices can't starve the others. `abandon` ends the calls in flight."""

    def __init__(
        self,
        outbox: Outbox,
        deliverer: Deliverer,
        customers: Sequence[str],
        *,
        concurrency: int,
        concurrency_per_customer: int,
        lease: timedelta,
        throttle: Throttle,
        abandon: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._deliverer = deliverer
        self._customers = customers
        self._concurrency = concurrency
        self._per_customer = concurrency_per_customer
        self._lease = lease
        self._throttle = throttle
        self._abandon = abandon
        self._running: dict[asyncio.Task[None], tuple[Claim, float]] = {}  # with its start, by the monotonic clock
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """Tells the worker that something may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Runs until `stop`."""
        drained = asyncio.create_task(self._drain())
        while not self._stopping.is_set():
            pause = POLL_SECONDS
            try:
                await self._round()
            except StoreUnavailableError as error:
                log.error("store unavailable", detail=str(error))
                pause = RETRY_SECONDS
            except Exception:  # a bug in one round must not end all delivery
                log.exception("claiming failed")
                pause = RETRY_SECONDS
            await self._rest(pause)
        await drained
        await self._drain()  # what the last round was claiming at the stop

    def stop(self) -> None:
        """Ends claiming. Deliveries in flight are finished, or released if they take too long."""
        self._stopping.set()
        self._wake.set()

    async def _rest(self, seconds: float) -> None:
        """Waits until woken, until a customer may send again, or until the next poll."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, self._throttle.seconds_until_available() or seconds)):
                await self._wake.wait()

    async def _drain(self) -> None:
        """Waits for `stop`, and then for the deliveries in flight. A call that is cut off is recorded as ambiguous, or
        as not sent."""
        await self._stopping.wait()
        for seconds, and_then in ((STOP_SECONDS, self._abandon), (RECORD_SECONDS, self._cancel)):
            if not await self._ended(within=seconds):
                and_then()

    async def _ended(self, within: float) -> bool:
        """True once nothing is in flight, including claims made by the final round."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._running:
                    await asyncio.wait(self._running)
        return not self._running

    def _cancel(self) -> None:
        for task in self._running:  # its lease runs out; the step was marked as being sent, and is ambiguous
            task.cancel()

    async def _round(self) -> None:
        woken = self._wake.is_set()
        self._wake.clear()
        room, free = self._room(), self._concurrency - self._not_hanging()
        if not room or free <= 0 or not (woken or await self._outbox.is_due(room)):
            return
        in_flight: dict[str, list[str]] = {}
        for claim, _ in self._running.values():  # after a clock jump we must not take over from ourselves
            in_flight.setdefault(claim.customer_id, []).append(claim.id)
        for claim in await self._outbox.claim_due(room, free, in_flight):
            self._throttle.acquire(claim.customer_id)
            task = asyncio.create_task(self._deliver(claim))
            self._running[task] = claim, time.monotonic()
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()

    def _not_hanging(self) -> int:
        """How many deliveries count towards `concurrency`. A hanging one counts only towards its customer's own limit:
        otherwise a few hanging offices would starve all others."""
        recently = time.monotonic() - HANGS_SECONDS
        return sum(began > recently for _, began in self._running.values())

    def _room(self) -> dict[str, int]:
        """How many more submissions may be sent for each customer; customers without room are left out."""
        busy = Counter(claim.customer_id for claim, _ in self._running.values())
        room = {
            customer: min(self._per_customer - busy[customer], self._throttle.available(customer))
            for customer in self._customers
        }
        return {customer: places for customer, places in room.items() if places > 0}

    async def _deliver(self, claim: Claim) -> None:
        renewal = asyncio.create_task(keep_renewing(self._outbox, claim, self._lease))
        try:
            await self._deliverer.deliver(claim)
        except LeaseLostError:
            log.error("claim lost", submission=claim.id, customer=claim.customer_id)
        except Exception:  # the lease runs out, and the submission is due again
            log.exception("delivery failed", submission=claim.id, customer=claim.customer_id)
        finally:
            renewal.cancel()
