"""Runs commands as an operator does, with a configuration made by the test."""

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.config.settings import Settings
from tests.conftest import Configure
from tests.servers import STARTS_WITHIN

ROOT = Path(__file__).parents[2]


def _plain(value: Any) -> Any:
    """The value for TOML: secrets in the clear, absent values left out."""
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _toml(table: dict[str, Any], prefix: str = "") -> str:
    """A table as TOML. JSON's strings, numbers, booleans and lists of them are valid TOML."""
    inner = {name: value for name, value in table.items() if isinstance(value, dict)}
    several = {name: v for name, v in table.items() if isinstance(v, list) and v and isinstance(v[0], dict)}
    own = {name: value for name, value in table.items() if name not in inner | several}
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in own.items())
    for name, value in inner.items():
        text += f"[{prefix}{name}]\n" + _toml(value, f"{prefix}{name}.")
    for name, items in several.items():
        text += "".join(f"[[{prefix}{name}]]\n" + _toml(item, f"{prefix}{name}.") for item in items)
    return text


def written(settings: Settings, folder: Path) -> dict[str, str]:
    """Writes the configuration; returns the environment in which `intresse` finds it."""
    table = settings.model_dump()
    table["encryption_keys"] = ",".join(urlsafe_b64encode(key).decode() for key in settings.encryption_keys)
    path = folder / "intresse.toml"
    path.write_text(_toml(_plain(table)), "utf-8")
    return {**os.environ, "INTRESSE_CONFIG": str(path), "PYTHONUTF8": "1"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app", *arguments]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Intresse = Callable[..., Done]


@pytest.fixture
def shell(configure: Configure, tmp_path: Path) -> Intresse:
    """Runs a command in its own process, with the configuration that `configure` makes from the keywords."""

    def run(*arguments: str, **overrides: Any) -> Done:
        environment = written(configure(**overrides), tmp_path)
        done = subprocess.run(
            command(*arguments),
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def intresse(configure: Configure, tmp_path: Path) -> Intresse:
    """Like `shell`, but in this process, which saves a second each time."""

    def run(*arguments: str, **overrides: Any) -> Done:
        return run_here(written(configure(**overrides), tmp_path), *arguments)

    return run


def run_here(environment: dict[str, str], *arguments: str, typed: str | None = None) -> Done:
    """Runs a command in this process until it ends. `typed` is its standard input."""
    with ThreadPoolExecutor(1) as pool:  # where no event loop runs: Playwright's is in the main thread
        done = pool.submit(CliRunner().invoke, cli, arguments, env=environment, input=typed).result()
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception  # what would be a traceback
    return Done(done.exit_code, done.stdout, done.stderr)


def refused(done: Done, *words: str) -> None:
    """Asserts exit code 1 and one clear line, not a traceback."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in lines[0] for word in words), lines[0]
