"""Elapsed time on this machine, including while it is suspended. Leases and ages are measured by it."""

import sys
import time


def seconds() -> float:
    """A clock that is never set; only differences are meaningful."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)  # continues during suspension; Python's own does not
    return time.monotonic()
