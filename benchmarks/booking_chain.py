"""The time to deliver a booking, a chain of three calls, relative to the same calls made directly by the same client.

Both call a sandbox in another process, alternating in one run. Their medians are compared.
"""

import asyncio
import statistics
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import uvloop

from app import logs
from app.bootstrap.services import Service, build_service, prepare_database
from app.config.settings import Settings
from app.delivery.claims import Claim, ClaimedStep, StepOutcome
from app.domain.ids import new_id
from app.domain.submission import Operation, PlannedStep
from app.intake.new_submission import NewSubmission
from app.sandbox import Customer, Office, serve_sandbox
from benchmarks.empty_application import EMPTY

CUSTOMER = "M12345"
SLOT = ("VIS1", "SLOT1")
ROUNDS = 150
WARM_UP = 5
GOAL = 1.5
TIMEOUT_SECONDS = 10
PERSON = {"customerId": CUSTOMER, "firstName": "Anna", "lastName": "Andersson", "cellPhone": "+46701740605"}
BOOKING = {"updatePerson": PERSON, "returnBookingId": False}
LEAD = {"assignedToId": "G1", "leadSourceId": "S1", "marketing": {"utmTags": [{"name": "utm_source", "value": "x"}]}}


@dataclass(frozen=True)
class Chain:
    """Median milliseconds. `delivered` starts at the first call, `claimed` at the claim before it; a worker claims as
    many submissions at once as it has room for. `bare`: the calls alone."""

    delivered: float
    claimed: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.delivered / self.bare

    @property
    def ratio_with_claim(self) -> float:
        return self.claimed / self.bare


def measure_chain(folder: Path) -> Chain:
    with sandbox() as url, (folder / "chain.log").open("w") as log:
        logs.configure(log)  # as in the service
        return uvloop.run(_measure(_settings(url, folder)))  # the service's event loop


def _settings(url: str, folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "secret_key": "a secret key for benchmarks alone",
            "encryption_keys": urlsafe_b64encode(bytes(32)).decode(),
            "database_url": f"sqlite:///{folder}/chain.db",
            "public_url": "https://leads.example.se",
            "vitec": {"base_url": url, "username": "partner", "requests_per_second": 10_000},
            "customers": [{"id": CUSTOMER, "name": "Benchmark", "password": "secret"}],
        }
    )


async def _measure(settings: Settings) -> Chain:
    service = build_service(settings)
    prepare_database(service.database)
    rounds = []
    async with service.running():
        for number in range(-WARM_UP, ROUNDS):
            seconds = (*await _delivered(service), await _bare(service))
            if number >= 0:
                rounds.append(seconds)
    return Chain(*(statistics.median(column) * 1000 for column in zip(*rounds, strict=True)))


async def _delivered(service: Service) -> tuple[float, float]:
    """Seconds until the last step's outcome is on disk: since the booking was claimed, and since its claim began. They
    include all that keeps a call from being lost or made twice."""
    outbox, done = service.outbox, asyncio.Event()
    moments: dict[str, float] = {}
    claim_due, record = outbox.claim_due, outbox.record

    async def timed_claim(
        room: Mapping[str, int], limit: int, in_flight: Mapping[str, Sequence[str]] | None = None
    ) -> list[Claim]:
        start = time.perf_counter()
        claims = await claim_due(room, limit, in_flight)
        if claims:
            moments["claiming"], moments["claimed"] = start, time.perf_counter()
        return claims

    async def timed_record(claim: Claim, step: ClaimedStep, outcome: StepOutcome) -> bool:
        settled = await record(claim, step, outcome)
        moments["recorded"] = time.perf_counter()
        if step is claim.steps[-1]:
            done.set()
        return settled

    outbox.claim_due, outbox.record = timed_claim, timed_record  # type: ignore[method-assign]  # no polling
    await service.intake.accept(_submission())
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await done.wait()
    outbox.claim_due, outbox.record = claim_due, record  # type: ignore[method-assign]
    return moments["recorded"] - moments["claimed"], moments["recorded"] - moments["claiming"]


async def _bare(service: Service) -> float:
    start = time.perf_counter()
    booked = await service.vitec.post(Operation.VIEWING, CUSTOMER, SLOT, BOOKING)
    assert booked.result is not None
    await service.vitec.contacts(CUSTOMER, [booked.result])
    await service.vitec.post(Operation.LEAD, CUSTOMER, (), {**LEAD, "contactId": booked.result})
    return time.perf_counter() - start


def _submission() -> NewSubmission:
    steps = (
        PlannedStep(Operation.VIEWING, SLOT, BOOKING),
        PlannedStep(Operation.CONTACT, (), {}),
        PlannedStep(Operation.LEAD, (), LEAD),
    )
    now, stored = datetime.now(UTC), replace(EMPTY, bodies=tuple(step.body for step in steps))
    return NewSubmission(new_id(now), CUSTOMER, Operation.VIEWING, SLOT, "sv", now, stored, {}, steps, None)


@contextmanager
def sandbox() -> Iterator[str]:
    """Runs the sandbox in its own process, so that it takes no time from what is measured. Yields its URL."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("stop")
        process.join(10)


def _serve(pipe: Any) -> None:
    with serve_sandbox(Office([Customer(CUSTOMER, "secret")])) as url:
        pipe.send(url)
        pipe.recv()
