"""When the operator is warned about held submissions for the second time."""

from datetime import timedelta

import pytest

from app.privacy.retention import last_alert_after


@pytest.mark.parametrize(("held_days", "after"), [(30, 23), (8, 1), (7, 3.5), (2, 1), (1, 0.5)])
def test_the_second_warning_comes_a_week_before_the_end_or_halfway_there(held_days: int, after: float) -> None:
    assert last_alert_after(timedelta(days=held_days)) == timedelta(days=after)
