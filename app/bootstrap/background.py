"""Supervised background tasks: one that dies is restarted, and `/readyz` names it until it works again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from app.storage.database import StoreUnavailableError

RESTART_SECONDS = 1.0  # pause after the first death; doubled after each further one, up to the maximum
MAX_RESTART_SECONDS = 30.0
WELL_SECONDS = 10.0  # a restarted task that has run for this long counts as working again

log = structlog.get_logger()


@dataclass
class _Task:
    name: str
    run: Callable[[], Awaitable[None]]
    stop: Callable[[], None] | None
    patience: float | None
    is_stopping: bool = False
    is_down: bool = False
    running: "asyncio.Task[None] | None" = None


class BackgroundTasks:
    """A task with a `stop` function is stopped by that function; any other task is cancelled."""

    def __init__(self) -> None:
        self._tasks: list[_Task] = []
        self._stopping = asyncio.Event()

    @property
    def down(self) -> list[str]:
        """Names of the tasks that have died and are not working again yet."""
        return [task.name for task in self._tasks if task.is_down]

    def start(
        self,
        name: str,
        run: Callable[[], Awaitable[None]],
        stop: Callable[[], None] | None = None,
        patience: float | None = None,
    ) -> None:
        """Starts a task under supervision. `patience`: seconds that it may take to stop before it is cancelled; None
        means no limit."""
        task = _Task(name, run, stop, patience)
        task.running = asyncio.create_task(self._supervise(task), name=name)
        self._tasks.append(task)

    def every(
        self,
        seconds: float,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        busy_seconds: float | None = None,
        finishes: bool = False,
    ) -> None:
        """Runs `work` now, and again `seconds` after each run ends. If a run returns True, there is more to do, and the
        next follows after `busy_seconds`. `finishes`: a run in progress at the stop is waited for, not cancelled."""

        async def run() -> None:
            while not self._stopping.is_set():
                pause = seconds
                try:
                    if await work() is True and busy_seconds is not None:
                        pause = busy_seconds
                except StoreUnavailableError as error:
                    log.warning("store unavailable", task=name, detail=str(error))
                await self._rest(pause)

        self.start(name, run, stop=(lambda: None) if finishes else None)

    async def _rest(self, seconds: float) -> None:
        """Waits this long, or until the stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def stop_early(self, name: str) -> None:
        """Tells one task to stop before the others, if it is there."""
        for task in self._tasks:
            if task.name == name and task.stop is not None:
                task.is_stopping = True
                task.stop()

    async def stop(self) -> None:
        """Tells all tasks to stop, then waits for each, in the order in which they were started."""
        self._stopping.set()
        for task in self._tasks:
            if task.stop is not None:
                task.stop()
        for task in self._tasks:
            if task.running is None:
                continue
            if task.stop is not None:
                await asyncio.wait([task.running], timeout=task.patience)
            task.running.cancel()  # does nothing to a task that has ended
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
                if self._is_stopping(task) or task.stop is None:
                    return
                log.error("task ended before its time", task=task.name)
            finally:
                well.cancel()
            if self._is_stopping(task):
                return
            if not task.is_down:
                pause = RESTART_SECONDS
            task.is_down = True
            await self._rest(pause)
            if self._is_stopping(task):
                return
            pause = min(2 * pause, MAX_RESTART_SECONDS)

    def _is_stopping(self, task: _Task) -> bool:
        return task.is_stopping or self._stopping.is_set()

    @staticmethod
    def _is_well(task: _Task) -> None:
        task.is_down = False
