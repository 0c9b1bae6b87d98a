"""Starts and ends server processes, bound to the server's core."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import on_core, server_core

START_SECONDS = 30.0
STOP_SECONDS = 15.0


class ServerStoppedError(Exception):
    """A server did not start; the message is the end of its log."""


@dataclass(frozen=True)
class Server:
    """`start_seconds`: from the start of the process to its first 200."""

    process: subprocess.Popen[bytes]
    port: int
    start_seconds: float

    def fetch(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            content: bytes = answer.read()
        return content

    def kill(self) -> None:
        """Sends SIGKILL: what was only in memory is lost."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)


@contextlib.contextmanager
def hello(root: Path, folder: Path) -> Iterator[Server]:
    """Runs the baseline. Raises `ServerStoppedError`."""
    port = free_port()
    with running(["benchmarks.fastapi_hello", str(port)], port, "/", root, folder / "hello.log", {}) as server:
        yield server


@contextlib.contextmanager
def running(
    module: list[str], port: int, path: str, root: Path, log: Path, environment: dict[str, str]
) -> Iterator[Server]:
    """Runs `python -m` with `module` and its arguments; yields once it answers 200 on `path`.
    Raises `ServerStoppedError`."""
    command = [sys.executable, "-m", *module]
    with log.open("wb") as output, on_core(server_core()):
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=output, env=os.environ | environment)
    try:
        while not _answers(port, path):
            if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                raise ServerStoppedError(f"{module[0]}: {log.read_text('utf-8', 'replace')[-500:] or 'no answer'}")
            time.sleep(0.005)
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
