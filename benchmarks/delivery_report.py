"""The delivery benchmark on SQLite and PostgreSQL: `make benchmark-delivery`. It takes four minutes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from app import logs
from benchmarks import booking_chain, claim_cost, delivery, interference
from benchmarks.booking_chain import measure_chain
from benchmarks.claim_cost import measure_claims
from benchmarks.databases import KINDS
from benchmarks.delivery import measure_delivery
from benchmarks.interference import measure_interference

ROOT = Path(__file__).parents[1]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="intresse-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
        with (folder / "own.log").open("w") as log:
            logs.configure(log)
            for kind in KINDS:
                for figure, measured, wanted in _figures(kind, folder / kind):
                    print(f"{kind:10}  {figure:52}  {measured:32}  {wanted}", flush=True)


def _figures(kind: str, folder: Path) -> Iterator[tuple[str, str, str]]:
    """Figure, measured, wanted."""
    if kind == "SQLite":
        folder.mkdir()
        made = measure_chain(folder)
        numbers = f"{made.ratio:.2f} ({made.delivered:.1f} : {made.bare:.1f} ms)"
        yield "a booking's chain, of its three calls bare", numbers, f"<= {booking_chain.WANTED}"
        numbers = f"{made.ratio_with_claim:.2f} ({made.claimed:.1f} : {made.bare:.1f} ms)"
        yield "the same with the claim before it", numbers, ""
    speed = measure_delivery(kind, folder / "delivery")
    yield "delivered by one worker, a second", f"{speed.rate:.0f}", f">= {delivery.WANTED_RATE:.0f}"
    numbers = f"{speed.ratio:.2f} ({speed.idle:.1f} : {speed.bare:.1f} ms)"
    yield "accept to Vitec's answer when idle, of a bare post", numbers, f"<= {delivery.WANTED_IDLE}"
    posts = measure_interference(kind, ROOT, folder / "beside")
    numbers = f"{posts.ratio:.2f} ({posts.with_other:.0f} : {posts.alone:.0f} /s)"
    yield "posts while a worker runs, relative to those without", numbers, f">= {interference.WANTED}"
    cost = measure_claims(kind, folder / "claims")
    numbers = f"{cost.ratio:.2f} ({cost.many:.2f} : {cost.few:.2f} ms)"
    yield f"a claim among {claim_cost.MANY:,} rows, of one among {claim_cost.FEW:,}", numbers, f"<= {claim_cost.WANTED}"
    wanted = f"<= {claim_cost.WANTED_RETENTION} ms"
    yield f"retention's round among {claim_cost.MANY:,} rows, with nothing to do", f"{cost.retention:.2f} ms", wanted


if __name__ == "__main__":
    main()
