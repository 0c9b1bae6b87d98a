"""A Vitec client that measures how long each call takes."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from app.delivery.steps import Vitec
from app.domain.submission import Operation
from app.vitec.contacts import Contact
from app.vitec.responses import VitecResponse


class TimedVitec:
    """Vitec, with each call's customer, operation and seconds told to `observe`, however the call ends."""

    def __init__(self, vitec: Vitec, observe: Callable[[str, Operation, float], None]) -> None:
        self._vitec = vitec
        self._observe = observe

    async def post(
        self,
        operation: Operation,
        customer_id: str,
        resource: Sequence[str],
        body: Mapping[str, Any],
        may_send: Callable[[], bool],
    ) -> VitecResponse:
        with self._timing(customer_id, operation):
            return await self._vitec.post(operation, customer_id, resource, body, may_send)

    async def contacts(
        self, customer_id: str, contact_ids: Sequence[str], may_send: Callable[[], bool]
    ) -> list[Contact]:
        with self._timing(customer_id, Operation.CONTACT):
            return await self._vitec.contacts(customer_id, contact_ids, may_send)

    @contextmanager
    def _timing(self, customer_id: str, operation: Operation) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self._observe(customer_id, operation, time.monotonic() - began)
