"""The outbox against a model of a few lines, through whatever order of events hypothesis thinks of."""

import asyncio
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from app.delivery.claims import Claim, LeaseLostError, StepOutcome
from app.domain.submission import DONE, AttemptOutcome, Operation, Status, StepStatus
from app.storage.database import Database
from app.storage.schema import metadata
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import (
    BOOKING,
    LEAD_AFTER,
    MINUTE,
    OTHER,
    kept,
    outbox_of,
    store,
    submission,
    time_passes,
)

T = TypeVar("T")
OUTCOMES = [StepStatus.DELIVERED, StepStatus.WAITING, StepStatus.REJECTED, StepStatus.UNCERTAIN, StepStatus.SKIPPED]


class OutboxMachine(RuleBasedStateMachine):
    """Model: the outcome of each step of each submission (None: not done), and who holds which submission."""

    claims: Bundle[Claim] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = TemporaryDirectory()
        self._database = Database(f"sqlite:///{Path(self._folder.name)}/model.db")
        metadata.create_all(self._database.engine)
        self._outbox = outbox_of(self._database, MINUTE)
        self._steps: dict[str, list[StepStatus | None]] = {}
        self._holder: dict[str, Claim] = {}

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def teardown(self) -> None:
        self._database.close()
        self._loop.close()
        self._folder.cleanup()

    @rule(customer=st.sampled_from([CUSTOMER, OTHER]), chain=st.booleans())
    def accept(self, customer: str, chain: bool) -> None:
        more = LEAD_AFTER if chain else ()
        new = submission(Operation.VIEWING, BOOKING, *more, customer_id=customer)
        self._run(store(self._database, new))
        self._steps[new.id] = [None] * (1 + len(more))

    @rule(target=claims, room=st.integers(0, 3))
    def claim(self, room: int) -> Any:
        claimed = self._run(self._outbox.claim_due({CUSTOMER: room, OTHER: room}, 1))
        due = {one for one, steps in self._steps.items() if _next(steps) is not None and one not in self._holder}
        assert bool(claimed) == bool(due and room)
        for claim in claimed:
            assert claim.id in due
            assert claim.steps[0].position == _next(self._steps[claim.id])
            self._holder[claim.id] = claim
        return claimed[0] if claimed else None

    @rule(claim=consumes(claims), outcome=st.sampled_from(OUTCOMES))
    def record(self, claim: Claim | None, outcome: StepStatus) -> None:
        if claim is None:
            return
        step, steps = claim.steps[0], self._steps[claim.id]
        work = self._outbox.record(claim, step, StepOutcome(outcome, AttemptOutcome.DELIVERED))
        if self._holder.get(claim.id) is not claim:
            with pytest.raises(LeaseLostError):
                self._run(work)
            return
        self._run(work)
        if outcome is not StepStatus.WAITING:
            steps[step.position] = outcome
        goes_on = outcome in DONE and step.position + 1 < len(steps)
        if not goes_on:  # else the claim stays with who has it, and nothing is left to record with it here
            del self._holder[claim.id]

    @rule(claim=claims)
    def renew(self, claim: Claim | None) -> None:
        if claim is None:
            return
        if self._holder.get(claim.id) is claim:
            self._run(self._outbox.renew(claim))
        else:
            with pytest.raises(LeaseLostError):
                self._run(self._outbox.renew(claim))

    @rule()
    def leases_run_out(self) -> None:
        """The workers' tokens are still in the rows until another one claims."""
        self._run(time_passes(self._database, MINUTE + timedelta(seconds=1)))
        for identity, claim in dict(self._holder).items():
            (taken,) = self._run(self._take_over(identity)) or [None]
            assert taken is not None
            assert taken.token != claim.token
            self._holder[identity] = taken

    async def _take_over(self, identity: str) -> list[Claim]:
        claims = await self._outbox.claim_due({CUSTOMER: 99, OTHER: 99}, 99)
        for claim in claims:
            self._holder[claim.id] = claim
        return [claim for claim in claims if claim.id == identity] or [self._holder[identity]]

    @invariant()
    def what_is_kept_is_what_the_model_says(self) -> None:
        for identity, steps in self._steps.items():
            found = self._run(kept(self._database, identity))
            done = [step.status if step.status not in {"waiting", "sending"} else None for step in found.steps]
            assert done == steps
            own = steps[0] if steps[0] is not None else None
            assert found.status is (Status.PENDING if own is None else _status(own))


def _next(steps: list[StepStatus | None]) -> int | None:
    """The position of the first step to do; None when all are done or one has stopped the chain."""
    for position, outcome in enumerate(steps):
        if outcome is None:
            return position
        if outcome not in DONE:
            return None
    return None


def _status(own: StepStatus) -> Status:
    return Status(own.value)


OutboxMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestOutbox = OutboxMachine.TestCase
