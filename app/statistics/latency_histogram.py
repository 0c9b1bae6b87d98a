"""A histogram of delivery times. The duration doubles every four buckets, so a quantile is within a tenth of the true
value."""

from collections.abc import Mapping
from datetime import timedelta
from math import log2

BUCKETS_PER_DOUBLING = 4
SHORTEST_SECONDS = 0.01


def bucket_of(duration: timedelta) -> int:
    seconds = max(duration.total_seconds(), SHORTEST_SECONDS)
    return round(log2(seconds) * BUCKETS_PER_DOUBLING)


def quantile(counts: Mapping[int, int], share: float) -> timedelta | None:
    """The duration within which `share` (0–1) of the counted deliveries took place; None if nothing was counted."""
    left = sum(counts.values()) * share
    for bucket, count in sorted(counts.items()):
        left -= count
        if left <= 0:
            return timedelta(seconds=2 ** (bucket / BUCKETS_PER_DOUBLING))
    return None
