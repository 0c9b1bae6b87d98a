"""Measures the service relative to a bare FastAPI hello, on SQLite and PostgreSQL, and prints the results with
their goals."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.booking_chain import measure_chain
from benchmarks.databases import KINDS
from benchmarks.measure import MeasurementError, measure
from benchmarks.report import machine_lines, note_lines, table
from benchmarks.results import FULL, QUICK

ROOT = Path(__file__).resolve().parents[1]
PERSISTENT = Path("/var/tmp")  # where /tmp is memory, this is not


def main() -> int:
    """0 when it measured, whatever the results; 1 when the measurement itself went wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at most 80 s: a rough picture, memory after fewer posts")
    default = PERSISTENT if PERSISTENT.is_dir() else Path(tempfile.gettempdir())
    parser.add_argument("--folder", type=Path, default=default, help="on the disk to measure (%(default)s)")
    asked = parser.parse_args()
    if not machine.has_proc():
        print("No /proc here: memory will not be measured.")
    with tempfile.TemporaryDirectory(prefix="intresse-benchmark-", dir=asked.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
        print(*machine_lines(folder), sep="\n", flush=True)
        try:
            for kind in KINDS:
                print("", kind, sep="\n", flush=True)
                results = measure(QUICK if asked.quick else FULL, kind, ROOT, _made(folder / kind))
                if kind == "SQLite":
                    results.chain = measure_chain(folder)
                print("", *table(results), "", *note_lines(results), sep="\n", flush=True)
        except MeasurementError as error:
            print(f"\nBROKEN, so there are no figures: {error}", file=sys.stderr)
            return 1
    return 0


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
