"""The form with a home's open times: its rate with a warm cache, relative to the baseline, and how often Vitec is read
when many visitors come at once."""

import gzip
import multiprocessing
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.sandbox import Customer, Office, Slot, Viewing, serve_sandbox
from benchmarks import machine
from benchmarks.load import Round, RoundResult, process_id, run_round
from benchmarks.report import machine_lines
from benchmarks.sample_requests import CUSTOMER, HOMES, TARGETS, TIMES, TIMES_PATH
from benchmarks.servers import Server, hello
from benchmarks.service import service, sqlite_url

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, SECONDS = 7, 3.0
VISITORS, WITHIN_SECONDS = 1000, 10
RATE_GOAL, READS_GOAL = 0.6, HOMES
SLOTS = 8  # per home


def main() -> int:
    """Returns 0 whatever the results."""
    with tempfile.TemporaryDirectory(prefix="intresse-benchmark-") as name, ExitStack() as stack:
        folder, office = Path(name), _office()
        print(*machine_lines(folder), sep="\n", flush=True)
        vitec_url = stack.enter_context(serve_sandbox(office))
        with machine.on_core(machine.load_core()):
            load = stack.enter_context(ProcessPoolExecutor(1, multiprocessing.get_context("spawn")))
            load.submit(process_id).result()
        baseline = stack.enter_context(hello(ROOT, folder))
        served = stack.enter_context(service(ROOT, folder / "service", sqlite_url(folder), vitec_url))
        _report_reads(load, served, office)
        _report_rate(load, baseline, served)
    return 0


def _office() -> Office:
    """A sandbox office whose homes have one viewing each."""
    start, quarter = datetime.now(UTC) + timedelta(days=3), timedelta(minutes=15)
    homes = [f"OBJ{number}" for number in range(HOMES)]
    slots = [Slot(starts_at=start + index * quarter, ends_at=start + (index + 1) * quarter) for index in range(SLOTS)]
    return Office(
        [Customer(CUSTOMER, "secret")],
        estates=frozenset(homes),
        viewings={f"V{home}": Viewing(home, start, start + SLOTS * quarter) for home in homes},
        slots={(f"V{home}", f"{home}-{index}"): slot for home in homes for index, slot in enumerate(slots)},
    )


def _report_reads(load: ProcessPoolExecutor, served: Server, office: Office) -> None:
    """Sends a tenth of the visitors each second, to a service with an empty cache."""
    began = time.monotonic()
    for second in range(WITHIN_SECONDS):
        per_second = VISITORS // WITHIN_SECONDS
        load.submit(run_round, Round(TIMES, served.port, 1.0, per_second, second * per_second, "")).result()
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))
    reads = sum(call.operation == "estate" for call in office.received)
    result = "met" if reads <= READS_GOAL else "NOT MET"
    print(f"{VISITORS} visitors in {WITHIN_SECONDS} s on {HOMES} homes: {reads} reads, <= {READS_GOAL} {result}")


def _report_rate(load: ProcessPoolExecutor, baseline: Server, served: Server) -> None:
    def measured(target: str, server: Server) -> RoundResult:
        result: RoundResult = load.submit(run_round, Round(target, server.port, SECONDS, 10**9, 0, "")).result()
        assert set(result.statuses) == {TARGETS["hello"].status}, result.statuses
        return result

    page = served.fetch(TIMES_PATH)
    ratios, rates = [], []
    for _ in range(ROUNDS):
        times, hello = measured(TIMES, served), measured("hello", baseline)
        ratios.append(times.per_second / hello.per_second)
        rates.append(times.per_second)
    rate = statistics.median(ratios)
    result = "met" if rate >= RATE_GOAL else "NOT MET"
    print(f"open times, relative to hello: {rate:.2f} ({min(ratios):.2f}-{max(ratios):.2f}), >= {RATE_GOAL} {result}")
    print(f"{statistics.median(rates):.0f}/s; {len(page):,} bytes, gzipped {len(gzip.compress(page, 6)):,}")


if __name__ == "__main__":
    sys.exit(main())
