"""Callers that wait for the outcome of a stored submission."""

import asyncio

import pytest

from app.storage.database import Database
from app.submissions.outcomes import Outcomes

pytestmark = pytest.mark.anyio


async def test_a_wait_that_is_cancelled_only_ends_sooner(database: Database) -> None:
    """As when the time to stop is up: the caller is then told that the submission is stored, instead of 500."""
    outcomes = Outcomes(database)
    waiting = asyncio.create_task(outcomes.wait("submission", 30))
    await asyncio.sleep(0)  # it has begun
    waiting.cancel()
    await asyncio.wait_for(waiting, 5)  # raises nothing
    outcomes.notify("submission")  # nobody waits any more
