"""Memory with a thousand slow connections behind the compose file's proxy, and whether visitors get through.

The proxy passes a body on as it arrives, so each of them occupies a connection of the service too.
"""

import asyncio
import contextlib
import math
import os
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.machine import resident_mb
from benchmarks.sample_requests import ORIGIN, PATH
from benchmarks.servers import START_SECONDS, Server, ServerStoppedError, free_port
from benchmarks.service import form_token, service, sqlite_url

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = 1000
WAVES = 3
SECONDS = 8  # length of a wave; the proxy would end it after 20
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nOrigin: {ORIGIN}\r\nContent-Length: 2000\r\n"
HEAD += "Content-Type: application/x-www-form-urlencoded\r\n\r\nfirstName="


@dataclass(frozen=True)
class SlowResult:
    """`idle`, `waves`: the service's memory in MB before and at the end of each wave. `proxy`: the proxy's memory.
    `files`: the most files it had open. `visitor`: the slowest visit meanwhile, in milliseconds."""

    idle: float
    waves: list[float]
    proxy: float
    files: int
    visitor: float


@contextlib.contextmanager
def proxied(server: Server, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, ssl.SSLContext]]:
    """Runs Caddy as in the compose file; yields its process, its port and a TLS context that trusts its certificate.
    Raises `ServerStoppedError`."""
    port, authority = free_port(), folder / "caddy/pki/authorities/local/root.crt"
    environment = os.environ | {
        "INTRESSE_REPLICAS": f"127.0.0.1:{server.port}",
        "INTRESSE_HTTPS_PORT": str(port),
        "INTRESSE_HTTP_PORT": str(free_port()),
        **dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder)),
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(ROOT / "deploy/Caddyfile")]
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        began = time.monotonic()
        while not (authority.exists() and _listens(port)):
            if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise ServerStoppedError("caddy: " + (folder / "caddy.log").read_text("utf-8", "replace")[-500:])
            time.sleep(0.05)
        yield process, port, ssl.create_default_context(cafile=authority)
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def measure_slow(folder: Path) -> SlowResult:
    """Raises `ServerStoppedError`, or `OSError` if the proxy is not installed."""
    with (
        service(ROOT, folder / "service", sqlite_url(folder)) as server,
        proxied(server, folder) as (proxy, port, tls),
    ):
        visitor = asyncio.run(_visit(port, tls))  # the first visit loads what the service loads lazily
        idle, waves, files = _megabytes(server.process.pid), [], 0
        for _ in range(WAVES):
            memory, open_files, took = asyncio.run(_wave(server.process.pid, port, tls))
            waves.append(memory)
            visitor, files = max(visitor, took), max(files, open_files)
        return SlowResult(idle, waves, _megabytes(proxy.pid), files, visitor)


async def _wave(pid: int, port: int, tls: ssl.SSLContext) -> tuple[float, int, float]:
    """The service's memory and number of open files at the end of the wave, and the slowest visit during it."""
    async with contextlib.AsyncExitStack() as ending:
        writers = []
        for _ in range(CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost")
            ending.callback(writer.close)
            writer.write(HEAD.encode())
            writers.append(writer)
        slowest = 0.0
        for _ in range(SECONDS):
            for writer in writers:
                writer.write(b"a")
            slowest = max(slowest, await _visit(port, tls))
            await asyncio.sleep(1)
        return _megabytes(pid), len(os.listdir(f"/proc/{pid}/fd")), slowest


async def _visit(port: int, tls: ssl.SSLContext) -> float:
    """Milliseconds from the request for the form to the address of the receipt. Raises `ServerStoppedError`."""
    began = time.perf_counter()
    async with httpx.AsyncClient(base_url=f"https://localhost:{port}", verify=tls, timeout=30) as browser:
        page = await browser.get(PATH)
        fields = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@maklarhuset.se", "consent": "on"}
        fields["token"] = form_token(page.content)
        answer = await browser.post(PATH, data=fields, headers={"Origin": ORIGIN})
    if answer.status_code != 303:
        raise ServerStoppedError(f"a visitor was answered {answer.status_code}")
    return 1000 * (time.perf_counter() - began)


def _megabytes(pid: int) -> float:
    return resident_mb(pid) or math.nan


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="intresse-slow-") as folder:
        result = measure_slow(Path(folder))
    waves = ", ".join(f"{megabytes:.0f}" for megabytes in result.waves)
    print(f"{CONNECTIONS:,} slow connections through the proxy; the service had {result.files:,} open files")
    print(f"its memory: idle {result.idle:.0f} MB, after each wave {waves} MB; the proxy's {result.proxy:.0f} MB")
    print(f"slowest visit meanwhile, form and post over a new TLS connection: {result.visitor:.0f} ms")


if __name__ == "__main__":
    main()
