"""`intresse leads …`: what an operator does with submissions without the console."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.domain.payload import order_of
from app.domain.plan import plan
from app.domain.submission import Status, Submission
from app.main import Service, build_service, defaults_of, prepare_database
from app.settings import Settings
from app.storage.schema import BODIES

T = TypeVar("T")


class NoSuchSubmission(Exception):
    """Neither an id nor a reference that we know."""


def run(settings: Settings, work: Callable[[Service], Awaitable[T]]) -> T:
    """Raises `DatabaseUnusable`, `StoreUnavailable`."""

    async def inside() -> T:
        service = build_service(settings)
        prepare_database(service.database)
        try:
            return await work(service)
        finally:
            await service.vitec.close()
            service.database.close()

    return asyncio.run(inside())


async def listing(service: Service, status: Status | None, most: int) -> list[str]:
    """A line each, the newest first; no personal data."""
    return [_line(submission) for submission in await service.leads.newest(status, most)]


async def showing(service: Service, which: str) -> list[str]:
    found = await _find(service, which)
    lines = [_line(found)]
    for step in found.steps:
        words = f"  Vitec: {step.upstream}" if step.upstream else ""
        lines.append(f"  {step.position} {step.operation:<12} {step.status:<10} {step.attempts} attempt(s){words}")
    return lines


async def retrying(service: Service, which: str) -> bool:
    """Fills the configured members of the steps not yet done anew, and makes them due; says whether there were any."""
    found = await _find(service, which)
    customer = next((one for one in service.settings.customers if one.id == found.customer_id), None)
    if customer is None:
        raise NoSuchSubmission(f"customer {found.customer_id} is not in the configuration")
    payload = await service.leads.payload(found.id)
    planned = {step.operation: step.body for step in plan(order_of(found, payload), defaults_of(customer))}
    bodies = [planned.get(step.operation, body) for step, body in zip(found.steps, payload[BODIES], strict=True)]
    return await service.leads.retry(found.id, payload | {BODIES: bodies})


async def _find(service: Service, which: str) -> Submission:
    found = await service.leads.find(which)
    if found is None:
        raise NoSuchSubmission(f"no submission has the id or reference {which}")
    return found


def _line(one: Submission) -> str:
    received = one.received_at.strftime("%Y-%m-%d %H:%M:%S")
    return f"{received}Z  {one.reference}  {one.status:<9}  {one.customer_id}  {one.operation:<12}  {one.id}"
