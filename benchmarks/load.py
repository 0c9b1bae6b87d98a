"""The load generator, in a process of its own: a round of requests over 64 connections, and their answers."""

import asyncio
import math
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass

import uvloop

from benchmarks.http_connection import Connection, Shared
from benchmarks.sample_requests import ALL_TARGETS

CONNECTIONS = 64
SILENCE_SECONDS = 15.0  # after its end, until a round that gets no answer is given up


@dataclass(frozen=True)
class Round:
    """One round to drive: until `seconds` have passed or `most` requests are sent. `first` numbers the requests."""

    target: str
    port: int
    seconds: float
    most: int
    first: int
    token: str


@dataclass(frozen=True)
class Driven:
    """What came back. Latencies in milliseconds; `busy` is the load generator's share of its core."""

    statuses: Counter[int]
    per_second: float
    median: float
    p99: float
    busy: float


def process_id() -> int:
    """The load's process; asking for it makes the pool start it."""
    return os.getpid()


def drive(wanted: Round) -> Driven:
    """Raises `ConnectionError`, `TimeoutError`."""
    return uvloop.run(_drive(wanted))


async def _drive(wanted: Round) -> Driven:
    loop = asyncio.get_running_loop()
    began, used = time.perf_counter(), time.process_time()
    shared = Shared(
        requests=ALL_TARGETS[wanted.target].requests(wanted.first, wanted.token),
        until=began + wanted.seconds,
        left=wanted.most,
        open=CONNECTIONS,
        done=loop.create_future(),
    )
    async with asyncio.timeout(wanted.seconds + SILENCE_SECONDS):
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: Connection(shared), "127.0.0.1", wanted.port)
        await shared.done
    took = time.perf_counter() - began
    busy = (time.process_time() - used) / took
    median, p99 = _percentiles(shared.latencies)
    return Driven(shared.statuses, shared.statuses.total() / took, median, p99, busy)


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    if len(seconds) < 2:  # a round of some last posts
        return math.nan, math.nan
    cuts = statistics.quantiles(seconds, n=100)
    return 1000 * cuts[49], 1000 * cuts[98]
