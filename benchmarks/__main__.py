"""Measures the service relative to a bare FastAPI hello, on SQLite and PostgreSQL, and prints the results with
their goals."""

import argparse
import compileall
import sys
import tempfile
from pathlib import Path

from app.web.rendering.precompile import precompile
from benchmarks import machine
from benchmarks.booking_chain import measure_chain
from benchmarks.databases import KINDS
from benchmarks.measure import MeasurementError, measure
from benchmarks.report import machine_lines, note_lines, table
from benchmarks.results import FULL, QUICK

ROOT = Path(__file__).resolve().parents[1]
PERSISTENT = Path("/var/tmp")  # on disk even where /tmp is in memory


def main() -> int:
    """Returns 0 whatever the results, 1 if the measurement itself failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at most 80 s: rough figures, memory after fewer posts")
    default = PERSISTENT if PERSISTENT.is_dir() else Path(tempfile.gettempdir())
    parser.add_argument(
        "--folder", type=Path, default=default, help="a folder on the disk to measure (default: %(default)s)"
    )
    arguments = parser.parse_args()
    if not machine.has_proc():
        print("There is no /proc: memory is not measured.")
    # As in the image, also where Python is told to write no bytecode.
    compileall.compile_dir(ROOT / "app", quiet=1)
    precompile()
    with tempfile.TemporaryDirectory(prefix="intresse-benchmark-", dir=arguments.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user if we are root
        print(*machine_lines(folder), sep="\n", flush=True)
        try:
            for kind in KINDS:
                print("", kind, sep="\n", flush=True)
                results = measure(QUICK if arguments.quick else FULL, kind, ROOT, _create_folder(folder / kind))
                if kind == "SQLite":
                    results.chain = measure_chain(folder)
                print("", *table(results), "", *note_lines(results), sep="\n", flush=True)
        except MeasurementError as error:
            print(f"\nThe measurement failed: {error}", file=sys.stderr)
            return 1
    return 0


def _create_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
