"""The measurement: rounds that alternate between the targets, on servers that run throughout."""

import gzip
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks import machine
from benchmarks.databases import database_url
from benchmarks.load import Driven, Round, drive, process_id
from benchmarks.results import Plan, Results
from benchmarks.sample_requests import PATH, TARGETS
from benchmarks.servers import Server, ServerStoppedError, hello
from benchmarks.service import form_token, service, stored

NO_END = 10**9
WARM_UP_SECONDS = 1.0


class MeasurementError(Exception):
    """What was measured is not what was meant: an unexpected answer, a row too few."""


def measure(plan: Plan, kind: str, root: Path, folder: Path) -> Results:
    """On a database of this kind (`databases.KINDS`), up to date before the service starts.
    Raises `MeasurementError`."""
    deadline = time.monotonic() + plan.limit_seconds
    try:
        with database_url(kind, folder / "database") as url:
            starts = [_start_seconds(root, folder / f"start{number}", url) for number in range(plan.starts)]
            results = _under_load(plan, root, folder, url, deadline)
            submissions, steps = stored(url)
    except ServerStoppedError as error:
        raise MeasurementError(str(error)) from error
    results.starts = starts
    if not submissions == steps == results.posted:
        raise MeasurementError(
            f"{results.posted} posts were answered 303; on disk are {submissions} submissions, {steps} steps"
        )
    return results


def _start_seconds(root: Path, folder: Path, url: str) -> float:
    with service(root, folder, url) as server:
        return server.start_seconds


def _under_load(plan: Plan, root: Path, folder: Path, url: str, deadline: float) -> Results:
    with ExitStack() as stack:
        with machine.on_core(machine.load_core()):
            load = stack.enter_context(ProcessPoolExecutor(1, multiprocessing.get_context("spawn")))
            load.submit(process_id).result()
        yardstick = stack.enter_context(hello(root, folder))
        served = stack.enter_context(service(root, folder / "service", url))
        bench = _Bench(plan, load, {"hello": yardstick, "page": served, "post": served})
        for target in TARGETS:
            bench.drive(target, WARM_UP_SECONDS)
        for number in range(1, plan.cycles + 1):
            bench.cycle(number)
        bench.results.fsync = machine.fsync_milliseconds(folder)
        bench.fill(deadline)
        bench.results.end_mb = machine.resident(served.process.pid)
        served.kill()
    return bench.results


class _Bench:
    def __init__(self, plan: Plan, load: ProcessPoolExecutor, servers: dict[str, Server]) -> None:
        self._load = load
        self._servers = servers
        page = servers["page"].fetch(PATH)
        self._token = form_token(page)
        self._next = 0
        self.results = Results(plan, idle_mb=machine.resident(servers["post"].process.pid))
        self.results.page_bytes = len(page), len(gzip.compress(page, 6))

    def drive(self, target: str, seconds: float, most: int = NO_END) -> Driven:
        """Every answer is counted, the warm-up's too. Raises `MeasurementError` when one is another than the
        target's."""
        right = TARGETS[target].status
        wanted = Round(target, self._servers[target].port, seconds, most, self._next, self._token)
        try:
            driven = self._load.submit(drive, wanted).result()
        except (OSError, TimeoutError) as error:
            raise MeasurementError(f"{target}: {error!r}") from error
        self._next += driven.statuses.total()
        self.results.statuses.update({(target, status): count for status, count in driven.statuses.items()})
        if set(driven.statuses) != {right}:
            raise MeasurementError(f"{target}: answers by status {dict(driven.statuses)}, wanted {right} only")
        return driven

    def cycle(self, number: int) -> None:
        """Each target once, every other time in reverse."""
        targets = list(TARGETS)
        for target in targets if number % 2 else reversed(targets):
            self.results.rounds[target].append(self.drive(target, self.results.plan.seconds))
        speeds = (f"{target} {self.results.rounds[target][-1].per_second:6.0f}/s" for target in targets)
        print(f"  round {number} of {self.results.plan.cycles}:", *speeds, flush=True)

    def fill(self, deadline: float) -> None:
        """Posts until there are as many as planned, or no time is left."""
        while (missing := self.results.plan.posts - self.results.posted) > 0 and time.monotonic() < deadline:
            self.drive("post", deadline - time.monotonic(), missing)
