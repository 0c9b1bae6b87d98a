"""Seconds that pass for this machine, also while it is suspended: what a lease and an age are measured by."""

import sys
import time


def seconds() -> float:
    """Of a clock that nobody sets; only differences mean something."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)  # it, too, goes on; Python's own does not
    return time.monotonic()
