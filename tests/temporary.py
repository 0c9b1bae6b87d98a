"""The folder that tests write to: in memory, if the machine has room for it there. No test cuts the power, and on a
slow disk waiting for it makes up most of the time of the database tests."""

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3  # bytes; a run of all tests needs less than half of it


def use_memory() -> None:
    """For this process and those that it starts. An existing `TMPDIR` is respected."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and _has_room():
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # which is found again


def _has_room() -> bool:
    """Whether it has room, and allows scripts to be run, which a container's may not."""
    filesystem = os.statvfs(MEMORY)
    return filesystem.f_bavail * filesystem.f_frsize >= ROOM and not filesystem.f_flag & os.ST_NOEXEC
