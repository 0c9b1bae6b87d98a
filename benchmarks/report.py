"""The report: a table of the results, and the figures behind it."""

import os
import platform
from pathlib import Path

from benchmarks import machine
from benchmarks.booking_chain import GOAL, Chain
from benchmarks.load import CONNECTIONS
from benchmarks.results import Results, spread
from benchmarks.sample_requests import TARGETS

# The goals
POST_RATE = 0.35
POST_P99 = 3.3
PAGE_RATE = 0.8
READY_MB = 120.0
MEMORY_MB = 150.0
MEMORY_POSTS = 50_000
START_SECONDS = 2.0

MAX_BUSY = 0.85  # above this share of its core, the load generator is the bottleneck


def machine_lines(folder: Path) -> list[str]:
    """Describes the machine."""
    cores = machine.cores()
    if not cores:
        binding = "processes can't be bound to a core: take the ratios with care"
    elif len(cores) == 1:
        binding = "server and load share ONE core: the ratios mean little"
    else:
        binding = f"server bound to core {machine.server_core()}, load to core {machine.load_core()}"
    load = f", load average at the start {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else ""
    return [
        f"{machine.processor()}, {os.cpu_count()} cores, {platform.system()}{load}",
        f"{platform.python_implementation()} {platform.python_version()}; {binding}; {CONNECTIONS} connections",
        f"database on {machine.file_system(folder)} in {folder}",
    ]


def table(results: Results) -> list[str]:
    """Columns: figure, measured (median of the rounds), lowest and highest, goal, met or not."""
    post, page = (results.ratios(target, lambda result: result.per_second) for target in ("post", "page"))
    tail = results.ratios("post", lambda result: result.p99)
    rows = [
        ("figure", "measured", "lowest-highest", "goal", ""),
        (
            "durable form post, relative to hello's rate",
            *_format(post),
            f">= {POST_RATE}",
            _result(spread(post)[0] >= POST_RATE),
        ),
        (
            "durable form post's p99, relative to hello's",
            *_format(tail),
            f"<= {POST_P99}",
            _result(spread(tail)[0] <= POST_P99),
        ),
        (
            "form page, relative to hello's rate",
            *_format(page),
            f">= {PAGE_RATE}",
            _result(spread(page)[0] >= PAGE_RATE),
        ),
        _memory("RSS when ready, MB", results.idle_mb, READY_MB),
        _memory_after(results),
        *([_chain(results.chain)] if results.chain else []),
        (
            "start to first answer, s",
            *_format(results.starts),
            f"<= {START_SECONDS}",
            _result(spread(results.starts)[0] <= START_SECONDS),
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _chain(chain: Chain) -> tuple[str, str, str, str, str]:
    milliseconds = f"{chain.delivered:.1f} : {chain.bare:.1f} ms"
    result = _result(chain.ratio <= GOAL)
    return (
        "a booking's chain, relative to its three calls made bare",
        f"{chain.ratio:.2f}",
        milliseconds,
        f"<= {GOAL}",
        result,
    )


def _format(values: list[float]) -> tuple[str, str]:
    median, lowest, highest = spread(values)
    return f"{median:.2f}", f"{lowest:.2f}-{highest:.2f}"


def _memory(name: str, resident_mb: float | None, highest: float) -> tuple[str, str, str, str, str]:
    if resident_mb is None:
        return name, "-", "", f"<= {highest:.0f}", "not measured"
    return name, f"{resident_mb:.0f}", "", f"<= {highest:.0f}", _result(resident_mb <= highest)


def _memory_after(results: Results) -> tuple[str, str, str, str, str]:
    *row, result = _memory(f"RSS after {results.posted:,} posts, MB", results.end_mb, MEMORY_MB)
    few = results.posted < MEMORY_POSTS  # too few to judge
    return row[0], row[1], row[2], row[3], f"needs {MEMORY_POSTS:,} posts" if few else result


def _result(met: bool) -> str:
    return "met" if met else "NOT MET"


def note_lines(results: Results) -> list[str]:
    """The absolute figures behind the ratios."""
    lines = []
    for target, rounds in results.rounds.items():
        rate = spread([result.per_second for result in rounds])[0]
        median = spread([result.median for result in rounds])[0]
        p99 = spread([result.p99 for result in rounds])[0]
        status = TARGETS[target].status
        answers = f"{results.statuses[target, status]:,} x {status}"
        lines.append(f"{target:5}  {rate:6.0f}/s  median {median:5.1f} ms  p99 {p99:5.1f} ms  {answers}")
    busiest = max(result.busy for rounds in results.rounds.values() for result in rounds)
    warning = ": TOO BUSY, so it limits the figures" if busiest > MAX_BUSY else ""
    return [
        *lines,
        f"durable: after SIGKILL the database holds {results.posted:,} submissions for {results.posted:,} x 303",
        "fsync of one page on this disk: median {:.2f} ms, p99 {:.2f} ms".format(*results.fsync),
        "form page: {:,} bytes, gzipped {:,}".format(*results.page_bytes),
        f"load generator at most {busiest:.0%} busy{warning}",
    ]
