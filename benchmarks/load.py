"""The load generator: sends a round of requests over 64 connections. It runs in its own process."""

import asyncio
import math
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass

import uvloop

from benchmarks.http_connection import Connection, RoundState
from benchmarks.sample_requests import ALL_TARGETS

CONNECTIONS = 64
ANSWER_TIMEOUT_SECONDS = 15.0  # after the end of a round


@dataclass(frozen=True)
class Round:
    """A round lasts `seconds`, or until `max_requests` are sent. Requests are numbered from `first_number`."""

    target: str
    port: int
    seconds: float
    max_requests: int
    first_number: int
    token: str


@dataclass(frozen=True)
class RoundResult:
    """`median`, `p99`: latencies in milliseconds. `busy`: the share of its core that the load generator used."""

    statuses: Counter[int]
    per_second: float
    median: float
    p99: float
    busy: float


def process_id() -> int:
    """The load generator's process id. Asking for it makes the pool start the process."""
    return os.getpid()


def run_round(spec: Round) -> RoundResult:
    """Raises `ConnectionError`, `TimeoutError`."""
    return uvloop.run(_run_round(spec))


async def _run_round(spec: Round) -> RoundResult:
    loop = asyncio.get_running_loop()
    began, cpu_began = time.perf_counter(), time.process_time()
    state = RoundState(
        requests=ALL_TARGETS[spec.target].requests(spec.first_number, spec.token),
        until=began + spec.seconds,
        left=spec.max_requests,
        open=CONNECTIONS,
        done=loop.create_future(),
    )
    async with asyncio.timeout(spec.seconds + ANSWER_TIMEOUT_SECONDS):
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: Connection(state), "127.0.0.1", spec.port)
        await state.done
    took = time.perf_counter() - began
    busy = (time.process_time() - cpu_began) / took
    median, p99 = _percentiles(state.latencies)
    return RoundResult(state.statuses, state.statuses.total() / took, median, p99, busy)


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    if len(seconds) < 2:  # a round of few posts
        return math.nan, math.nan
    cuts = statistics.quantiles(seconds, n=100)
    return 1000 * cuts[49], 1000 * cuts[98]
