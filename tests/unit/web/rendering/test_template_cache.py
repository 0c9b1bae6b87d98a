"""A template is compiled once, and its code is then read from disk."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from app.web.rendering.template_cache import TemplateCache

SOURCE = "{% if page.name %}Hej {{ page.name }}!{% endif %}"


@pytest.fixture(autouse=True)
def bytecode_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are compiled."""
    names: list[str] = []
    compile_one = Environment._compile

    def noted(self: Environment, source: str, filename: str) -> object:
        names.append(Path(filename).name)
        return compile_one(self, source, filename)

    monkeypatch.setattr(Environment, "_compile", noted)
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "page.html").write_text(SOURCE)
    return tmp_path


def rendered(folder: Path, **options: Any) -> str:
    environment = Environment(
        autoescape=True, loader=FileSystemLoader(folder), bytecode_cache=TemplateCache(folder, options), **options
    )
    return environment.get_template("parts/page.html").render(page={"name": "<Anna>"})


def test_a_second_process_reads_the_code_that_the_first_has_compiled(folder: Path, compiled: list[str]) -> None:
    assert [rendered(folder), rendered(folder)] == ["Hej &lt;Anna&gt;!"] * 2
    assert compiled == ["page.html"]


def test_another_source_or_other_options_are_compiled_again(folder: Path, compiled: list[str]) -> None:
    rendered(folder)
    (folder / "parts" / "page.html").write_text("Hallå {{ page.name }}")
    assert rendered(folder) == "Hallå &lt;Anna&gt;"
    assert rendered(folder, trim_blocks=True) == "Hallå &lt;Anna&gt;"
    assert len(compiled) == 3


@pytest.mark.parametrize(
    "damage", [lambda code: b"", lambda code: code[:40], lambda code: code[:-20], lambda _: b"x" * 99]
)
def test_a_damaged_file_is_made_anew(folder: Path, compiled: list[str], damage: Callable[[bytes], bytes]) -> None:
    rendered(folder)
    [file] = (folder / "__pycache__").iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert [rendered(folder), rendered(folder)] == ["Hej &lt;Anna&gt;!"] * 2
    assert len(compiled) == 2


def test_where_the_folder_cannot_be_written_to_it_works_without(folder: Path, compiled: list[str]) -> None:
    (folder / "__pycache__").write_text("a file where the folder would be")
    assert [rendered(folder), rendered(folder)] == ["Hej &lt;Anna&gt;!"] * 2
    assert len(compiled) == 2


def test_nothing_is_written_where_python_writes_no_bytecode(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    rendered(folder)
    assert not (folder / "__pycache__").exists()
