"""The long run, on each database: `make soak`. docs/performance.md has its figures."""

import argparse
import random
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from tests.endurance.cluster import disturb, staged
from tests.servers import postgresql_server

DATABASES = ("SQLite", "PostgreSQL")


def main() -> None:
    """Prints a line for each database; ends with 1 when something was lost, or twice without need."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--on", choices=DATABASES, nargs="+", default=DATABASES)
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}, {wanted.minutes} minutes on {' and '.join(wanted.on)}", flush=True)
    held = [_soak(kind, wanted.minutes * 60, wanted.seed) for kind in wanted.on]
    sys.exit(0 if all(held) else 1)


def _soak(kind: str, seconds: float, seed: int) -> bool:
    """The processes' folder, with their logs, is kept unless all held."""
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
        stage = stack.enter_context(staged(folder, url, webs=1 if kind == "SQLite" else 2, cuts=kind != "SQLite"))
        with stage.load.running():
            disturb(stage, time.monotonic() + seconds, random.Random(seed), everything=True)
        verdict = stage.verdict(within=180)
    disturbances = ", ".join(f"{count} x {what}" for what, count in stage.kills.items())
    print(
        f"{kind}: {disturbances}; {verdict.accepted} accepted, {verdict.delivered} delivered, {verdict.parked} parked, "
        f"{len(verdict.lost)} lost, {verdict.twice} twice (all marked: {not verdict.unmarked})",
        flush=True,
    )
    if verdict.holds:
        shutil.rmtree(folder)
    return verdict.holds


if __name__ == "__main__":
    main()
