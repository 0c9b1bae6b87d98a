"""Secrets that are refused at the start, however they are given."""

import base64
import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from app.config.loader import ConfigurationError, load, warnings
from app.config.secrets import EncryptionKeys, Secret, SecretKey
from tests.unit.config.test_loader import SMALLEST, without

PLACEHOLDERS = ["change-me", "CHANGEME", "changeme123", "Please change this", "replace_me", "<password>", "...", "…"]
PLACEHOLDERS += ["xxxx", "todo", "your-secret-here", "insert-key", "placeholder"]


class Table(BaseModel):
    password: Secret | None = None
    key: SecretKey | None = None
    keys: EncryptionKeys = []


def table(**members: str) -> Table:
    return Table.model_validate(members)


def key(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_example_values_are_refused_as_secrets(text: str) -> None:
    with pytest.raises(ValidationError, match="placeholder"):
        table(password=text)


@pytest.mark.parametrize("text", ["secret", "changes daily", "xylophone", "yours truly", "replaced", "<3 hemligt"])
def test_a_secret_that_merely_resembles_a_placeholder_is_accepted(text: str) -> None:
    assert table(password=text).model_dump()["password"].get_secret_value() == text


def test_a_short_secret_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="shorter than 16"):
        table(key="fifteen letters")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_an_encryption_key_of_another_length_is_refused_at_any_position(length: int) -> None:
    with pytest.raises(ValidationError):
        table(keys=f"{key(bytes(range(32)))},{key(bytes(range(length)))}")


@pytest.mark.parametrize("way", ["env", "file"])
def test_a_placeholder_is_refused_however_it_is_given(tmp_path: Path, way: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("change-me-please\n")
    given = f"secret_key_{way} = '{secret if way == 'file' else 'SECRET'}'\n"
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(given + without("secret_key"))
    with pytest.raises(ConfigurationError, match="secret_key: is a placeholder"):
        load(configuration, {"SECRET": "change-me-please"})


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o604, True), (0o640, False), (0o600, False)])
def test_a_file_with_secrets_that_everyone_can_read_is_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(SMALLEST)
    configuration.chmod(mode)
    lines = warnings(configuration, load(configuration, {}))
    assert [f"chmod 640 {configuration}" in line for line in lines] == [True] * warned


def test_a_file_that_only_says_where_the_secrets_are_is_not_warned_of(tmp_path: Path) -> None:
    secrets = dict.fromkeys(("secret_key", "encryption_keys", "database_url", "password"))
    text = SMALLEST
    for name in secrets:
        secrets[name] = re.search(rf'^{name} = "(.*)"$', text, re.MULTILINE)[1]  # type: ignore[index]
        text = re.sub(rf"^{name} = .*$", f"{name}_env = '{name}'", text, flags=re.MULTILINE)
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(text)
    configuration.chmod(0o644)
    assert warnings(configuration, load(configuration, secrets)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "warned"), [("sqlite:///data/intresse.db", False), ("postgresql://intresse:secret@db/intresse", True)]
)
def test_a_database_address_is_a_secret_only_if_it_has_a_password(tmp_path: Path, address: str, warned: bool) -> None:
    environment = {}
    text = f"database_url = '{address}'\n" + without("database_url")
    for name in ("secret_key", "encryption_keys", "password"):
        environment[name] = re.search(rf'^{name} = "(.*)"$', text, re.MULTILINE)[1]  # type: ignore[index]
        text = re.sub(rf"^{name} = .*$", f"{name}_env = '{name}'", text, flags=re.MULTILINE)
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(text)
    configuration.chmod(0o644)
    assert bool(warnings(configuration, load(configuration, environment))) is warned


@pytest.mark.parametrize(("name", "value"), [("secret_key", "x" * 40), ("encryption_keys", key(bytes(32)))])
def test_a_secret_that_can_be_guessed_is_warned_of_and_not_repeated(tmp_path: Path, name: str, value: str) -> None:
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(f"{name} = '{value}'\n" + without(name))
    configuration.chmod(0o600)
    [line] = warnings(configuration, load(configuration, {}))
    assert line.startswith(f"{name}: ")
    assert value not in line


@pytest.mark.parametrize(
    ("alarms", "start"),
    [
        (f"webhook_secret = '{'a' * 44}'", "alarms.webhook_secret: "),
        ("smtp_url = 'smtp://localhost'\nmail_from = 'a@example.se'", "alarms.smtp_url: "),
        ("smtp_url = 'smtp://localhost'\nmail_from = 'a@example.se'\nmail_to = ['b@example.se']", None),
    ],
)
def test_alarms_that_reach_nobody_are_warned_of(tmp_path: Path, alarms: str, start: str | None) -> None:
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(f"{SMALLEST}[alarms]\n{alarms}\n")
    configuration.chmod(0o600)
    lines = warnings(configuration, load(configuration, {}))
    assert [line.startswith(str(start)) for line in lines] == [True] * (start is not None)
