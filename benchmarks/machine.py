"""The machine: its cores, a process's memory, and the speed of a durable write."""

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = 4096


def cores() -> list[int]:
    """The cores that this process may use; empty if processes can't be bound to a core."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def server_core() -> int | None:
    return cores()[0] if cores() else None


def load_core() -> int | None:
    """Another core than the server's, if there is one."""
    return cores()[-1] if cores() else None


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Binds this process to the core within the context; processes started there inherit that."""
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


def resident_mb(pid: int) -> float | None:
    """The process's resident memory in MB (10^6 bytes); None without /proc."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
    return None


def fsync_milliseconds(folder: Path, times: int = 200) -> tuple[float, float]:
    """Median and 99th percentile of an fsync after appending a page to a file."""
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
    """The folder's file system, such as "ext4"; "tmpfs" is in memory."""
    with contextlib.suppress(OSError):
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
        above = [(point, kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
        return max(above, key=lambda mount: len(mount[0]))[1]
    return "unknown"
