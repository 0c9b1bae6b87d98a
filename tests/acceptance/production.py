"""The production shape as processes: what docker-compose.yml says, with its commands, its proxy's configuration and
its example settings, on this machine's ports."""

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.servers import client_of, eventually, free_port, wait_until_ready

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
LAUNCH = "from app.__main__ import main; main()"
REPLICAS = ("app-1", "app-2")


@dataclass
class Production:
    """The services of compose. `folder` contains the configuration, the secrets and each process's log."""

    folder: Path
    port: int
    replicas: dict[str, int]
    plain_port: int = field(default_factory=free_port)  # of http, which leads to https
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def run(self, service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `intresse …` until it ends, in the environment of that service."""
        environment = self.environment | self._given(service)
        return subprocess.run(_intresse(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True)

    def _given(self, service: str) -> dict[str, str]:
        """The environment of a service: the configuration, and the secrets that compose gives to it."""
        folder = self.folder / f"secrets-{service}"
        folder.mkdir(exist_ok=True)
        for name in COMPOSE["services"][service].get("secrets", ()):
            shutil.copy(self.folder / "secrets" / name, folder)
        configuration = self.folder / f"{service}.toml"
        text = (self.folder / "intresse.toml").read_text("utf-8")
        configuration.write_text(text.replace(str(self.folder / "secrets"), str(folder)), "utf-8")
        return {"INTRESSE_CONFIG": str(configuration)}

    def start(self, service: str) -> None:
        """Starts one of compose's services with its command."""
        command = [str(word) for word in COMPOSE["services"][service]["command"]]
        port = self.replicas.get(service)
        self._spawn(service, _intresse(*command, *(["--port", str(port)] if port else [])))
        if port:
            with client_of(f"http://127.0.0.1:{port}") as client:
                wait_until_ready(client)

    def start_proxy(self) -> None:
        configuration = str(ROOT / "deploy/Caddyfile")
        self._spawn("proxy", ["caddy", "run", "--adapter", "caddyfile", "--config", configuration])
        eventually(self.authority.exists)
        with self.client() as client:
            wait_until_ready(client)

    def is_running(self, service: str) -> bool:
        return service in self.running and self.running[service].poll() is None

    def stop(self, service: str) -> int:
        """Stops the service as compose does; returns its exit code."""
        process = self.running.pop(service)
        process.terminate()
        return process.wait(60)

    def restart(self, service: str) -> None:
        """Restarts the service as an upgrade does: returns once the proxy also knows that it is back."""
        known = self._times_up(service)
        self.stop(service)
        self.start(service)
        if service in self.replicas:
            eventually(lambda: self._times_up(service) > known)

    def _times_up(self, replica: str) -> int:
        return self.log("proxy").count(f'"host is up","host":"127.0.0.1:{self.replicas.get(replica)}"')

    def kill(self, *services: str) -> None:
        """Kills the services, or all of them."""
        for service in services or tuple(self.running):
            process = self.running.pop(service)
            process.kill()
            process.wait()

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text("utf-8")

    def client(self) -> httpx.Client:
        """A client that trusts only the proxy's own certificate authority."""
        return httpx.Client(base_url=self.url, verify=ssl.create_default_context(cafile=self.authority), timeout=30)

    @property
    def authority(self) -> Path:
        return self.folder / "caddy/pki/authorities/local/root.crt"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "INTRESSE_REPLICAS": " ".join(f"127.0.0.1:{port}" for port in self.replicas.values()),
            "INTRESSE_HTTPS_PORT": str(self.port),
            "INTRESSE_HTTP_PORT": str(self.plain_port),
            "XDG_DATA_HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
        }

    def _spawn(self, service: str, command: list[str]) -> None:
        with (self.folder / f"{service}.log").open("ab") as log:
            environment = self.environment | self._given(service)
            self.running[service] = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def prepared(folder: Path, database_url: str, vitec_url: str) -> Production:
    """The folder made by `deploy/prepare`, with this machine's addresses instead of the containers'."""
    for name in ("intresse.example.toml", ".env.example"):
        shutil.copy(ROOT / name, folder)
    prepare = ["sh", str(ROOT / "deploy/prepare")]
    subprocess.run(prepare, check=True, env=os.environ | {"INTRESSE_FOLDER": str(folder)}, stdout=subprocess.DEVNULL)
    made = Production(folder, free_port(), {name: free_port() for name in REPLICAS})
    configuration = folder / "intresse.toml"
    text = configuration.read_text("utf-8")
    for ours, theirs in {
        "/run/secrets": str(folder / "secrets"),
        "https://localhost": made.url,
        "https://connect.maklare.vitec.net": vitec_url,
        '"10.0.0.0/8"': '"127.0.0.1"',
        'username = "partner"': 'username = "partner"\nrequests_per_second = 1000',
    }.items():
        assert ours in text
        text = text.replace(ours, theirs)
    # Every visitor of a test comes from one address.
    configuration.write_text(f'{text}rate_limit = "100000/minute"\nrate_limit_person = "100000/day"\n', "utf-8")
    for name, value in {"database_url": database_url, "vitec_M12345": "secret"}.items():
        (folder / "secrets" / name).write_text(value, "utf-8")
    return made


@contextmanager
def production(folder: Path, database_url: str, vitec_url: str) -> Iterator[Production]:
    made = prepared(folder, database_url, vitec_url)
    with ExitStack() as ending:
        ending.callback(made.kill)
        migrated = made.run("migrate", *COMPOSE["services"]["migrate"]["command"])
        assert migrated.returncode == 0, migrated.stderr
        for service in (*REPLICAS, "worker"):
            made.start(service)
        made.start_proxy()
        yield made


def _intresse(*arguments: str) -> list[str]:
    return [sys.executable, "-c", LAUNCH, *arguments]
