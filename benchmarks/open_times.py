"""The form of a home's open times: its rate with a warm cache relative to the baseline, and how often Vitec is read
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
from benchmarks.load import Driven, Round, drive, process_id
from benchmarks.report import machine_lines
from benchmarks.sample_requests import CUSTOMER, HOMES, TARGETS, TIMES, TIMES_PATH
from benchmarks.servers import Server, hello
from benchmarks.service import service, sqlite_url

ROOT = Path(__file__).resolve().parents[1]
ROUNDS, SECONDS = 7, 3.0
VISITORS, WITHIN_SECONDS = 1000, 10
WANTED_SHARE, WANTED_READS = 0.6, HOMES
SLOTS = 8  # of each home


def main() -> int:
    """0 when it measured, whatever it found."""
    with tempfile.TemporaryDirectory(prefix="intresse-benchmark-") as name, ExitStack() as stack:
        folder, office = Path(name), _office()
        print(*machine_lines(folder), sep="\n", flush=True)
        vitec_url = stack.enter_context(serve_sandbox(office))
        with machine.on_core(machine.load_core()):
            load = stack.enter_context(ProcessPoolExecutor(1, multiprocessing.get_context("spawn")))
            load.submit(process_id).result()
        yardstick = stack.enter_context(hello(ROOT, folder))
        served = stack.enter_context(service(ROOT, folder / "service", sqlite_url(folder), vitec_url))
        _tell_reads(load, served, office)
        _tell_rate(load, yardstick, served)
    return 0


def _office() -> Office:
    """With homes that have one viewing each."""
    start, quarter = datetime.now(UTC) + timedelta(days=3), timedelta(minutes=15)
    homes = [f"OBJ{number}" for number in range(HOMES)]
    slots = [Slot(starts_at=start + place * quarter, ends_at=start + (place + 1) * quarter) for place in range(SLOTS)]
    return Office(
        [Customer(CUSTOMER, "secret")],
        estates=frozenset(homes),
        viewings={f"V{home}": Viewing(home, start, start + SLOTS * quarter) for home in homes},
        slots={(f"V{home}", f"{home}-{place}"): slot for home in homes for place, slot in enumerate(slots)},
    )


def _tell_reads(load: ProcessPoolExecutor, served: Server, office: Office) -> None:
    """A second's worth of visitors at a time, on a service that knows no home yet."""
    began = time.monotonic()
    for second in range(WITHIN_SECONDS):
        most = VISITORS // WITHIN_SECONDS
        load.submit(drive, Round(TIMES, served.port, 1.0, most, second * most, "")).result()
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))
    reads = sum(call.operation == "estate" for call in office.received)
    result = "met" if reads <= WANTED_READS else "NOT MET"
    print(f"{VISITORS} visitors in {WITHIN_SECONDS} s on {HOMES} homes: {reads} reads, <= {WANTED_READS} {result}")


def _tell_rate(load: ProcessPoolExecutor, yardstick: Server, served: Server) -> None:
    def driven(target: str, server: Server) -> Driven:
        result: Driven = load.submit(drive, Round(target, server.port, SECONDS, 10**9, 0, "")).result()
        assert set(result.statuses) == {TARGETS["hello"].status}, result.statuses
        return result

    page = served.fetch(TIMES_PATH)
    ratios, rates = [], []
    for _ in range(ROUNDS):
        times, hello = driven(TIMES, served), driven("hello", yardstick)
        ratios.append(times.per_second / hello.per_second)
        rates.append(times.per_second)
    share = statistics.median(ratios)
    result = "met" if share >= WANTED_SHARE else "NOT MET"
    print(f"open times, of hello's rate: {share:.2f} ({min(ratios):.2f}-{max(ratios):.2f}), >= {WANTED_SHARE} {result}")
    print(f"{statistics.median(rates):.0f}/s; {len(page):,} bytes, gzipped {len(gzip.compress(page, 6)):,}")


if __name__ == "__main__":
    sys.exit(main())
