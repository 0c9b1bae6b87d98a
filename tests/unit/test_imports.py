"""Imports go down only: the contracts in pyproject.toml are kept and cover the whole tree."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def contract(kind: str, source: str | None = None) -> dict[str, Any]:
    (found,) = (c for c in CONTRACTS if c["type"] == kind and (source is None or c["source_modules"] == [source]))
    return found


def modules(folder: Path) -> set[str]:
    """The modules and packages in the folder, by name."""
    return {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {
        "__init__"
    }


def layers() -> list[str]:
    return [name for layer in contract("layers")["layers"] for name in re.split(r"\s*[|:]\s*", layer)]


def test_the_import_contracts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True, no_logo=True) == 0


def test_every_package_belongs_to_a_layer() -> None:
    assert {*layers(), *contract("layers")["exhaustive_ignores"]} == modules(APP)


def test_no_stray_modules_are_at_the_root() -> None:
    assert {path.stem for path in APP.glob("*.py")} == {"__init__", "__main__", "logs", "i18n"}


def test_the_sandbox_is_kept_from_everything_outside_itself() -> None:
    forbidden = set(contract("forbidden", "app.sandbox")["forbidden_modules"])
    assert forbidden == {f"app.{name}" for name in modules(APP) - {"sandbox", "logs"}}


def test_the_sandbox_is_reached_by_the_demo_and_the_commands_alone() -> None:
    protected = contract("protected")
    assert protected["protected_modules"] == ["app.sandbox"]
    assert set(protected["allowed_importers"]) == {"app.demo", "app.cli.serve"}


def test_the_service_never_loads_rich() -> None:
    """Libraries look for rich, which the commands' library brings: 4 MB in each process."""
    asked = "import sys, app.cli.server, app.bootstrap.web_app; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, check=False).returncode == 0


def test_the_demo_imports_no_module_that_windows_lacks() -> None:
    lacking = ("fcntl", "grp", "pwd", "resource", "termios", "uvloop")
    without = f"import sys; sys.modules.update(dict.fromkeys({lacking!r}))"
    code = f"{without}; import app.__main__, app.cli.server, app.demo.demo"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
