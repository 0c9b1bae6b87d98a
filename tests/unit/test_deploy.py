"""The deployment files agree with each other and with the commands."""

import os
import re
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from app.__main__ import cli
from app.cli.server import GRACEFUL_SECONDS
from app.config.loader import REQUIRED, SERVING_SECRETS, ConfigurationError, load

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "intresse"}


def secret_files(value: Any) -> set[str]:
    """The secrets that a configuration asks for as files."""
    if isinstance(value, dict):
        own = {Path(item).name for key, item in value.items() if key.endswith("_file")}
        return own.union(*map(secret_files, value.values()))
    return set().union(*map(secret_files, value)) if isinstance(value, list) else set()


def prepare(folder: Path, *host: str) -> None:
    for name in ("intresse.example.toml", ".env.example"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    environment = os.environ | {"INTRESSE_FOLDER": str(folder)}
    subprocess.run(["sh", str(ROOT / "deploy/prepare"), *host], check=True, env=environment, capture_output=True)


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_service_runs_an_existing_command(name: str) -> None:
    command, *options = OURS[name]["command"]
    assert CliRunner().invoke(cli, [command, "--help"]).exit_code == 0
    known = {word for option in get_command(cli).commands[command].params for word in option.opts}  # type: ignore[attr-defined]
    assert {word for word in options if word.startswith("--")} <= known


def test_each_service_of_ours_may_write_nothing_but_its_data_and_gain_no_rights() -> None:
    assert set(OURS) == {"app-1", "app-2", "worker", "migrate"}
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_what_the_services_name_is_defined() -> None:
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        sources = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert {source for source in sources if source[0] != "."} <= set(COMPOSE["volumes"])
        assert set(service.get("depends_on", ())) <= set(SERVICES)


def test_the_example_asks_for_the_secrets_that_compose_gives() -> None:
    example = tomllib.loads((ROOT / "intresse.example.toml").read_text("utf-8"))
    assert secret_files(example) == set(OURS["app-1"]["secrets"]) == set(OURS["app-2"]["secrets"])


def test_a_service_is_given_the_secrets_that_it_uses_and_no_other() -> None:
    everything = set(OURS["app-1"]["secrets"])
    assert set(OURS["worker"]["secrets"]) == everything - SERVING_SECRETS
    assert set(OURS["migrate"]["secrets"]) == REQUIRED
    assert SERVICES["database"]["secrets"] == ["postgres_password"]
    assert "secrets" not in SERVICES["proxy"]


def test_each_service_has_a_limit_of_memory_and_each_image_a_minor_version() -> None:
    for service in SERVICES.values():
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
        assert service["image"] == "intresse" or re.fullmatch(r"\w+:\d+\.\d+\S*", service["image"])
    used = re.findall(r"^(?:ARG PYTHON=|FROM )(\S+)", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert all(image == "${PYTHON}" or re.fullmatch(r"\w+:\d+\.\d+\S*", image) for image in used)


def test_prepare_makes_each_secret_and_leaves_what_is_there(tmp_path: Path) -> None:
    prepare(tmp_path)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert f":{made['postgres_password']}@database/" in made["database_url"]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    prepare(tmp_path)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made


def test_the_owner_may_replace_each_secret_that_prepare_made(tmp_path: Path) -> None:
    prepare(tmp_path)
    for path in (tmp_path / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o644, path  # also readable to the containers' users


def test_the_service_does_not_start_with_the_vitec_password_that_prepare_writes(tmp_path: Path) -> None:
    prepare(tmp_path)
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(configuration.read_text("utf-8").replace("/run/secrets", f"{tmp_path}/secrets"), "utf-8")
    with pytest.raises(ConfigurationError) as refused:
        load(configuration, {})
    [line] = refused.value.lines
    assert line.endswith("customers[M12345].password: is a placeholder: replace it with the real value")


@pytest.mark.parametrize("host", ["https://leads.example.se", "Leads.example.se", "leads.example.se.", "leads..se"])
def test_prepare_refuses_what_is_no_host_name_and_writes_nothing(tmp_path: Path, host: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        prepare(tmp_path, host)
    assert refused.value.stderr.decode() == f"'{host}' is not a host name such as leads.example.se\n"
    assert {path.name for path in tmp_path.iterdir()} == {"intresse.example.toml", ".env.example"}


def test_prepare_writes_the_host_name_where_it_is_asked_for(tmp_path: Path) -> None:
    prepare(tmp_path, "leads.example.se")
    assert "INTRESSE_HOST=leads.example.se\n" in (tmp_path / ".env").read_text()
    assert tomllib.loads((tmp_path / "intresse.toml").read_text())["public_url"] == "https://leads.example.se"


def test_the_example_of_the_environment_names_what_compose_asks_for() -> None:
    named = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == set(re.findall(r"\$\{(\w+)", TEXT))


def test_the_unit_for_systemd_runs_an_existing_command_and_lets_it_finish() -> None:
    page = (ROOT / "docs/operator.md").read_text("utf-8")
    [text] = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    unit = ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    service = unit["Service"]
    program, *command = service["ExecStart"].split()
    assert program.endswith("/.venv/bin/intresse")
    assert CliRunner().invoke(cli, [*command, "--help"]).exit_code == 0
    assert int(service["TimeoutStopSec"]) > GRACEFUL_SECONDS
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"


def test_the_image_gets_only_what_is_named() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line[0] == "!"} == {
        "app", "locale", "pyproject.toml", "requirements.txt", "static", "templates"
    }  # fmt: skip
