"""SECURITY.md names existing tests, commands and configuration keys."""

import re
from pathlib import Path

from typer.main import get_command

from app.__main__ import cli

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT)))


def test_each_promise_names_a_test() -> None:
    promises = TEXT.partition("## What is promised")[2].partition("### Supply chain")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) > 20
    assert [row for row in rows if "`tests/" not in row.rpartition("|")[0].rpartition("|")[2]] == []


def test_each_named_test_exists_and_tests_something() -> None:
    assert [name for name in TESTS if "def test_" not in (ROOT / name).read_text("utf-8")] == []


def test_each_named_command_and_target_exists() -> None:
    commands = getattr(get_command(cli), "commands")  # noqa: B009  # typer's Group, which its types don't tell
    assert set(re.findall(r"`intresse ([a-z-]+)", TEXT)) <= set(commands)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(f"\n{target}:" in makefile for target in re.findall(r"`make ([a-z]+)`", TEXT))
