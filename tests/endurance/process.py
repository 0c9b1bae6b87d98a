"""A process of the product that can be killed and restarted."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


def faketime() -> Path | None:
    """The path of libfaketime, if installed (see tests/install-programs)."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@dataclass
class Process:
    """`intresse` with these arguments. It can be restarted after it has ended."""

    arguments: list[str]
    folder: Path
    running: "subprocess.Popen[bytes] | None" = None

    def start(self, clock: Path | None = None) -> None:
        """`clock`: a file with the offset of this process's clock, in libfaketime's format."""
        environment = os.environ | {"INTRESSE_CONFIG": str(self.folder / "intresse.toml"), "PYTHONUTF8": "1"}
        if clock is not None:
            environment |= {"LD_PRELOAD": str(faketime()), "FAKETIME_TIMESTAMP_FILE": str(clock)}
            environment |= {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with (self.folder / "processes.log").open("ab") as log:
            command = [sys.executable, "-m", "app", *self.arguments]
            self.running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def send(self, signal_number: int) -> None:
        if self.running and self.running.poll() is None:
            self.running.send_signal(signal_number)

    def end(self, signal_number: int = signal.SIGKILL, within: float = 30) -> float:
        """Sends the signal and waits; returns the seconds until the process ended."""
        self.send(signal.SIGCONT)
        self.send(signal_number)
        return self.wait(within)

    def wait(self, within: float = 30) -> float:
        """Seconds until the process ended."""
        began = time.monotonic()
        if self.running:
            self.running.wait(within)
        return time.monotonic() - began

    def handles(self, signal_number: int) -> bool:
        """Whether the process has got so far in its start that it handles this signal."""
        if self.running is None:
            return False
        status = Path(f"/proc/{self.running.pid}/status").read_text("ascii")
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) & 1 << signal_number - 1)
