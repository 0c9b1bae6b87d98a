"""The rate at which a worker delivers a backlog, and the time until a submission reaches Vitec on an idle system."""

import asyncio
import statistics
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvloop

from app import logs
from app.bootstrap.services import Service, build_service
from app.config.settings import Settings
from app.domain.ids import new_id
from app.domain.submission import Operation, PlannedStep
from app.intake.new_submission import NewSubmission
from benchmarks.booking_chain import CUSTOMER, sandbox
from benchmarks.databases import database_url
from benchmarks.empty_application import EMPTY

BACKLOG = 1_500
ROUNDS = 150
RATE_GOAL = 200.0
IDLE_GOAL = 3.0
TIMEOUT_SECONDS = 60
INTEREST = {"firstName": "Anna", "lastName": "Andersson", "telephone": {"cell": "+46701740605"}}


@dataclass(frozen=True)
class Delivery:
    """`rate`: submissions a second. `idle`, `bare`: median milliseconds."""

    rate: float
    idle: float
    bare: float

    @property
    def ratio(self) -> float:
        return self.idle / self.bare


def measure_delivery(kind: str, folder: Path) -> Delivery:
    with sandbox() as vitec_url, database_url(kind, folder) as url, (folder.parent / f"{kind}.log").open("w") as log:
        logs.configure(log)
        return uvloop.run(_measure(_settings(vitec_url, url)))


def _settings(vitec_url: str, url: str) -> Settings:
    """The rate limit is lifted and one customer may use the full concurrency, so that only the worker is measured."""
    lifted = {"requests_per_second": 10_000, "concurrency": 8, "concurrency_per_customer": 8}
    return Settings.model_validate(
        {
            "secret_key": "a secret key for benchmarks alone",
            "encryption_keys": urlsafe_b64encode(bytes(32)).decode(),
            "database_url": url,
            "public_url": "https://leads.example.se",
            "vitec": {"base_url": vitec_url, "username": "partner", **lifted},
            "customers": [{"id": CUSTOMER, "name": "Benchmark", "password": "secret"}],
        }
    )


async def _measure(settings: Settings) -> Delivery:
    accepting = build_service(settings)
    intake = asyncio.create_task(accepting.intake.run())
    await asyncio.gather(*(accepting.intake.accept(_submission()) for _ in range(BACKLOG // 2)))
    await asyncio.gather(*(accepting.intake.accept(_submission()) for _ in range(BACKLOG // 2)))
    accepting.intake.stop()
    await intake
    accepting.database.close()
    service = build_service(settings)
    rate = await _rate(service)
    idle, bare = await _idle(build_service(settings), settings.vitec.base_url)
    return Delivery(rate, idle, bare)


async def _rate(service: Service) -> float:
    """Submissions a second, from the first claim to the last recorded outcome, by a worker alone."""
    watcher = _DeliveryWatcher(service)
    began = time.perf_counter()
    async with service.running(web=False):
        await watcher.wait_for_outcomes(BACKLOG // 2 * 2)
        return watcher.count / (time.perf_counter() - began)


async def _idle(service: Service, vitec_url: str) -> tuple[float, float]:
    """Median milliseconds from the accept to Vitec's answer, and of a post of the same by a bare httpx client."""
    idle, bare = [], []
    async with service.running(), httpx.AsyncClient(auth=("partner", "secret"), trust_env=False) as client:
        for number in range(-5, ROUNDS):
            watcher = _DeliveryWatcher(service)
            began = time.perf_counter()
            await service.intake.accept(_submission())
            await watcher.wait_for_answer()
            took = time.perf_counter() - began
            await watcher.wait_for_outcomes(1)
            began = time.perf_counter()
            response = await client.post(f"{vitec_url}/Advertising/Estate/{CUSTOMER}/OBJ1/interest", json=INTEREST)
            if number >= 0:
                idle.append(took)
                bare.append(time.perf_counter() - began)
            assert response.is_success
    return statistics.median(idle) * 1000, statistics.median(bare) * 1000


class _DeliveryWatcher:
    """Counts recorded outcomes and waits for Vitec's answers, without polling."""

    def __init__(self, service: Service) -> None:
        self.count = 0
        self._recorded = asyncio.Event()
        self._answered = asyncio.Event()
        record, post = type(service.outbox).record, type(service.vitec).post
        outbox, vitec = service.outbox, service.vitec

        async def counted_record(*arguments: object) -> bool:
            settled = await record(outbox, *arguments)  # type: ignore[arg-type]
            self.count += 1
            self._recorded.set()
            return settled

        async def noted_post(*arguments: object) -> object:
            answer = await post(vitec, *arguments)  # type: ignore[arg-type]
            self._answered.set()
            return answer

        service.outbox.record = counted_record  # type: ignore[assignment, method-assign]
        service.vitec.post = noted_post  # type: ignore[assignment, method-assign]

    async def wait_for_outcomes(self, count: int) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while self.count < count:
                await self._recorded.wait()
                self._recorded.clear()

    async def wait_for_answer(self) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self._answered.wait()


def _submission() -> NewSubmission:
    step = PlannedStep(Operation.INTEREST, ("OBJ1",), INTEREST)
    stored = replace(EMPTY, bodies=(step.body,))
    return NewSubmission(
        new_id(datetime.now(UTC)),
        CUSTOMER,
        Operation.INTEREST,
        ("OBJ1",),
        "sv",
        datetime.now(UTC),
        stored,
        {},
        (step,),
        None,
    )
