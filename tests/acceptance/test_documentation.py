"""The commands and snippets of the documentation work. A mark above each snippet says how it is tested, or why not."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from app.__main__ import cli
from app.config.loader import load
from tests.acceptance.commands import Intresse, refused
from tests.servers import STARTS_WITHIN, free_port, wait_until_ready

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPET = re.compile(r"^ *(?:<!-- (?P<mark>[^\n]*?) -->\n *)?```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.M | re.S)
TYPED = {"sh", "toml", "yaml", "python"}  # what is not: markup for a web site, which docs/embedding.md has tests for
DEMO, CONFIGURED = "run in the demo: ", "run with a configuration"
CONFIGURATION, CONTAINER = "read as configuration", "read as a container"
NOT_RUN, RUN_BY = "not run here: ", "run by "
SECRETS = {
    "INTRESSE_SECRET_KEY": "a secret key for the tests alone",
    "INTRESSE_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "VITEC_M12345": "secret",
}


@dataclass(frozen=True)
class Snippet:
    page: str
    mark: str
    text: str


def snippets() -> Iterator[Snippet]:
    for page in PAGES:
        for snippet in SNIPPET.finditer(page.read_text("utf-8")):
            if snippet["language"] in TYPED:
                yield Snippet(page.name, snippet["mark"] or "", snippet["text"])


def marked(mark: str) -> list[Snippet]:
    return [snippet for snippet in snippets() if snippet.mark.startswith(mark)]


def environment(folder: Path) -> dict[str, str]:
    """A shell environment in which `intresse` is this code, with the configuration of the operator's page."""
    (folder / "bin").mkdir()
    command = folder / "bin/intresse"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m app "$@"\n')
    command.chmod(0o755)
    (configuration,) = marked(CONFIGURATION)
    (folder / "intresse.toml").write_text(configuration.text, "utf-8")
    path = f"{folder}/bin:{os.environ['PATH']}"
    return os.environ | SECRETS | {"PATH": path, "PYTHONPATH": str(ROOT), "INTRESSE_CONFIG": "intresse.toml"}


def typed(text: str, folder: Path, environ: dict[str, str]) -> str:
    """The output of a shell that stops at the first error."""
    done = subprocess.run(
        ["sh", "-ec", text], cwd=folder, env=environ, capture_output=True, text=True, timeout=STARTS_WITHIN
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_each_snippet_says_how_it_is_tried() -> None:
    known = (DEMO, CONFIGURED, CONFIGURATION, CONTAINER, NOT_RUN, RUN_BY)
    assert [snippet for snippet in snippets() if not snippet.mark.startswith(known)] == []


def test_the_test_that_a_snippet_names_exists() -> None:
    for snippet in snippets():
        for path, name in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", snippet.mark):
            assert f"def {name}" in (ROOT / path).read_text("utf-8"), snippet.mark


@contextmanager
def demo(folder: Path, port: int) -> Iterator[str]:
    """Runs the command of `make run`; yields the key that it prints."""
    log = folder / "demo.log"
    command = [sys.executable, "-m", "app", "serve", "--demo", "--port", str(port)]
    environ = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with log.open("w") as output, subprocess.Popen(command, cwd=folder, env=environ, stdout=output) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                wait_until_ready(client)
            yield re.findall(r"API key ([\w-]+)\)", log.read_text())[0]
        finally:
            process.terminate()


def test_the_readmes_examples_get_the_answers_that_it_names(tmp_path: Path) -> None:
    port = free_port()
    examples = marked(DEMO)
    assert examples
    with demo(tmp_path, port) as key:
        for example in examples:
            text = example.text.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
            answered = typed(text, tmp_path, os.environ | {"KEY": key})
            assert re.findall(r"HTTP/1.1 (\d+)", answered) == example.mark.removeprefix(DEMO).split()


def test_the_commands_of_the_operators_page_work_on_its_own_configuration(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    typed("intresse migrate", tmp_path, environ)
    commands = marked(CONFIGURED)
    assert commands
    for command in commands:
        typed(command.text, tmp_path, environ)
    assert (tmp_path / "data/backup.db").exists()


def test_a_move_is_made_as_the_page_says(tmp_path: Path, postgresql_url: str) -> None:
    (command,) = marked(f"{RUN_BY}tests/acceptance/test_documentation.py::test_a_move")
    (tmp_path / "new_database_url").write_text(f"{postgresql_url}\n")
    environ = environment(tmp_path)
    assert "the same in both" in typed(f"intresse migrate\n{command.text}", tmp_path, environ)
    configuration = tmp_path / "intresse.toml"
    text = configuration.read_text("utf-8").replace("sqlite:///data/intresse.db", postgresql_url)
    configuration.write_text(text, "utf-8")
    assert typed("intresse migrate; intresse leads list", tmp_path, environ).startswith("The database is already at")


@pytest.mark.parametrize("snippet", marked(CONFIGURATION), ids=lambda snippet: snippet.page)
def test_a_configuration_on_a_page_is_taken(snippet: Snippet, tmp_path: Path) -> None:
    (tmp_path / "intresse.toml").write_text(snippet.text, "utf-8")
    assert load(tmp_path / "intresse.toml", SECRETS).public_url == tomllib.loads(snippet.text)["public_url"]


@pytest.mark.parametrize("snippet", marked(CONTAINER), ids=lambda snippet: snippet.page)
def test_a_container_on_a_page_runs_an_existing_command(snippet: Snippet) -> None:
    container = yaml.safe_load(snippet.text)
    command, *options = container["args"]
    assert CliRunner().invoke(cli, [command, *options, "--help"]).exit_code == 0
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in {"/healthz", "/readyz"}


def test_a_database_of_the_wrong_kind_is_not_moved_to(intresse: Intresse, tmp_path: Path) -> None:
    assert intresse("migrate").returncode == 0
    no_address, sqlite = tmp_path / "no_address", tmp_path / "sqlite"
    no_address.write_text("Ankeborg")
    sqlite.write_text(f"sqlite:///{tmp_path}/other.db")
    for to, words in {
        "sqlite:///other.db": "neither postgresql",
        "nowhere": "neither postgresql",
        "postgresql://host:port/db": "is not an address",
        str(no_address): "is not an address",
        str(sqlite): "to a postgresql:// one",
    }.items():
        refused(intresse("move", "--to", to), words)
