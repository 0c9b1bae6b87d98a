"""The built wheel contains the whole product: installed anywhere, it serves the demo from any folder."""

import importlib.metadata
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app import __version__
from tests.servers import STARTS_WITHIN, eventually, free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment outside the checkout. The locked dependencies come from the tests' environment, after its
    own packages, so that none must be downloaded."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--prefix", str(folder)]
    subprocess.run([*install, "--ignore-installed", str(wheel)], check=True)
    borrowed = importlib.metadata.distribution("fastapi").locate_file("")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def demo_url(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    folder = tmp_path_factory.mktemp("anywhere")
    command = [str(environment / "bin/python"), "-P", "-m", "app", "serve", "--demo", "--port", str(port)]
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "INTRESSE"))}
    with subprocess.Popen(command, cwd=folder, env=quiet, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            eventually(lambda: _answers(url), within=STARTS_WITHIN)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_wheel_carries_every_template_static_file_and_translation(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    for name in ("templates", "static", "locale"):
        files = {f"app/{path.relative_to(ROOT)}" for path in (ROOT / name).rglob("*") if path.is_file()}
        here = {name for name in files if "__pycache__" not in name}
        assert here
        assert here <= carried
    assert not any("__pycache__" in name for name in carried)


def test_the_version_is_defined_in_one_place(wheel: Path) -> None:
    assert wheel.name.split("-")[1] == __version__


def test_an_installed_wheel_serves_its_own_demo_from_any_folder(demo_url: str, environment: Path) -> None:
    where = [str(environment / "bin/python"), "-P", "-c", "import app; print(app.__file__)"]
    assert subprocess.run(where, cwd="/", capture_output=True, text=True).stdout.startswith(str(environment))
    page = httpx.get(f"{demo_url}/Advertising/Estate/M00000/OBJ1/interest").text
    assert "Skicka intresseanmälan" in page
    script, *_ = re.findall(r'<script src="(/static/[^"]+)"', page)
    assert httpx.get(f"{demo_url}{script}").status_code == 200
    assert httpx.get(f"{demo_url}/embed.js").status_code == 200
    answer = httpx.post(
        f"{demo_url}/Advertising/Estate/M00000/OBJ1/interest",
        json={"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}, "consent": True},
    )
    assert answer.status_code == 200
