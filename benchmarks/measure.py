"""The measurement: rounds that alternate between the targets, while all servers run."""

import gzip
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks import machine
from benchmarks.databases import database_url
from benchmarks.load import Round, RoundResult, process_id, run_round
from benchmarks.results import Plan, Results
from benchmarks.sample_requests import PATH, TARGETS
from benchmarks.servers import Server, ServerStoppedError, hello
from benchmarks.service import form_token, service, stored_rows

UNLIMITED = 10**9
WARM_UP_SECONDS = 1.0


class MeasurementError(Exception):
    """The measurement is invalid: a server stopped, an unexpected answer, missing rows."""


def measure(plan: Plan, kind: str, root: Path, folder: Path) -> Results:
    """Measures on a new, migrated database of this kind (`databases.KINDS`). Raises `MeasurementError`."""
    deadline = time.monotonic() + plan.limit_seconds
    try:
        with database_url(kind, folder / "database") as url:
            starts = [_start_seconds(root, folder / f"start{number}", url) for number in range(plan.starts)]
            results = _under_load(plan, root, folder, url, deadline)
            submissions, steps = stored_rows(url)
    except ServerStoppedError as error:
        raise MeasurementError(str(error)) from error
    results.starts = starts
    if not submissions == steps == results.posted:
        raise MeasurementError(
            f"{results.posted} posts were answered 303, but {submissions} submissions and {steps} steps are on disk"
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
        baseline = stack.enter_context(hello(root, folder))
        served = stack.enter_context(service(root, folder / "service", url))
        measurement = _Measurement(plan, load, {"hello": baseline, "page": served, "post": served})
        for target in TARGETS:
            measurement.run_round(target, WARM_UP_SECONDS)
        for number in range(1, plan.cycles + 1):
            measurement.cycle(number)
        measurement.results.fsync = machine.fsync_milliseconds(folder)
        measurement.post_remaining(deadline)
        measurement.results.end_mb = machine.resident_mb(served.process.pid)
        served.kill()
    return measurement.results


class _Measurement:
    def __init__(self, plan: Plan, load: ProcessPoolExecutor, servers: dict[str, Server]) -> None:
        self._load = load
        self._servers = servers
        page = servers["page"].fetch(PATH)
        self._token = form_token(page)
        self._next = 0
        self.results = Results(plan, idle_mb=machine.resident_mb(servers["post"].process.pid))
        self.results.page_bytes = len(page), len(gzip.compress(page, 6))

    def run_round(self, target: str, seconds: float, max_requests: int = UNLIMITED) -> RoundResult:
        """Counts all answers, the warm-up's too. Raises `MeasurementError` at an unexpected status."""
        expected = TARGETS[target].status
        spec = Round(target, self._servers[target].port, seconds, max_requests, self._next, self._token)
        try:
            result = self._load.submit(run_round, spec).result()
        except (OSError, TimeoutError) as error:
            raise MeasurementError(f"{target}: {error!r}") from error
        self._next += result.statuses.total()
        self.results.statuses.update({(target, status): count for status, count in result.statuses.items()})
        if set(result.statuses) != {expected}:
            raise MeasurementError(f"{target}: answers by status {dict(result.statuses)}, expected {expected} only")
        return result

    def cycle(self, number: int) -> None:
        """Runs a round of each target; every other cycle in reverse order."""
        targets = list(TARGETS)
        for target in targets if number % 2 else reversed(targets):
            self.results.rounds[target].append(self.run_round(target, self.results.plan.seconds))
        speeds = (f"{target} {self.results.rounds[target][-1].per_second:6.0f}/s" for target in targets)
        print(f"  round {number} of {self.results.plan.cycles}:", *speeds, flush=True)

    def post_remaining(self, deadline: float) -> None:
        """Posts until the planned number or the deadline is reached."""
        while (missing := self.results.plan.posts - self.results.posted) > 0 and time.monotonic() < deadline:
            self.run_round("post", deadline - time.monotonic(), missing)
