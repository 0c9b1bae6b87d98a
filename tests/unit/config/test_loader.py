"""From `intresse.toml` and the environment to settings: each error in one line that names the key."""

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.config.loader import ConfigurationError, configuration_path, load
from app.config.settings import Settings

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
# Nearly every key, at its default where it has one; docs/operator.md describes them all.
WHOLE = """
secret_key_env = "INTRESSE_SECRET_KEY"
encryption_keys_env = "INTRESSE_ENCRYPTION_KEYS"
database_url = "sqlite:///data/intresse.db"
public_url = "https://leads.example.se"
trusted_proxies = ["127.0.0.1"]
console_password_env = "INTRESSE_CONSOLE_PASSWORD"
metrics_token_env = "INTRESSE_METRICS_TOKEN"

[vitec]
base_url = "https://connect.maklare.vitec.net"
username = "partner"
timeout_seconds = 30
concurrency = 8
concurrency_per_customer = 2
requests_per_second = 10
paused_probe_seconds = 300

[delivery]
retry_seconds = [10, 30, 120, 600, 1800, 3600]
give_up_hours = 96
lease_seconds = 60
wait_seconds = 5

[retention]
delivered_days = 30
held_days = 30
undelivered_days = 90

[[customers]]
id = "M12345"
name = "Mäklarhuset"
password_env = "VITEC_M12345"
crm_password_env = "VITEC_M12345_CRM"
allowed_origins = ["https://www.maklarhuset.se"]
api_key_hashes = ["0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]
privacy_url = "https://www.maklarhuset.se/integritet"
phone = "08-123 456 78"
email = "info@maklarhuset.se"
language = "sv"
rate_limit = "20/minute"
rate_limit_person = "30/day"
collect_personnummer = false
on_ambiguous = "retry"

[customers.interest]
lead_source_id = "LS1"
assignment_source_id = "AS1"
status = "Interested"
marketing = "inline"
[customers.viewing]
lead_source_id = "LS2"
reminder_minutes = 60
sms_reminder = true
mail_confirmation = true
sms_confirmation = false
validate_deadline = true
validate_booking_limit = true
[customers.lead]
when = "marketing"
lead_source_id = "LS3"
assigned_to_id = "contact-agent"
fallback_assigned_to_id = "U1"
office_id = "O1"
assignment_source_id = "AS2"
[customers.theme]
accent = "#0b5d4b"
radius = "6px"
font = "system-ui"
"""
ENVIRON = {
    "INTRESSE_SECRET_KEY": "a secret key for the tests alone",
    "INTRESSE_ENCRYPTION_KEYS": KEY,
    "INTRESSE_CONSOLE_PASSWORD": "console",
    "INTRESSE_METRICS_TOKEN": "metrics",
    "VITEC_M12345": "advertising",
    "VITEC_M12345_CRM": "crm",
}
SMALLEST = f"""
secret_key = "a secret key for the tests alone"
encryption_keys = "{KEY}"
database_url = "sqlite:///data/intresse.db"
public_url = "https://leads.example.se"
[vitec]
base_url = "https://connect.maklare.vitec.net"
username = "partner"
[[customers]]
id = "M12345"
name = "Mäklarhuset"
password = "secret"
"""

Lines = Callable[..., list[str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "intresse.toml"


@pytest.fixture
def faults(file: Path) -> Lines:
    """The error lines for a configuration, without the file's name at the start."""

    def read(text: str, environ: dict[str, str] | None = None) -> list[str]:
        file.write_text(text)
        with pytest.raises(ConfigurationError) as refused:
            load(file, environ or {})
        assert str(refused.value) == "\n".join(refused.value.lines)
        assert all(line.startswith(f"{file}: ") for line in refused.value.lines)
        assert not any("\n" in line for line in refused.value.lines)
        return [line.removeprefix(f"{file}: ") for line in refused.value.lines]

    return read


def read(file: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    file.write_text(text)
    return load(file, environ or {})


def test_a_complete_configuration_is_accepted(file: Path) -> None:
    settings = read(file, WHOLE, ENVIRON)
    customer = settings.customers[0]
    assert customer.crm_password is not None
    assert customer.lead is not None
    secrets = (settings.secret_key, settings.console_password, settings.metrics_token, customer.password)
    assert [secret and secret.get_secret_value() for secret in (*secrets, customer.crm_password)] == [
        "a secret key for the tests alone",
        "console",
        "metrics",
        "advertising",
        "crm",
    ]
    assert settings.encryption_keys == [bytes(range(32))]
    assert (customer.lead.office_id, customer.interest.lead_source_id) == ("O1", "LS1")


def test_the_complete_configuration_has_the_default_values(file: Path) -> None:
    shown, default = read(file, WHOLE, ENVIRON), read(file, SMALLEST)
    assert (shown.delivery, shown.retention) == (default.delivery, default.retention)
    assert shown.vitec == default.vitec
    assert shown.customers[0].theme == default.customers[0].theme
    assert shown.customers[0].viewing.model_copy(update={"lead_source_id": None}) == default.customers[0].viewing


@pytest.mark.parametrize(
    ("secret", "value"),
    [
        ("secret_key", "another key for these tests"),
        ("encryption_keys", KEY),
        ("database_url", "sqlite:///elsewhere.db"),
        ("password", "out of a file"),
    ],
)
@pytest.mark.parametrize("kind", ["file", "env"])
def test_any_secret_can_be_given_by_file_or_by_environment(
    file: Path, tmp_path: Path, secret: str, value: str, kind: str
) -> None:
    (tmp_path / "secret").write_text(f"{value}\n")  # as editors and `echo` leave it
    where = {"file": str(tmp_path / "secret"), "env": "A_NAME"}[kind]
    lines = [line for line in SMALLEST.splitlines() if not line.startswith(f"{secret} =")]
    lines.insert(len(lines) if secret == "password" else 0, f'{secret}_{kind} = "{where}"')
    settings = read(file, "\n".join(lines), {"A_NAME": value})
    if secret == "encryption_keys":
        assert settings.encryption_keys == [bytes(range(32))]
    else:
        holder = settings.customers[0] if secret == "password" else settings
        assert getattr(holder, secret).get_secret_value() == value


def without(name: str, text: str = SMALLEST) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith(f"{name} ="))


SECRET_MISSING = "is missing (give {0}, {0}_env or {0}_file)"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (without("public_url"), ["public_url: is missing"]),
        (without("secret_key"), ["secret_key: " + SECRET_MISSING.format("secret_key")]),
        (without("password"), ["customers[M12345].password: " + SECRET_MISSING.format("password")]),
        (without("username"), ["vitec.username: is missing"]),
        (without("id"), ["customers[0].id: is missing"]),
        ("colour = 1\n" + SMALLEST, ["colour: is not a known key"]),
        (SMALLEST + "colour = 1", ["customers[M12345].colour: is not a known key"]),
        (SMALLEST + "[customers.theme]\ncolour = 1", ["customers[M12345].theme.colour: is not a known key"]),
        (without("name") + "\nname = 1", ["customers[M12345].name: must be text"]),
        (SMALLEST + "collect_personnummer = 1", ["customers[M12345].collect_personnummer: must be true or false"]),
        (SMALLEST + "theme = 1", ["customers[M12345].theme: must be a table"]),
        (SMALLEST + "allowed_origins = 1", ["customers[M12345].allowed_origins: must be a list"]),
        (SMALLEST + "allowed_origins = [1]", ["customers[M12345].allowed_origins[0]: must be text"]),
        (
            "trusted_proxies = ['x']\n" + SMALLEST,
            ["trusted_proxies[0]: 'x' does not appear to be an IPv4 or IPv6 network"],
        ),
        (SMALLEST + "[delivery]\nlease_seconds = 1.5", ["delivery.lease_seconds: must be a whole number"]),
        (SMALLEST + "[delivery]\ngive_up_hours = 'x'", ["delivery.give_up_hours: must be a number"]),
        (
            SMALLEST + "[customers.lead]\nlead_source_id = 'A'\nassigned_to_id = 'contact-agent'",
            ["customers[M12345].lead: fallback_assigned_to_id is needed when assigned_to_id is contact-agent"],
        ),
        *(
            (
                SMALLEST + f"[customers.interest]\nlead_source_id = {pasted}",
                ["customers[M12345].interest.lead_source_id: must be one line without a space at either end"],
            )
            for pasted in ("' '", "'LS1 '", r'"LS1\u200b"', r'"LS1\n"')
        ),
        (
            SMALLEST + "[[customers]]\nid = 'M12345'\nname = 'B'\npassword = 'b'",
            ["customers: the id M12345 appears twice"],
        ),
    ],
)
def test_an_error_is_reported_in_one_line_that_names_its_key(faults: Lines, text: str, lines: list[str]) -> None:
    assert faults(text) == lines


def test_all_errors_are_reported_at_once(faults: Lines) -> None:
    text = without("public_url", without("username")) + "\ncolour = 1\nlanguage = 1"
    assert sorted(line.partition(": ")[0] for line in faults(text)) == [
        "customers[M12345].colour",
        "customers[M12345].language",
        "public_url",
        "vitec.username",
    ]


@pytest.mark.parametrize("text", ["colour = ", "= 1", "a = 1\na = 2", "[vitec]\n[vitec]", '"'])
def test_invalid_toml_is_reported_with_line_and_column(faults: Lines, text: str) -> None:
    (line,) = faults(text)
    assert line.startswith("is not valid TOML: ")
    assert "line" in line or "end of document" in line


def test_a_table_that_is_missing_altogether_lacks_each_of_its_keys(faults: Lines) -> None:
    text = without("base_url", without("username")).replace("[vitec]\n", "")
    assert faults(text) == ["vitec.base_url: is missing", "vitec.username: is missing"]


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 100_000])
def test_unreadable_toml_is_reported_without_a_traceback(faults: Lines, value: str) -> None:
    (line,) = faults(f"colour = {value}")
    assert line.startswith("is not valid TOML: ")


def test_a_byte_order_mark_is_no_part_of_the_configuration_nor_of_a_secret(file: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef", "utf-8-sig")
    file.write_text(f"secret_key_file = '{tmp_path}/secret'\n" + without("secret_key"), "utf-8-sig")
    assert load(file, {}).secret_key.get_secret_value() == "0123456789abcdef"


def test_a_secret_in_the_environment_that_is_not_text_is_reported(faults: Lines) -> None:
    text = "secret_key_env = 'SECRET'\n" + without("secret_key")
    assert faults(text, {"SECRET": "\udcff" * 20}) == ["secret_key: the environment variable SECRET is not text"]


def test_a_file_that_is_not_utf_8_is_reported(file: Path) -> None:
    file.write_bytes(b'name = "M\xe4klarhuset"')
    with pytest.raises(ConfigurationError, match="is not valid TOML"):
        load(file, {})


def test_a_missing_file_is_reported_with_what_to_do(file: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(file, {})
    [line] = refused.value.lines
    assert line == f"{file}: No such file or directory. Set INTRESSE_CONFIG, or try: intresse serve --demo"


def test_a_secret_that_cannot_be_fetched_is_reported_once(faults: Lines, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    text = "secret_key_file = '/nowhere/secret'\nencryption_keys_env = 'NOT_SET'\n" + without(
        "secret_key", without("encryption_keys")
    )
    assert faults(text) == [
        "secret_key: can't read '/nowhere/secret': No such file or directory",
        "encryption_keys: the environment variable NOT_SET is not set",
    ]
    folder = faults(f"secret_key_file = '{tmp_path}'\n" + without("secret_key"))
    assert folder == [f"secret_key: can't read '{tmp_path}': Is a directory"]
    binary = faults(f"secret_key_file = '{tmp_path}/binary'\n" + without("secret_key"))
    assert binary == [f"secret_key: can't read '{tmp_path}/binary': it is not text"]


def test_a_secret_that_a_command_does_not_use_may_be_missing_and_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://intresse:secret@database/intresse")
    text = (
        WHOLE
        + """
[alarms]
webhook_url = "https://alarms.example.se/hook"
webhook_secret_file = "/nowhere/webhook"
smtp_url_file = "/nowhere/smtp"
mail_from = "intresse@example.se"
mail_to = ["drift@example.se"]
"""
    )
    assert 'database_url = "sqlite:///data/intresse.db"' in text
    text = text.replace('database_url = "sqlite:///data/intresse.db"', f'database_url_file = "{tmp_path / "url"}"')
    text = text.replace('console_password_env = "INTRESSE_CONSOLE_PASSWORD"', 'console_password_file = "/nowhere/else"')
    file = tmp_path / "intresse.toml"
    file.write_text(text, "utf-8")
    settings, again = (load(file, {}, uses=frozenset({"database_url"})) for _ in range(2))
    assert settings.database_url.get_secret_value() == "postgresql://intresse:secret@database/intresse"
    assert settings.console_password is not None  # that there is one is known
    assert settings.console_password != again.console_password  # and nobody's guess
    assert settings.secret_key != again.secret_key
    with pytest.raises(ConfigurationError) as error:
        load(file, {})
    assert len(error.value.lines) > len(ENVIRON)


def test_a_bad_value_is_reported_even_to_commands_that_do_not_use_it(tmp_path: Path) -> None:
    file = tmp_path / "intresse.toml"
    line = 'console_password_env = "INTRESSE_CONSOLE_PASSWORD"'
    for bad in ('console_password = "changeme"', "console_password_env = 7"):
        file.write_text(WHOLE.replace(line, bad), "utf-8")
        with pytest.raises(ConfigurationError, match="console_password"):
            load(file, {}, uses=frozenset())


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        (["check"], True),
        (["serve"], True),
        (["migrate"], False),
        (["leads", "list"], False),
        (["restored"], False),
        (["rotate-keys"], False),
    ],
)
def test_only_what_serves_needs_the_consoles_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], needed: bool
) -> None:
    """Compose's worker and an operator's commands don't have it."""
    file = tmp_path / "intresse.toml"
    text = SMALLEST.replace("sqlite:///data/", f"sqlite:///{tmp_path}/")
    file.write_text('console_password_file = "/nowhere/at/all"\n' + text, "utf-8")
    monkeypatch.setenv("INTRESSE_CONFIG", str(file))
    CliRunner().invoke(cli, ["migrate"])
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == int(needed), done.output
    assert ("console_password: can't read" in done.output) is needed


def test_an_impossible_file_name_is_reported(faults: Lines) -> None:
    (line,) = faults('secret_key_file = "\\u0000"\n' + without("secret_key"))
    assert line.startswith("secret_key: can't read ")


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("secret_key_env = 'A_NAME'", "secret_key_env"),
        ("secret_key_file = '/nowhere'", "secret_key_file"),
    ],
)
def test_a_secret_that_is_given_twice_is_reported(faults: Lines, more: str, key: str) -> None:
    assert faults(f"{more}\n{SMALLEST}", {"A_NAME": "another key for these tests"}) == [
        f"{key}: secret_key is given twice"
    ]


def test_a_secret_by_file_and_by_environment_is_given_twice(faults: Lines, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    text = without("password") + f"\npassword_env = 'A_NAME'\npassword_file = '{tmp_path}/secret'"
    assert faults(text, {"A_NAME": "another"}) == ["customers[M12345].password_file: password is given twice"]


def test_an_error_names_its_customer_by_id_where_there_is_one(faults: Lines) -> None:
    more = "[[customers]]\nid = '{0}'\nname = ''\npassword_env = 'A_NAME'"
    lines = faults("\n".join([SMALLEST, more.format("M67890"), more.format("no id")]))
    assert [line.partition(": ")[0] for line in sorted(lines)] == [
        "customers[2].id",
        "customers[2].name",
        "customers[2].password",
        "customers[M67890].name",
        "customers[M67890].password",
    ]


def test_a_password_that_nobody_can_type_is_reported(faults: Lines) -> None:
    """A variable keeps its line break, which no sign-in and no login at Vitec would contain."""
    text = without("password") + "\npassword_env = 'A_NAME'"
    line = "customers[M12345].password: contains a line break or another character that nobody can type"
    assert faults(text, {"A_NAME": "hemligt\n"}) == [line]


def test_only_secrets_can_be_given_by_file_or_by_environment(faults: Lines) -> None:
    text = "public_url_env = 'A_NAME'\n" + without("public_url")
    assert faults(text, {"A_NAME": "https://leads.example.se"}) == [
        "public_url: is missing",
        "public_url_env: is not a known key",
    ]


def test_an_empty_secret_is_reported(faults: Lines) -> None:
    text = without("password") + "\npassword_env = 'A_NAME'"
    assert faults(text, {"A_NAME": ""}) == ["customers[M12345].password: is empty"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", "hemligt"),
        ("encryption_keys", "hemligt"),
        ("database_url", "mysql://root:hemligt@host/db"),
    ],
)
def test_an_error_never_repeats_a_secret(faults: Lines, name: str, value: str) -> None:
    (line,) = faults(f"{name} = '{value}'\n" + without(name))
    assert line.startswith(f"{name}: ")
    assert "hemligt" not in line


def test_a_key_in_the_place_of_its_hash_is_not_repeated_either(faults: Lines) -> None:
    (line,) = faults(SMALLEST + "api_key_hashes = ['hemligt']")
    assert line.startswith("customers[M12345].api_key_hashes[0]: ")
    assert "hemligt" not in line


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({}, "intresse.toml"),
        ({"INTRESSE_CONFIG": ""}, "intresse.toml"),
        ({"INTRESSE_CONFIG": "/etc/intresse/main.toml"}, "/etc/intresse/main.toml"),
    ],
)
def test_the_environment_says_where_the_configuration_is(environ: dict[str, str], path: str) -> None:
    assert configuration_path(environ) == Path(path)


@pytest.mark.parametrize("demo", [None, "0"])
def test_without_a_configuration_nothing_starts_and_least_of_all_a_demo(tmp_path: Path, demo: str | None) -> None:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("INTRESSE_")}
    environ |= {} if demo is None else {"INTRESSE_DEMO": demo}
    command = [sys.executable, "-m", "app", "serve"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100
    )  # many, for a busy machine
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("intresse.toml: No such file or directory. Set INTRESSE_CONFIG, or try: ")
    assert len(ended.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_bad_configuration_ends_the_check_in_lines_and_never_a_traceback(file: Path) -> None:
    file.write_text(without("public_url", without("username")))
    environ = os.environ | {"INTRESSE_CONFIG": str(file)}
    command = [sys.executable, "-m", "app", "check"]
    ended = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=100
    )  # many, for a busy machine
    assert ended.returncode == 1
    assert ended.stderr == f"{file}: public_url: is missing\n{file}: vitec.username: is missing\n"
