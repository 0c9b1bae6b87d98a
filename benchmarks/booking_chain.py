"""A booking's chain of three calls, as delivered, relative to the same three calls made directly by the same client.

Both go to the sandbox in a process of its own, alternating in one run; the median of each is compared.
"""

import asyncio
import statistics
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
WANTED = 1.5
PATIENCE_SECONDS = 10
PERSON = {"customerId": CUSTOMER, "firstName": "Anna", "lastName": "Andersson", "cellPhone": "+46701740605"}
BOOKING = {"updatePerson": PERSON, "returnBookingId": False}
LEAD = {"assignedToId": "G1", "leadSourceId": "S1", "marketing": {"utmTags": [{"name": "utm_source", "value": "x"}]}}


@dataclass(frozen=True)
class Chain:
    """Milliseconds, a median each. `delivered` begins with the first call; `claimed` begins with the claim before it,
    which a worker makes for as many submissions as it has room for."""

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
        logs.configure(log)  # as the service writes them
        return uvloop.run(_measure(_settings(url, folder)))  # the loop that the service runs on


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
    """From the moment the booking is claimed, and from that at which its claim begins, until the last step's outcome
    is on disk: all that is done around the three calls so that none is lost or made twice."""
    outbox, done = service.outbox, asyncio.Event()
    moments: dict[str, float] = {}
    claim_due, record = outbox.claim_due, outbox.record

    async def claimed(
        room: Mapping[str, int], limit: int, in_flight: Mapping[str, Sequence[str]] | None = None
    ) -> list[Claim]:
        start = time.perf_counter()
        claims = await claim_due(room, limit, in_flight)
        if claims:
            moments["claiming"], moments["claimed"] = start, time.perf_counter()
        return claims

    async def noticed(claim: Claim, step: ClaimedStep, outcome: StepOutcome) -> bool:
        settled = await record(claim, step, outcome)
        moments["recorded"] = time.perf_counter()
        if step is claim.steps[-1]:
            done.set()
        return settled

    outbox.claim_due, outbox.record = claimed, noticed  # type: ignore[method-assign]  # as it happens, not polled for
    await service.intake.accept(_submission())
    async with asyncio.timeout(PATIENCE_SECONDS):
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
    now = datetime.now(UTC)
    return NewSubmission(
        new_id(now), CUSTOMER, Operation.VIEWING, SLOT, "sv", now, EMPTY.for_steps(steps), {}, steps, None
    )


@contextmanager
def sandbox() -> Iterator[str]:
    """In a process of its own, so that neither side shares its time."""
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
