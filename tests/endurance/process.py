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
    """libfaketime, where it is installed (see tests/install-programs)."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@dataclass
class Process:
    """`intresse` with these arguments, started anew whenever it was killed."""

    arguments: list[str]
    folder: Path
    running: "subprocess.Popen[bytes] | None" = None

    def start(self, clock: Path | None = None) -> None:
        """`clock`: a file that says how far off this process's clock is, in libfaketime's words."""
        environment = os.environ | {"INTRESSE_CONFIG": str(self.folder / "intresse.toml"), "PYTHONUTF8": "1"}
        if clock is not None:
            environment |= {"LD_PRELOAD": str(faketime()), "FAKETIME_TIMESTAMP_FILE": str(clock)}
            environment |= {"FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with (self.folder / "processes.log").open("ab") as log:
            command = [sys.executable, "-m", "app", *self.arguments]
            self.running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def send(self, number: int) -> None:
        if self.running and self.running.poll() is None:
            self.running.send_signal(number)

    def end(self, number: int = signal.SIGKILL, within: float = 30) -> float:
        """Seconds until it had ended."""
        began = time.monotonic()
        self.send(signal.SIGCONT)
        self.send(number)
        if self.running:
            self.running.wait(within)
        return time.monotonic() - began
