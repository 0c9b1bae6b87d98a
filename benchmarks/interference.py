"""The rate of durable posts with and without another process at work, alternating in one run; here `intresse deliver`.

The worker has its default settings: ten calls a second for a customer. What is posted faster waits. It shares a core
with the sandbox and the load; the service has the other core. In every other round it is paused (SIGSTOP).
"""

import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine, service
from benchmarks.booking_chain import sandbox
from benchmarks.databases import database_url
from benchmarks.load import Round, process_id, run_round
from benchmarks.sample_requests import PATH
from benchmarks.servers import ServerStoppedError, free_port, running
from benchmarks.service import form_token

ROUNDS = 6
SECONDS = 3.0
GOAL = 0.9
UNLIMITED = 10**9


@dataclass(frozen=True)
class Interference:
    """Median posts a second."""

    alone: float
    with_other: float

    @property
    def ratio(self) -> float:
        return self.with_other / self.alone


def measure_interference(kind: str, root: Path, folder: Path) -> Interference:
    folder.mkdir(parents=True)
    with sandbox() as vitec_url, database_url(kind, folder / "database") as url:
        configuration = folder / "intresse.toml"
        configuration.write_text(service.configuration(url, vitec_url), "utf-8")
        environment = {"INTRESSE_CONFIG": str(configuration)}
        port = free_port()
        serve = ["app", "serve", "--no-deliver", "--port", str(port)]
        with running(serve, port, PATH, root, folder / "serve.log", environment) as server:
            deliver = ["app", "deliver"]
            return alternate(deliver, form_token(server.fetch(PATH)), port, root, folder / "deliver.log", environment)


def alternate(
    module: list[str], token: str, port: int, root: Path, log: Path, environment: Mapping[str, str]
) -> Interference:
    """Runs rounds of posts to the service at `port`. In every other round, `python -m` with `module` and its arguments
    runs too, on the load's core. Raises `ServerStoppedError` if it has ended by itself."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    command = [sys.executable, "-m", *module]
    with machine.on_core(machine.load_core()), log.open("wb") as output:
        other = subprocess.Popen(command, cwd=root, env=os.environ | environment, stdout=output, stderr=output)
        load = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        load.submit(process_id).result()
    try:
        posted = 0
        for number in range(-2, ROUNDS * 2):
            other_runs = bool(number % 2)
            other.send_signal(signal.SIGCONT if other_runs else signal.SIGSTOP)
            result = load.submit(run_round, Round("post", port, SECONDS, UNLIMITED, posted, token)).result()
            posted += result.statuses.total()
            if number >= 0:
                rates[other_runs].append(result.per_second)
        if other.poll() is not None:
            raise ServerStoppedError(f"{module[0]}: {log.read_text('utf-8', 'replace')[-500:]}")
    finally:
        other.send_signal(signal.SIGCONT)
        other.kill()
        other.wait()
        load.shutdown()
    return Interference(statistics.median(rates[False]), statistics.median(rates[True]))
