"""`make setup` puts an environment right that can't be used."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In place of Python: an environment in no time, whose Python is the tests' own, which has pip.
PYTHON = f"""#!/bin/sh
[ "$1" != -m ] || {{ echo made; rm -rf .venv; mkdir -p .venv/bin; exec ln -s {sys.executable} .venv/bin/python; }}
exec {sys.executable} "$@"
"""
NOTHING: list[str] = []
ALL = ["made", "pip install", "pip install"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the target is made from, in a folder with a space and a letter of Sweden's."""
    folder = tmp_path / "mäklare ö"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / "python").write_text(PYTHON, "utf-8")
    (folder / "python").chmod(0o755)
    return folder


def setup(checkout: Path) -> list[str]:
    """What it does; nothing is installed."""
    command = ["make", "setup", "PYTHON=./python", "PIP=echo pip"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line[:11] for line in done.stdout.splitlines() if line.startswith(("made", "pip"))]


def test_an_environment_that_was_interrupted_before_it_had_pip_is_made_anew(checkout: Path) -> None:
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    python.chmod(0o755)
    assert setup(checkout) == ALL


def test_an_environment_is_made_anew_where_it_was_moved_or_its_python_is_gone(checkout: Path) -> None:
    assert setup(checkout) == ALL
    assert setup(checkout) == NOTHING
    checkout = checkout.rename(checkout.with_name("moved"))
    assert setup(checkout) == ALL
    (checkout / ".venv/bin/python").unlink()
    assert setup(checkout) == ALL
