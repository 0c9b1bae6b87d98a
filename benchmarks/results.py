"""The plan and the results of a measurement."""

import statistics
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.booking_chain import Chain
from benchmarks.load import RoundResult
from benchmarks.sample_requests import TARGETS


@dataclass(frozen=True)
class Plan:
    """`cycles` rounds of `seconds` for each target; then posts until there are `posts`, or until `limit_seconds` after
    the start. `starts`: how many times the service is started to time that."""

    cycles: int
    seconds: float
    posts: int
    starts: int
    limit_seconds: float


FULL = Plan(cycles=25, seconds=1.0, posts=50_000, starts=5, limit_seconds=150)
QUICK = Plan(cycles=3, seconds=1.5, posts=10_000, starts=3, limit_seconds=28)


@dataclass
class Results:
    """`fsync`: median and p99 in ms. `page_bytes`: plain and gzipped. `idle_mb`, `end_mb`: resident memory before the
    first post and after the last; None if it can't be read."""

    plan: Plan
    rounds: dict[str, list[RoundResult]] = field(default_factory=lambda: {target: [] for target in TARGETS})
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    starts: list[float] = field(default_factory=list)
    fsync: tuple[float, float] = (0.0, 0.0)
    page_bytes: tuple[int, int] = (0, 0)
    idle_mb: float | None = None
    end_mb: float | None = None
    chain: Chain | None = None

    @property
    def posted(self) -> int:
        return self.statuses["post", TARGETS["post"].status]

    def ratios(self, target: str, figure: Callable[[RoundResult], float]) -> list[float]:
        """Relative to the hello round of the same cycle, which cancels out the machine's drift."""
        pairs = zip(self.rounds[target], self.rounds["hello"], strict=True)
        return [figure(measured) / figure(baseline) for measured, baseline in pairs]


def spread(values: list[float]) -> tuple[float, float, float]:
    """Median, lowest, highest."""
    return statistics.median(values), min(values), max(values)
