"""Submissions as text and JSON for `intresse leads`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.bootstrap.services import Service, build_service, prepare_database
from app.config.settings import Settings
from app.domain.durations import parse_duration
from app.domain.submission import Status, Submission
from app.submissions.listing import SubmissionFilter
from app.submissions.repository import Attempt, history

T = TypeVar("T")

LONGEST_KEPT = timedelta(days=3660)  # that the configuration allows


class SubmissionNotFoundError(Exception):
    """Neither an id nor a reference that we know."""


def run(settings: Settings, work: Callable[[Service], Awaitable[T]]) -> T:
    """Raises `DatabaseUnusableError`, `StoreUnavailableError`."""

    async def inside() -> T:
        service = build_service(settings)
        prepare_database(service.database)
        try:
            return await work(service)
        finally:
            await service.vitec.close()
            service.database.close()

    return asyncio.run(inside())


def submission_filter(
    status: Status | None, customer: str | None, older_than: str | None, stuck: bool
) -> SubmissionFilter:
    """`older_than` as `45m`, `12h`, `30d`. Raises `ValueError` with a line for the one who asked."""
    try:
        before = datetime.now(UTC) - parse_duration(older_than, LONGEST_KEPT) if older_than else None
    except ValueError as error:
        raise ValueError(f"--older-than: {error}") from None
    return SubmissionFilter(status=status, customer_id=customer, received_before=before, stuck=stuck)


async def find(service: Service, which: str) -> Submission:
    """By id or reference. Raises `SubmissionNotFoundError`, `StoreUnavailableError`."""
    found = await service.leads.find(which)
    if found is None:
        raise SubmissionNotFoundError(f"no submission has the id or reference {which}")
    return found


async def trace(service: Service, which: str) -> tuple[Submission, Sequence[Attempt]]:
    """With each call and each decision of an operator's, in order of time."""
    found = await find(service, which)
    return found, (await history(service.database, found.id)).attempts


def line_of(one: Submission) -> str:
    """Without personal data."""
    received = one.received_at.strftime("%Y-%m-%d %H:%M:%S")
    return f"{received}Z  {one.reference}  {one.status:<9}  {one.customer_id}  {one.operation:<12}  {one.id}"


def lines_of(one: Submission, tried: Sequence[Attempt]) -> list[str]:
    """With each step, Vitec's words, and what was tried: who reads it must see what may have been carried out twice."""
    lines = [line_of(one)]
    for step in one.steps:
        words = f"  Vitec: {step.upstream}" if step.upstream else ""
        lines.append(f"  {step.position} {step.operation:<12} {step.status:<10} {step.attempts} attempt(s){words}")
        lines += [_line_of_attempt(attempt) for attempt in tried if attempt.position == step.position]
    return lines


def _line_of_attempt(one: Attempt) -> str:
    told = filter(None, [one.outcome or "no outcome", str(one.http_status or ""), one.detail])
    return f"      {one.started_at:%Y-%m-%d %H:%M:%S}Z  {'  '.join(told)}"


def record_of(one: Submission) -> dict[str, Any]:
    """The same for programs, in the members of `GET /submissions/{id}`."""
    return {
        "id": one.id,
        "reference": one.reference,
        "customerId": one.customer_id,
        "operation": one.operation,
        "status": one.status,
        "receivedAt": one.received_at.isoformat(),
        "settledAt": one.settled_at.isoformat() if one.settled_at else None,
        "steps": [
            {
                "operation": step.operation,
                "status": step.status,
                "attempts": step.attempts,
                "upstream": step.upstream,
            }
            for step in one.steps
        ],
    }


def records_of(tried: Sequence[Attempt]) -> list[dict[str, Any]]:
    """The calls and decisions for programs; an `outcome` of null: a crash ended us in it, or it lasts still."""
    return [
        {
            "step": one.position,
            "startedAt": one.started_at.isoformat(),
            "endedAt": one.ended_at.isoformat() if one.ended_at else None,
            "outcome": one.outcome,
            "httpStatus": one.http_status,
            "detail": one.detail,
        }
        for one in tried
    ]
