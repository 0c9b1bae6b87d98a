"""The machine: its cores, the memory of a process, and the speed of a durable write."""

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = 4096


def cores() -> list[int]:
    """The cores that this process may use; empty where processes can't be bound to one."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def server_core() -> int | None:
    return cores()[0] if cores() else None


def load_core() -> int | None:
    """Another core than the server's, where there is one."""
    return cores()[-1] if cores() else None


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started meanwhile runs on this core from its first instruction: a child inherits it."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def has_proc() -> bool:
    return Path("/proc/self/status").exists()


def resident(pid: int) -> float | None:
    """MB (10^6 bytes) of memory that the process holds; None where there is no /proc."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
    return None


def fsync_milliseconds(folder: Path, times: int = 200) -> tuple[float, float]:
    """Median and 99th percentile of appending a page to a file and making it durable."""
    results = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(times):
            file.write(os.urandom(PAGE))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            results.append((time.perf_counter() - began) * 1000)
    return statistics.median(results), statistics.quantiles(results, n=100)[98]


def processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def file_system(folder: Path) -> str:
    """Its kind ("ext4"; "tmpfs" would be memory), by the longest mount point above the folder."""
    with contextlib.suppress(OSError):
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
        above = [(point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
        return max(above, key=lambda mount: len(mount[0]))[1]
    return "unknown"
