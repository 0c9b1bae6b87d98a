"""Every locked dependency has a wheel for every supported platform.

The package index is asked, so none of these machines is needed. CI checks the image's Python on ARM, where wheels are
rarest; `make platforms` checks all of them.
"""

import itertools
import os
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-pc-windows-msvc")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
EVERY = list(itertools.product(PLATFORMS, PYTHONS))
ASKED = EVERY if "INTRESSE_TEST_EVERY_PLATFORM" in os.environ else [("aarch64-manylinux_2_28", "3.13")]


def resolved(platform: str, python: str, requirements: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            find_uv_bin(),
            "pip",
            "compile",
            "--quiet",
            "--no-deps",
            "--no-build",
            f"--python-platform={platform}",
            f"--python-version={python}",
            "--output-file=/dev/null",
            str(requirements),
        ],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("platform", "python"), ASKED)
def test_every_locked_dependency_has_a_wheel(platform: str, python: str) -> None:
    found = resolved(platform, python, ROOT / "requirements.txt")
    assert found.returncode == 0, found.stderr


def test_a_dependency_without_a_wheel_for_a_platform_is_found(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pysqlite3==0.6.1\n", "utf-8")
    found = resolved("aarch64-manylinux_2_28", "3.13", requirements)
    assert found.returncode != 0
    assert "no usable wheels" in found.stderr
