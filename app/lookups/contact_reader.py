"""Contacts for whoever asks through us. The same question at once is asked once."""

import asyncio
import time
from collections.abc import Sequence

from app.domain.submission import FunctionGroup
from app.lookups.lookup_queue import LookupQueue
from app.vitec.client import VitecClient
from app.vitec.contacts import Contact

TURN_SECONDS = 1.0  # that a look-up waits for its turn
SHARED_SECONDS = 1.5  # that others join a question; one that takes longer may never be answered

_Question = tuple[str, tuple[str, ...]]


class ContactReader:
    def __init__(self, vitec: VitecClient, lookups: LookupQueue) -> None:
        self._vitec = vitec
        self._lookups = lookups
        self._asked: dict[_Question, tuple[float, asyncio.Task[list[Contact]]]] = {}

    async def contacts(self, customer_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """As `VitecClient.contacts`; `UnavailableError` also when no turn comes in time. While the login is paused
        Vitec is not asked, but for a probe."""
        question = (customer_id, tuple(contact_ids))
        asked_at, task = self._asked.get(question, (0.0, None))
        if task is None or time.monotonic() - asked_at > SHARED_SECONDS:
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
        customer_id, contact_ids = question
        return await self._lookups.make(
            customer_id, FunctionGroup.CRM, lambda: self._vitec.contacts(customer_id, contact_ids), TURN_SECONDS
        )
