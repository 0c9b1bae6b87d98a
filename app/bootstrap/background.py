"""Long-running tasks, supervised: one that dies is started again, and `/readyz` tells of it until it works."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from app.storage.database import StoreUnavailableError

RESTART_SECONDS = 1.0  # after a death; doubled with each, up to
MAX_RESTART_SECONDS = 30.0
WELL_SECONDS = 10.0  # at work, after which a task that had died is well again

log = structlog.get_logger()


@dataclass
class _Task:
    name: str
    run: Callable[[], Awaitable[None]]
    stop: Callable[[], None] | None
    patience: float | None
    is_down: bool = False
    running: "asyncio.Task[None] | None" = None


class BackgroundTasks:
    """Each ends when it is told to, or, where there is no telling it, when it is cancelled."""

    def __init__(self) -> None:
        self._tasks: list[_Task] = []
        self._stopping = asyncio.Event()

    @property
    def down(self) -> list[str]:
        """Those that have died and are not well again."""
        return [task.name for task in self._tasks if task.is_down]

    def start(
        self,
        name: str,
        run: Callable[[], Awaitable[None]],
        stop: Callable[[], None] | None = None,
        patience: float | None = None,
    ) -> None:
        """`patience` is how many seconds it has to end once it was told to; None: as many as it takes."""
        task = _Task(name, run, stop, patience)
        task.running = asyncio.create_task(self._supervise(task), name=name)
        self._tasks.append(task)

    def every(self, seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Runs `work` at once, and again so long after each end."""

        async def run() -> None:
            while True:
                try:
                    await work()
                except StoreUnavailableError as error:
                    log.warning("store unavailable", task=name, detail=str(error))
                await asyncio.sleep(seconds)

        self.start(name, run)

    async def stop(self) -> None:
        """In the order in which they were started: all are told, and then each is waited for."""
        self._stopping.set()
        for task in self._tasks:
            if task.stop is not None:
                task.stop()
        for task in self._tasks:
            if task.running is None:
                continue
            if task.stop is not None:
                await asyncio.wait([task.running], timeout=task.patience)
            task.running.cancel()  # which one that has ended does not notice
            with contextlib.suppress(asyncio.CancelledError):
                await task.running

    async def _supervise(self, task: _Task) -> None:
        pause = RESTART_SECONDS
        while True:
            well = asyncio.get_running_loop().call_later(WELL_SECONDS, self._is_well, task)
            try:
                await task.run()
            except Exception:
                log.exception("task died", task=task.name)
            else:
                if self._stopping.is_set() or task.stop is None:
                    return
                log.error("task ended before its time", task=task.name)
            finally:
                well.cancel()
            if self._stopping.is_set():
                return
            if not task.is_down:
                pause = RESTART_SECONDS
            task.is_down = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
                    return
            pause = min(2 * pause, MAX_RESTART_SECONDS)

    @staticmethod
    def _is_well(task: _Task) -> None:
        task.is_down = False
