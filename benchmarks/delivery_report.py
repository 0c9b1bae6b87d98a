"""The delivery benchmark on SQLite and PostgreSQL: `make benchmark-delivery`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from app import logs
from benchmarks import booking_chain, claim_cost, delivery, interference
from benchmarks.booking_chain import measure_chain
from benchmarks.claim_cost import measure_claim_cost
from benchmarks.databases import KINDS
from benchmarks.delivery import measure_delivery
from benchmarks.interference import measure_interference

ROOT = Path(__file__).parents[1]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="intresse-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user if we are root
        with (folder / "own.log").open("w") as log:
            logs.configure(log)
            for kind in KINDS:
                for figure, measured, goal in _figures(kind, folder / kind):
                    print(f"{kind:10}  {figure:59}  {measured:32}  {goal}", flush=True)


def _figures(kind: str, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yields figure, measured value and goal."""
    if kind == "SQLite":
        folder.mkdir()
        chain = measure_chain(folder)
        numbers = f"{chain.ratio:.2f} ({chain.delivered:.1f} : {chain.bare:.1f} ms)"
        yield "a booking's chain, relative to its three calls made bare", numbers, f"<= {booking_chain.GOAL}"
        numbers = f"{chain.ratio_with_claim:.2f} ({chain.claimed:.1f} : {chain.bare:.1f} ms)"
        yield "the same with the claim before it", numbers, ""
    rates = measure_delivery(kind, folder / "delivery")
    yield "delivered by one worker, a second", f"{rates.rate:.0f}", f">= {delivery.RATE_GOAL:.0f}"
    numbers = f"{rates.ratio:.2f} ({rates.idle:.1f} : {rates.bare:.1f} ms)"
    yield "accept to Vitec's answer when idle, relative to a bare post", numbers, f"<= {delivery.IDLE_GOAL}"
    posts = measure_interference(kind, ROOT, folder / "posts")
    numbers = f"{posts.ratio:.2f} ({posts.with_other:.0f} : {posts.alone:.0f} /s)"
    yield "posts while a worker runs, relative to those without", numbers, f">= {interference.GOAL}"
    cost = measure_claim_cost(kind, folder / "claims")
    numbers = f"{cost.ratio:.2f} ({cost.many:.2f} : {cost.few:.2f} ms)"
    yield (
        f"a claim among {claim_cost.MANY:,} rows, relative to one among {claim_cost.FEW:,}",
        numbers,
        f"<= {claim_cost.GOAL}",
    )
    goal = f"<= {claim_cost.RETENTION_GOAL_MILLISECONDS} ms"
    yield f"retention's round among {claim_cost.MANY:,} rows, with nothing to do", f"{cost.retention:.2f} ms", goal


if __name__ == "__main__":
    main()
