"""Contacts for whoever asks through us: the same logins, pauses and pace as the deliveries, which go first.
The same question at once is asked once.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence

from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.claims import Signal
from app.delivery.retry_policy import signal_of
from app.domain.submission import FunctionGroup
from app.storage.database import StoreUnavailableError
from app.vitec.client import READS, VitecClient
from app.vitec.contacts import Contact
from app.vitec.errors import RefusedLogin, Unavailable, VitecError
from app.vitec.throttle import Throttle

TURN_SECONDS = 1.0  # that a look-up waits for its turn
SHARED_SECONDS = 1.5  # that others join a question; one that takes longer may never be answered
MAX_WAITING = 50  # look-ups of one customer
CALLS_AT_ONCE_PER_CUSTOMER = 2

_Question = tuple[str, tuple[str, ...]]


class ContactLookup:
    def __init__(self, vitec: VitecClient, logins: CircuitBreaker, pace: Throttle) -> None:
        self._vitec = vitec
        self._logins = logins
        self._pace = pace
        self._asked: dict[_Question, tuple[float, asyncio.Task[list[Contact]]]] = {}
        self._waiting: defaultdict[str, int] = defaultdict(int)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._places = asyncio.Semaphore(READS)
        self._customer_places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(CALLS_AT_ONCE_PER_CUSTOMER)
        )

    async def contacts(self, customer_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """As `VitecClient.contacts`; `Unavailable` also when no turn comes in time. While the login is paused Vitec is
        not asked, but for a probe."""
        question = (customer_id, tuple(contact_ids))
        asked_at, task = self._asked.get(question, (0.0, None))
        if task is None or time.monotonic() - asked_at > SHARED_SECONDS:
            if self._waiting[customer_id] >= MAX_WAITING:
                raise Unavailable("too many look-ups are waiting")
            task = asyncio.create_task(self._ask(question))
            self._asked[question] = time.monotonic(), task
            task.add_done_callback(lambda done: self._answered(question, done))
        return await asyncio.shield(task)  # who hangs up leaves the question to the others

    def _answered(self, question: _Question, task: asyncio.Task[list[Contact]]) -> None:
        if self._asked.get(question, (0.0, None))[1] is task:
            del self._asked[question]
        if not task.cancelled():
            task.exception()  # told to whoever has asked; where all have hung up, to nobody

    async def _ask(self, question: _Question) -> list[Contact]:
        customer_id, _ = question
        self._waiting[customer_id] += 1
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._customer_places[customer_id].acquire()
                try:
                    await self._places.acquire()
                    try:
                        await self._take_turn(customer_id)
                    except BaseException:
                        self._places.release()
                        raise
                except BaseException:
                    self._customer_places[customer_id].release()
                    raise
        except TimeoutError:
            raise Unavailable("no turn came in time") from None
        finally:
            self._waiting[customer_id] -= 1
        try:
            return await self._call(question)
        finally:
            self._places.release()
            self._customer_places[customer_id].release()

    async def _take_turn(self, customer_id: str) -> None:
        async with self._turns[customer_id]:  # one after the other, in the order in which they came
            while wait := self._pace.lend(customer_id):  # noqa: ASYNC110  # a turn is time: there is no event for it
                await asyncio.sleep(wait)

    async def _call(self, question: _Question) -> list[Contact]:
        customer_id, contact_ids = question
        lane = (customer_id, FunctionGroup.CRM)
        try:
            if not await self._logins.may_read(lane):
                raise RefusedLogin("the login is paused")
            try:
                found = await self._vitec.contacts(customer_id, contact_ids)
            except VitecError as error:
                news = signal_of(error)
                # One person's forbidden contact, read again and again, must not look like three.
                if news in {Signal.LET_IN, Signal.REFUSED}:
                    await self._logins.tell(lane, news)
                raise
            await self._logins.tell(lane, Signal.LET_IN)
        except StoreUnavailableError as error:
            raise Unavailable(f"the database is away: {error}") from None
        return found
