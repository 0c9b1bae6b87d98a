"""Background tasks: one that dies is restarted, and readiness reports it."""

import asyncio

import httpx
import pytest
from structlog.testing import capture_logs

from app.bootstrap import background as module
from app.bootstrap.background import BackgroundTasks
from app.bootstrap.web_app import create_app
from app.storage.database import StoreUnavailableError
from tests.conftest import Configure
from tests.integration.storage_helpers import soon
from tests.servers import serve

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.05)


async def test_a_task_that_dies_is_restarted_and_reported_until_it_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WELL_SECONDS", 0.2)
    starts: list[None] = []
    down: list[list[str]] = []

    async def run() -> None:
        starts.append(None)
        down.append(tasks.down)
        if len(starts) <= 2:
            raise RuntimeError("a fault of ours")
        await asyncio.Event().wait()

    tasks = BackgroundTasks()
    tasks.start("mortal", run)
    await soon(lambda: _true(len(starts) == 3 and not tasks.down))
    assert down == [[], ["mortal"], ["mortal"]]
    await tasks.stop()


async def test_a_task_that_must_not_end_by_itself_is_started_again_when_it_does() -> None:
    starts: list[None] = []

    async def run() -> None:
        starts.append(None)

    tasks = BackgroundTasks()
    tasks.start("deserter", run, stop=lambda: None)
    await soon(lambda: _true(len(starts) >= 2))
    assert tasks.down == ["deserter"]
    await tasks.stop()


@pytest.mark.parametrize("dies", [False, True])
async def test_a_task_that_is_stopped_before_the_others_is_not_started_again(dies: bool) -> None:
    starts: list[None] = []
    told = asyncio.Event()

    async def run() -> None:
        starts.append(None)
        await told.wait()
        if dies:
            raise RuntimeError("a fault of ours")

    tasks = BackgroundTasks()
    tasks.start("another", asyncio.Event().wait)  # type: ignore[arg-type]
    tasks.start("early", run, told.set)
    await asyncio.sleep(0)
    with capture_logs() as logged:
        tasks.stop_early("early")
        tasks.stop_early("not there")
        await asyncio.sleep(0.2)
    assert (len(starts), tasks.down) == (1, [])
    assert [event["event"] for event in logged] == (["task died"] if dies else [])
    await tasks.stop()


async def test_all_tasks_are_asked_to_stop_before_any_is_awaited() -> None:
    stopping = asyncio.Event()
    ended: list[str] = []

    async def patient() -> None:
        await stopping.wait()
        ended.append("patient")

    async def deaf() -> None:
        await asyncio.Event().wait()

    tasks = BackgroundTasks()
    tasks.start("patient", patient, stop=lambda: None)
    tasks.start("deaf", deaf, stop=stopping.set, patience=0.05)
    tasks.start("endless", deaf)
    await asyncio.wait_for(tasks.stop(), 5)
    assert ended == ["patient"]


async def test_a_periodic_task_survives_an_unavailable_database() -> None:
    rounds: list[None] = []

    async def work() -> None:
        rounds.append(None)
        raise StoreUnavailableError("away")

    tasks = BackgroundTasks()
    tasks.every(0.01, "rounds", work)
    await soon(lambda: _true(len(rounds) >= 3))
    assert tasks.down == []
    await tasks.stop()


async def test_readiness_reports_dead_tasks_and_fails_without_the_vital_ones(configure: Configure) -> None:
    app = create_app(configure())
    with serve(app) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/readyz")).status_code == 200
            for name, status in (("page views", 200), ("intake", 503), ("delivery", 503)):
                app.state.readiness.down = lambda name=name: [name]
                answer = await client.get("/readyz")
                assert (answer.status_code, answer.json()["down"]) == (status, [name])


async def _true(value: bool) -> bool:
    return value
