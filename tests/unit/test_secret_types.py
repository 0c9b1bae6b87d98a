"""Which secrets are refused at the start, however they are given."""

import base64
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from app.configuration import ConfigurationError, load, warnings
from app.secret_types import EncryptionKeys, Secret, SecretKey
from tests.unit.test_configuration import SMALLEST, without

PLACEHOLDERS = ["change-me", "CHANGEME", "changeme123", "Please change this", "replace_me", "<password>", "...", "…"]
PLACEHOLDERS += ["xxxx", "todo", "your-secret-here", "insert-key", "placeholder"]
GUESSABLE = ["x" * 40, "01" * 20, "short"]


class Table(BaseModel):
    password: Secret | None = None
    key: SecretKey | None = None
    keys: EncryptionKeys = []


def table(**members: str) -> Table:
    return Table.model_validate(members)


def key(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_what_stands_in_an_example_is_no_secret(text: str) -> None:
    with pytest.raises(ValidationError, match="placeholder"):
        table(password=text)


@pytest.mark.parametrize("text", ["secret", "changes daily", "xylophone", "yours truly", "replaced", "<3 hemligt"])
def test_what_only_looks_a_little_like_it_is_taken(text: str) -> None:
    assert table(password=text).model_dump()["password"].get_secret_value() == text


@pytest.mark.parametrize("text", GUESSABLE)
def test_a_secret_key_that_can_be_guessed_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        table(key=text)


@pytest.mark.parametrize("content", [bytes(32), b"k" * 32, b"01" * 16, bytes(31)])
def test_an_encryption_key_that_can_be_guessed_is_refused_wherever_it_stands_in_the_ring(content: bytes) -> None:
    with pytest.raises(ValidationError):
        table(keys=f"{key(bytes(range(32)))},{key(content)}")


@pytest.mark.parametrize("way", ["env", "file"])
def test_a_placeholder_is_refused_however_it_is_given(tmp_path: Path, way: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("change-me-please\n")
    given = f"secret_key_{way} = '{secret if way == 'file' else 'SECRET'}'\n"
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(given + without("secret_key"))
    with pytest.raises(ConfigurationError, match="secret_key: is a placeholder"):
        load(configuration, {"SECRET": "change-me-please"})


@pytest.mark.parametrize(
    ("text", "mode", "warned"),
    [
        (SMALLEST, 0o644, True),
        (SMALLEST, 0o640, False),
        ("[[customers]]\npassword_env = 'P'", 0o644, False),
        ("[[customers]]\npassword = 'p'", 0o604, True),
    ],
)
def test_a_file_with_secrets_that_everyone_can_read_is_warned_of(
    tmp_path: Path, text: str, mode: int, warned: bool
) -> None:
    configuration = tmp_path / "intresse.toml"
    configuration.write_text(text)
    configuration.chmod(mode)
    assert [f"chmod 640 {configuration}" in line for line in warnings(configuration)] == [True] * warned
