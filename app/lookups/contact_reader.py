"""Reads contacts at Vitec. Identical requests at the same time share one call."""

import asyncio
import time
from collections.abc import Sequence

from app.domain.submission import FunctionGroup
from app.lookups.lookup_queue import LookupQueue
from app.vitec.client import VitecClient
from app.vitec.contacts import Contact

TURN_SECONDS = 1.0  # a request waits at most this long for the rate limit
SHARED_SECONDS = 1.5  # others may join a request for this long; an older one may never be answered

_Request = tuple[str, tuple[str, ...]]


class ContactReader:
    def __init__(self, vitec: VitecClient, lookups: LookupQueue) -> None:
        self._vitec = vitec
        self._lookups = lookups
        self._requests: dict[_Request, tuple[float, asyncio.Task[list[Contact]]]] = {}

    async def contacts(self, customer_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """As `VitecClient.contacts`. Also raises the errors of `LookupQueue.call`."""
        request = (customer_id, tuple(contact_ids))
        asked_at, task = self._requests.get(request, (0.0, None))
        if task is None or time.monotonic() - asked_at > SHARED_SECONDS:
            task = asyncio.create_task(self._ask(request))
            self._requests[request] = time.monotonic(), task
            task.add_done_callback(lambda done: self._answered(request, done))
        return await asyncio.shield(task)  # a caller that disconnects does not cancel it for the others

    def _answered(self, request: _Request, task: asyncio.Task[list[Contact]]) -> None:
        if self._requests.get(request, (0.0, None))[1] is task:
            del self._requests[request]
        if not task.cancelled():
            task.exception()  # marked as retrieved: nobody may be left to await it

    async def _ask(self, request: _Request) -> list[Contact]:
        customer_id, contact_ids = request
        return await self._lookups.call(
            customer_id, FunctionGroup.CRM, lambda: self._vitec.contacts(customer_id, contact_ids), TURN_SECONDS
        )
