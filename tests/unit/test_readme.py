"""The operator's page describes every configuration key, the README every command, and nothing else."""

import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from typer.main import get_command

from app.__main__ import cli
from app.config.loader import SECRETS
from app.config.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CONFIGURATION = (ROOT / "docs/operator.md").read_text("utf-8").partition("## Configuration\n")[2]
ROW = re.compile(r"^\| `([a-z_.]+)`( 🔑)? \| (.*?) \|", re.MULTILINE)


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        inner = _table(field.annotation)
        if inner:
            yield from _keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def _table(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in {list, types.UnionType}:
        return next(filter(None, map(_table, typing.get_args(annotation))), None)
    return None


def test_the_operators_page_lists_exactly_the_keys_of_the_configuration() -> None:
    documented = [name for name, _, _ in ROW.findall(CONFIGURATION)]
    assert documented == [name for name, _ in _keys(Settings)]


def test_the_operators_page_says_which_keys_are_required_and_which_are_secrets() -> None:
    documented = {name: (secret, default) for name, secret, default in ROW.findall(CONFIGURATION)}
    for name, field in _keys(Settings):
        secret, default = documented[name]
        assert (default == "required") == field.is_required(), name
        assert bool(secret) == (name.rpartition(".")[2] in SECRETS), name


def test_the_operators_page_gives_each_plain_default() -> None:
    documented = {name: default.strip("`") for name, _, default in ROW.findall(CONFIGURATION)}
    for name, field in _keys(Settings):
        if isinstance(field.default, str | int | float) and not field.is_required():
            assert documented[name] == str(field.default).lower().replace("interested", "Interested"), name


def test_the_readme_lists_each_command() -> None:
    commands = getattr(get_command(cli), "commands")  # noqa: B009  # typer's Group, which its types don't tell
    assert set(re.findall(r"^\| `intresse ([a-z-]+)` \|", README, re.MULTILINE)) == set(commands)


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))],
    ids=lambda page: page.name,
)
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:app|templates|static|locale|tests|deploy|benchmarks)/[\w./-]+)`", page.read_text("utf-8"))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []
