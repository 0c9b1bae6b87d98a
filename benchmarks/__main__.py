"""Measures the service beside a bare FastAPI hello, and prints what the issue wants beside what was found."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import machine
from benchmarks.chain import measure_chain
from benchmarks.found import FULL, QUICK
from benchmarks.measure import Broken, measure
from benchmarks.report import machine_lines, note_lines, table

ROOT = Path(__file__).resolve().parents[1]
PERSISTENT = Path("/var/tmp")  # where /tmp is memory, this is not


def main() -> int:
    """0 when it measured, whatever it found; 1 when the measurement itself went wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at most 40 s: a rough picture, memory after fewer posts")
    default = PERSISTENT if PERSISTENT.is_dir() else Path(tempfile.gettempdir())
    parser.add_argument("--folder", type=Path, default=default, help="on the disk to measure (%(default)s)")
    asked = parser.parse_args()
    if not machine.has_proc():
        print("No /proc here: memory will not be measured.")
    with tempfile.TemporaryDirectory(prefix="intresse-benchmark-", dir=asked.folder) as folder:
        print(*machine_lines(Path(folder)), "", sep="\n", flush=True)
        try:
            found = measure(QUICK if asked.quick else FULL, ROOT, Path(folder))
            found.chain = measure_chain(Path(folder))
        except Broken as error:
            print(f"\nBROKEN, so there are no figures: {error}", file=sys.stderr)
            return 1
    print("", *table(found), "", *note_lines(found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
