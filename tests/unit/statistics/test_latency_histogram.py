"""Quantiles of the histogram are within a tenth of the true ones."""

from collections import Counter
from datetime import timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.statistics.latency_histogram import bucket_of, quantile

SECONDS = st.lists(st.floats(0.01, 400_000), min_size=1, max_size=50)


@given(SECONDS, st.sampled_from([0.5, 0.95]))
def test_a_quantile_is_within_a_tenth_of_the_true_one(seconds: list[float], share: float) -> None:
    found = quantile(Counter(bucket_of(timedelta(seconds=one)) for one in seconds), share)
    true = sorted(seconds)[ceil(len(seconds) * share) - 1]
    assert found is not None
    assert found.total_seconds() == pytest.approx(true, rel=0.1)


def test_an_empty_histogram_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
