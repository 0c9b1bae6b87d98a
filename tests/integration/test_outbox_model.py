"""The outbox against a model of a few lines, through sequences of events that hypothesis generates: workers that die,
clocks that jump, rows that can't be read, and operators who act."""

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule
from sqlalchemy import update

from app.delivery.claims import Claim, LeaseLostError, StepOutcome
from app.delivery.unreadable_submissions import resume_readable
from app.domain.ids import new_id
from app.domain.submission import DONE, AttemptOutcome, Operation, Status, StepStatus
from app.maintenance.restore import park_undelivered
from app.operations.planning import Defaults
from app.storage import clock
from app.storage import database as database_module
from app.storage.database import Database
from app.storage.schema import metadata, submissions
from app.submissions.operator_actions import ActionImpossibleError, OperatorActions
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import (
    BOOKING,
    KEYRING,
    LEAD_AFTER,
    MINUTE,
    OTHER,
    VISITOR,
    MachineClock,
    outbox_of,
    row_of,
    store,
    submission,
    submission_of,
    time_passes,
)

OUTCOMES = [StepStatus.DELIVERED, StepStatus.WAITING, StepStatus.REJECTED, StepStatus.UNCERTAIN, StepStatus.SKIPPED]
JUMPS = [timedelta(0), timedelta(days=3653), timedelta(days=-400), timedelta(days=5)]
SPOILED = b"spoiled"


class OutboxMachine(RuleBasedStateMachine):
    """The model: the outcome of each step of each submission (None: not done), the holder of each submission, those
    that can't be read (with their content), and those that are erased."""

    claims: Bundle[Claim] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._folder = TemporaryDirectory()
        self._database = Database(f"sqlite:///{Path(self._folder.name)}/model.db")
        metadata.create_all(self._database.engine)
        self._outbox = outbox_of(self._database, MINUTE)
        self._actions = OperatorActions(self._database, KEYRING, {CUSTOMER: Defaults(), OTHER: Defaults()})
        self._steps: dict[str, list[StepStatus | None]] = {}
        self._holder: dict[str, Claim] = {}
        self._spoiled: dict[str, bytes] = {}
        self._erased: set[str] = set()
        self._clock = MachineClock()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(database_module, "datetime", self._clock)
        self._run(clock.tick(self._database))

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def teardown(self) -> None:
        self._patch.undo()
        self._database.close()
        self._loop.close()
        self._folder.cleanup()

    @rule(customer=st.sampled_from([CUSTOMER, OTHER]), chain=st.booleans())
    def accept(self, customer: str, chain: bool) -> None:
        more = LEAD_AFTER if chain else ()
        new = submission(
            Operation.VIEWING, BOOKING, *more, customer_id=customer, resource=BOOKING.resource, body=VISITOR
        )
        now = self._clock.now(UTC)  # by which the web would date it
        new = replace(new, id=new_id(now), received_at=now)
        self._run(store(self._database, new))
        self._steps[new.id] = [None] * (1 + len(more))

    @rule(target=claims, room=st.integers(0, 3))
    def claim(self, room: int) -> Any:
        claimed = self._claim(room, 1)
        due = self._to_do() - set(self._holder)
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
        if outcome is StepStatus.SKIPPED and step.position == 0:
            outcome = StepStatus.DELIVERED  # what was applied for is never skipped
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

    @precondition(lambda self: self._holder)
    @rule()
    def leases_run_out(self) -> None:
        """The old tokens stay in the rows until another worker claims."""
        self._run(time_passes(self._database, MINUTE + timedelta(seconds=1)))
        self._take_over()

    @precondition(lambda self: self._to_do())
    @rule(off=st.sampled_from(JUMPS))
    def clock_jumps(self, off: timedelta) -> None:
        """To any time: what is left to do may then be done at once, and nothing waits for a time that does not come."""
        jumps, self._clock.off = off != self._clock.off, off
        self._run(clock.tick(self._database))
        if jumps:
            self._take_over()

    def _take_over(self) -> None:
        """Claims everything that is left to do, including what others held."""
        claims = {claim.id: claim for claim in self._claim(99, 99)}
        assert set(claims) == self._to_do()
        assert all(
            claim.token != self._holder[submission_id].token
            for submission_id, claim in claims.items()
            if submission_id in self._holder
        )
        self._holder.update(claims)

    def _claim(self, room: int, most: int) -> list[Claim]:
        """Claims submissions. Unreadable ones are set aside meanwhile, and nobody claims them."""
        while True:
            claims: list[Claim] = self._run(self._outbox.claim_due({CUSTOMER: room, OTHER: room}, most))
            assert not {claim.id for claim in claims} & set(self._spoiled)
            aside = [submission_id for submission_id in self._spoiled if self._is_set_aside(submission_id)]
            for submission_id in aside:
                position = _next(self._steps[submission_id])
                assert position is not None
                self._steps[submission_id][position] = StepStatus.UNREADABLE
            if claims or not aside:
                return claims

    def _is_set_aside(self, submission_id: str) -> bool:
        """Whether it is set aside in the database by now."""
        saved = self._run(submission_of(self._database, submission_id))
        position = _next(self._steps[submission_id])
        return position is not None and saved.steps[position].status is StepStatus.UNREADABLE

    def _to_do(self) -> set[str]:
        return {
            submission_id
            for submission_id, steps in self._steps.items()
            if _next(steps) is not None and submission_id not in self._spoiled and submission_id not in self._erased
        }

    @precondition(lambda self: self._to_do() - set(self._holder))
    @rule(choose=st.randoms(use_true_random=False))
    def spoil(self, choose: Random) -> None:
        """Makes a waiting submission unreadable."""
        submission_id = choose.choice(sorted(self._to_do() - set(self._holder)))
        self._spoiled[submission_id] = self._run(row_of(self._database, submission_id)).payload
        self._write(submission_id, SPOILED)

    @precondition(lambda self: self._spoiled)
    @rule()
    def key_comes_back(self) -> None:
        for submission_id, payload in self._spoiled.items():
            if submission_id not in self._erased:
                self._write(submission_id, payload)
        aside = {
            submission_id for submission_id in self._spoiled if StepStatus.UNREADABLE in self._steps[submission_id]
        } - self._erased
        assert self._run(resume_readable(self._database, KEYRING)) == len(aside)
        for one in aside:
            self._steps[one] = [None if step is StepStatus.UNREADABLE else step for step in self._steps[one]]
        self._spoiled.clear()

    def _write(self, submission_id: str, payload: bytes) -> None:
        these = update(submissions).where(submissions.c.id == submission_id).values(payload=payload)
        self._run(self._database.write(lambda connection: connection.execute(these)))

    @precondition(lambda self: self._steps)
    @rule(choose=st.randoms(use_true_random=False), action=st.sampled_from(["retry", "release", "discard"]))
    def operator_decides(self, choose: Random, action: str) -> None:
        submission_id = choose.choice(sorted(self._steps))
        steps = self._steps[submission_id]
        undone = [position for position, step in enumerate(steps) if step not in DONE]
        free = bool(undone) and submission_id not in self._holder and submission_id not in self._erased
        decided = self._actions.carry_out(action, self._run(submission_of(self._database, submission_id)))
        if action == "retry" and (submission_id in self._erased or (free and submission_id in self._spoiled)):
            with pytest.raises(ActionImpossibleError):
                self._run(decided)
            return
        acts = free and (action != "release" or steps[undone[0]] is StepStatus.UNCERTAIN)
        assert self._run(decided) == acts
        if not acts:
            return
        if action == "discard":
            self._erased.add(submission_id)
            return
        for position in undone:
            if action == "retry" or steps[position] is StepStatus.UNCERTAIN:
                steps[position] = None

    @precondition(lambda self: self._to_do())
    @rule()
    def restored(self) -> None:
        """After a restore, nothing is sent that may have been sent since the backup."""
        parked = {
            submission_id for submission_id, steps in self._steps.items() if set(steps) - DONE - {StepStatus.UNCERTAIN}
        }
        assert len(self._run(self._database.write(park_undelivered))) == len(parked - self._erased)
        for submission_id in parked - self._erased:
            self._steps[submission_id] = [
                step if step in DONE else StepStatus.UNCERTAIN for step in self._steps[submission_id]
            ]
            self._holder.pop(submission_id, None)
        self._run(clock.tick(self._database))

    @invariant()
    def what_is_kept_is_what_the_model_says(self) -> None:
        for submission_id, steps in self._steps.items():
            if submission_id in self._erased:
                row = self._run(row_of(self._database, submission_id))
                assert (row.payload, row.due_at, row.claim) == (None, None, None)
                continue
            saved = self._run(submission_of(self._database, submission_id))
            done = [step.status if step.status not in {"waiting", "sending"} else None for step in saved.steps]
            assert done == steps
            own = steps[0] if steps[0] is not None else None
            assert saved.status is (Status.PENDING if own is None else _status(own))


def _next(steps: list[StepStatus | None]) -> int | None:
    """The position of the next step; None if all are done or one has stopped the chain."""
    for position, outcome in enumerate(steps):
        if outcome is None:
            return position
        if outcome not in DONE:
            return None
    return None


def _status(own: StepStatus) -> Status:
    return Status(own.value)


OutboxMachine.TestCase.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestOutbox = OutboxMachine.TestCase
