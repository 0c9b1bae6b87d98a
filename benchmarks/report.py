"""The report: one table, and the figures needed to judge it."""

import os
import platform
from pathlib import Path

from benchmarks import machine
from benchmarks.booking_chain import WANTED, Chain
from benchmarks.load import CONNECTIONS
from benchmarks.results import Results, spread
from benchmarks.sample_requests import TARGETS

POST_SHARE = 0.35
POST_TAIL = 3.3
PAGE_SHARE = 0.8
READY_MB = 120.0
MEMORY_MB = 150.0
MEMORY_POSTS = 50_000
START_SECONDS = 2.0
BUSY = 0.85  # a load generator above this share of its core measures itself


def machine_lines(folder: Path) -> list[str]:
    """What it runs on."""
    cores = machine.cores()
    if not cores:
        binding = "processes can't be bound to a core here: take the ratios with care"
    elif len(cores) == 1:
        binding = "ONE core for server and load together: the ratios say little"
    else:
        binding = f"server bound to core {machine.server_core()}, load to core {machine.load_core()}"
    load = f", load average at the start {os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else ""
    return [
        f"{machine.processor()}, {os.cpu_count()} cores, {platform.system()}{load}",
        f"{platform.python_implementation()} {platform.python_version()}; {binding}; {CONNECTIONS} connections",
        f"database on {machine.file_system(folder)} in {folder}",
    ]


def table(results: Results) -> list[str]:
    """Figure, measured (the rounds' median, lowest to highest), wanted, met or not."""
    post, page = (results.ratios(target, lambda driven: driven.per_second) for target in ("post", "page"))
    tail = results.ratios("post", lambda driven: driven.p99)
    rows = [
        ("figure", "measured", "lowest-highest", "wanted", ""),
        ("durable form post, of hello's rate", *_of(post), f">= {POST_SHARE}", _result(spread(post)[0] >= POST_SHARE)),
        ("durable form post's p99, of hello's", *_of(tail), f"<= {POST_TAIL}", _result(spread(tail)[0] <= POST_TAIL)),
        ("form page, of hello's rate", *_of(page), f">= {PAGE_SHARE}", _result(spread(page)[0] >= PAGE_SHARE)),
        _memory("RSS when ready, MB", results.idle_mb, READY_MB),
        _memory_after(results),
        *([_chain(results.chain)] if results.chain else []),
        (
            "start to first answer, s",
            *_of(results.starts),
            f"<= {START_SECONDS}",
            _result(spread(results.starts)[0] <= START_SECONDS),
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _chain(chain: Chain) -> tuple[str, str, str, str, str]:
    milliseconds = f"{chain.delivered:.1f} : {chain.bare:.1f} ms"
    result = _result(chain.ratio <= WANTED)
    return "a booking's chain, of its three calls bare", f"{chain.ratio:.2f}", milliseconds, f"<= {WANTED}", result


def _of(values: list[float]) -> tuple[str, str]:
    middle, least, most = spread(values)
    return f"{middle:.2f}", f"{least:.2f}-{most:.2f}"


def _memory(name: str, resident: float | None, most: float) -> tuple[str, str, str, str, str]:
    if resident is None:
        return name, "-", "", f"<= {most:.0f}", "not measured"
    return name, f"{resident:.0f}", "", f"<= {most:.0f}", _result(resident <= most)


def _memory_after(results: Results) -> tuple[str, str, str, str, str]:
    *row, result = _memory(f"RSS after {results.posted:,} posts, MB", results.end_mb, MEMORY_MB)
    few = results.posted < MEMORY_POSTS  # they prove nothing
    return row[0], row[1], row[2], row[3], f"wants {MEMORY_POSTS:,} posts" if few else result


def _result(met: bool) -> str:
    return "met" if met else "NOT MET"


def note_lines(results: Results) -> list[str]:
    """What stands behind the ratios."""
    lines = []
    for target, rounds in results.rounds.items():
        rate = spread([driven.per_second for driven in rounds])[0]
        median = spread([driven.median for driven in rounds])[0]
        p99 = spread([driven.p99 for driven in rounds])[0]
        status = TARGETS[target].status
        answers = f"{results.statuses[target, status]:,} x {status}"
        lines.append(f"{target:5}  {rate:6.0f}/s  median {median:5.1f} ms  p99 {p99:5.1f} ms  {answers}")
    busiest = max(driven.busy for rounds in results.rounds.values() for driven in rounds)
    warning = ": TOO BUSY, it was measured too" if busiest > BUSY else ""
    return [
        *lines,
        f"durable: after SIGKILL the database holds {results.posted:,} submissions for {results.posted:,} x 303",
        "fsync of one page on this disk: median {:.2f} ms, p99 {:.2f} ms".format(*results.fsync),
        "form page: {:,} bytes, gzipped {:,}".format(*results.page_bytes),
        f"load generator at most {busiest:.0%} busy{warning}",
    ]
