"""The endurance test on each database: `make soak`. The results are in docs/performance.md."""

import argparse
import random
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from tests.endurance.cluster import disturb, running_cluster
from tests.servers import postgresql_server

DATABASES = ("SQLite", "PostgreSQL")


def main() -> None:
    """Prints a line for each database. Exits with 1 if a lead was lost or needlessly sent twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="on each database (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the random failures")
    parser.add_argument("--on", choices=DATABASES, nargs="+", default=DATABASES, help="default: both")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.minutes} minutes on {' and '.join(arguments.on)}", flush=True)
    passed = [_run(kind, arguments.minutes * 60, arguments.seed) for kind in arguments.on]
    sys.exit(0 if all(passed) else 1)


def _run(kind: str, seconds: float, seed: int) -> bool:
    """True if the test passed. Otherwise the folder with the processes' logs is kept."""
    folder = Path(mkdtemp(prefix="intresse-soak-"))
    print(f"{kind} in {folder}", flush=True)
    with ExitStack() as stack:
        if kind == "SQLite":
            url = f"sqlite:///{folder}/intresse.db"
        else:
            server = Path(
                stack.enter_context(TemporaryDirectory(prefix="intresse-soak-pg-", ignore_cleanup_errors=True))
            )
            url = stack.enter_context(postgresql_server(server)).render_as_string(hide_password=False)
        cluster = stack.enter_context(
            running_cluster(folder, url, replicas=1 if kind == "SQLite" else 2, cuts=kind != "SQLite")
        )
        with cluster.load.running():
            disturb(cluster, time.monotonic() + seconds, random.Random(seed), everything=True)
        comparison = cluster.compare(within=180)
    disturbances = ", ".join(f"{count} x {what}" for what, count in cluster.disturbances.items())
    print(
        f"{kind}: {disturbances}; {comparison.accepted} accepted, {comparison.delivered} delivered, "
        f"{comparison.parked} parked, {len(comparison.lost)} lost, "
        f"{comparison.sent_twice} sent twice (all marked: {not comparison.unmarked})",
        flush=True,
    )
    if comparison.passed:
        shutil.rmtree(folder)
    return comparison.passed


if __name__ == "__main__":
    main()
