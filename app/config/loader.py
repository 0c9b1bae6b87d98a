"""Loads `Settings` from `intresse.toml` and the environment: fetches the secrets, and reports each fault on a line."""

import os
import re
import secrets
import stat
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import make_url

from app.config.secrets import is_guessable
from app.config.settings import Settings
from app.domain.submission import PATH_ID

DEFAULT_PATH = "intresse.toml"
SECRETS = frozenset(
    {
        "secret_key",
        "encryption_keys",
        "database_url",
        "console_password",
        "metrics_token",
        "webhook_secret",
        "smtp_url",
        "password",
        "crm_password",
    }
)
# Needed to answer browsers and scrapers. No other command needs these, and none should be given them.
SERVING_SECRETS = frozenset({"console_password", "metrics_token"})
# Required in every configuration, so no command starts without them.
REQUIRED = frozenset({"secret_key", "encryption_keys", "database_url"})
_CHARACTERS = string.ascii_letters + string.digits
_CUSTOMER = re.compile(r"^customers\[(\d+)\](?!\.id\b)")
MESSAGES = {
    "extra_forbidden": "is not a known key",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "model_type": "must be a table",
    "dict_type": "must be a table",
}


class ConfigurationError(Exception):
    """Each line says one thing that is wrong with the configuration."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def configuration_path(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get("INTRESSE_CONFIG") or DEFAULT_PATH)


def load(path: Path, environ: Mapping[str, str] = os.environ, *, uses: frozenset[str] = SECRETS) -> Settings:
    """`uses` are the secrets that the caller needs. Others that are in a file or the environment are not read and need
    not exist; a random value shows that they are configured. Raises `ConfigurationError`."""
    try:
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        advice = "Set INTRESSE_CONFIG, or try: intresse serve --demo"
        raise ConfigurationError([f"{path}: {error.strerror}. {advice}"]) from None
    except (ValueError, RecursionError) as error:  # also a number with thousands of digits, and the like
        raise ConfigurationError([f"{path}: is not valid TOML: {error}"]) from None
    faults: list[str] = []
    resolved = _with_secrets(document, "", _Source(environ, uses), faults)
    reported = {line.partition(": ")[0] for line in faults}  # a secret that couldn't be fetched is not also "missing"
    try:
        settings = Settings.model_validate(resolved)
    except ValidationError as error:
        faults += [line for line in _lines(error) if line.partition(": ")[0] not in reported]
    if faults:
        raise ConfigurationError([f"{path}: {_with_customer_id(line, document)}" for line in faults])
    return settings


def warnings(path: Path, settings: Settings) -> list[str]:
    """What should be fixed but doesn't prevent the start, a line each. `settings` were loaded from `path`."""
    lines = []
    if path.stat().st_mode & stat.S_IROTH and _holds_a_secret(tomllib.loads(path.read_text("utf-8-sig"))):
        lines.append(f"{path}: contains secrets, and everyone on this machine can read it; try: chmod 640 {path}")
    if is_guessable(settings.secret_key.get_secret_value()):
        lines.append("secret_key: can be guessed; make one with: openssl rand -base64 32")
    if any(map(is_guessable, settings.encryption_keys)):
        lines.append("encryption_keys: one can be guessed; make one with: openssl rand -base64 32 | tr '+/' '-_'")
    alarms = settings.alarms
    if alarms.webhook_secret and not alarms.webhook_url:
        lines.append("alarms.webhook_secret: no alarm is sent without webhook_url")
    if alarms.smtp_url and not alarms.mail_to and not any(customer.lead_mail for customer in settings.customers):
        lines.append("alarms.smtp_url: no alarm is mailed without mail_to")
    return lines


def _with_customer_id(line: str, document: Mapping[str, Any]) -> str:
    """`customers[M12345].name` instead of `customers[37].name`: nobody counts the tables of fifty offices."""

    def name(match: re.Match[str]) -> str:
        customer = document["customers"][int(match[1])]
        id_ = customer.get("id") if isinstance(customer, dict) else None
        return f"customers[{id_}]" if isinstance(id_, str) and PATH_ID.fullmatch(id_) else match[0]

    return _CUSTOMER.sub(name, line)


def _holds_a_secret(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_a_secret(item) for item in value)
    if not isinstance(value, dict):
        return False
    given = SECRETS & value.keys()
    if "database_url" in given and make_url(value["database_url"]).password is None:  # a SQLite file's name, usually
        given -= {"database_url"}
    return bool(given) or any(map(_holds_a_secret, value.values()))


@dataclass(frozen=True)
class _Source:
    """The environment, and the secrets that are fetched."""

    environ: Mapping[str, str]
    uses: frozenset[str]


def _with_secrets(value: Any, name: str, source: _Source, faults: list[str]) -> Any:
    """The document with each `<key>_env` and `<key>_file` replaced by `<key>` and the secret it points to."""
    if isinstance(value, list):
        return [_with_secrets(item, f"{name}[{i}]", source, faults) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    resolved: dict[str, Any] = {}
    for key, item in value.items():
        secret, _, kind = key.rpartition("_")
        dotted = f"{name}.{key}" if name else key
        if secret not in SECRETS or kind not in {"env", "file"}:
            resolved[key] = _with_secrets(item, dotted, source, faults)
        elif secret in value or secret in resolved:
            faults.append(f"{dotted}: {secret} is given twice")
        else:
            used = secret in source.uses or not isinstance(item, str)
            resolved[secret] = _fetch(kind, item, dotted, source.environ, faults) if used else _random_value(secret)
    return {key: item for key, item in resolved.items() if item is not None}


def _random_value(secret: str) -> str:
    """Has the right form and can't be guessed: 32 bytes, both as an encryption key and as base64."""
    if secret == "smtp_url":  # noqa: S105  # the key's name
        return "smtp://unread.invalid"
    return "".join(secrets.choice(_CHARACTERS) for _ in range(43)) + "="


def _fetch(kind: str, where: Any, dotted: str, environ: Mapping[str, str], faults: list[str]) -> str | None:
    key = dotted.removesuffix(f"_{kind}")
    if not isinstance(where, str):
        faults.append(f"{dotted}: must be text")
    elif kind == "env":
        if where not in environ:
            faults.append(f"{key}: the environment variable {where} is not set")
        elif _is_text(environ[where]):
            return environ[where]
        else:
            faults.append(f"{key}: the environment variable {where} is not text")
    else:
        try:
            return Path(where).read_text("utf-8-sig").strip()
        except (OSError, ValueError) as error:  # ValueError: not text, or an impossible file name
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            faults.append(f"{key}: can't read {where!r}: {reason}")
    return None


def _is_text(value: str) -> bool:
    """Whether it was UTF-8 before Python decoded it."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors(include_url=False, include_input=False):
        name = ""
        for part in item["loc"]:
            name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
        lines.append(f"{name}: {_message(item['type'], item['msg'], name)}" if name else _message("", item["msg"], ""))
    return lines


def _message(kind: str, message: str, name: str) -> str:
    key = name.rpartition(".")[2]
    if kind == "missing":
        return f"is missing (give {key}, {key}_env or {key}_file)" if key in SECRETS else "is missing"
    return MESSAGES.get(kind) or message.removeprefix("Value error, ")
