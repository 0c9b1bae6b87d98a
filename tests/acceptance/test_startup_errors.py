"""If the service can't start, it ends with one line that says why. It waits for a database that is late."""

import json
import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import URL, insert, make_url

from app.maintenance.move import move
from app.storage.database import Database
from app.storage.migrations import upgrade
from app.storage.schema import clock
from tests.acceptance.commands import command as process_of
from tests.acceptance.commands import run_here
from tests.servers import STARTS_WITHIN, eventually, free_port, wait_until_ready

ROOT = Path(__file__).parents[2]
SECRETS = {
    "INTRESSE_SECRET_KEY": "a secret key for the tests alone",
    "INTRESSE_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
CONFIGURATION = """
secret_key_env = "INTRESSE_SECRET_KEY"
encryption_keys_env = "INTRESSE_ENCRYPTION_KEYS"
database_url = "{database_url}"
public_url = "https://leads.example.se"
[vitec]
base_url = "http://127.0.0.1:9"
username = "partner"
[[customers]]
id = "M12345"
name = "Mäklarhuset"
password = "secret"
"""


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The environment in which the commands use that database."""

    def write(database_url: str) -> dict[str, str]:
        (tmp_path / "intresse.toml").write_text(CONFIGURATION.format(database_url=database_url), "utf-8")
        return os.environ | SECRETS | {"INTRESSE_CONFIG": str(tmp_path / "intresse.toml")}

    return write


def refusal(environment: dict[str, str], *arguments: str) -> str:
    """The one line that the command prints."""
    done = run_here(environment, *arguments)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("command", ["serve", "deliver", "migrate", "check", "restored"])
def test_a_missing_secret_stops_the_start(
    configured: Callable[[str], dict[str, str]], command: str, tmp_path: Path
) -> None:
    environment = configured(f"sqlite:///{tmp_path}/intresse.db")
    del environment["INTRESSE_SECRET_KEY"]
    assert refusal(environment, command).endswith("secret_key: the environment variable INTRESSE_SECRET_KEY is not set")


@pytest.mark.parametrize("command", [("serve", "--wait", "0"), ("deliver", "--wait", "0"), ("migrate",), ("restored",)])
def test_an_unreachable_database_stops_the_start(
    configured: Callable[[str], dict[str, str]], command: tuple[str, ...]
) -> None:
    line = refusal(configured(f"postgresql://intresse@127.0.0.1:{free_port()}/intresse"), *command)
    assert line.startswith("database: ")
    assert "refused" in line


@pytest.mark.parametrize("command", ["serve", "deliver"])
def test_an_old_schema_stops_the_start(
    configured: Callable[[str], dict[str, str]], postgresql_url: str, command: str
) -> None:
    line = refusal(configured(postgresql_url), command)
    assert line == "database: the migrations are not current: run `intresse migrate` first"


@pytest.mark.parametrize("command", ["serve", "deliver", "migrate"])
def test_an_unwritable_disk_stops_the_start(configured: Callable[[str], dict[str, str]], command: str) -> None:
    line = refusal(configured("sqlite:////sys/intresse.db"), command)
    assert line == "database: /sys/intresse.db: Permission denied"


@pytest.mark.parametrize(
    "command",
    [
        "backup copy.db",
        "restored",
        "rotate-keys",
        "move --to postgresql://intresse@127.0.0.1/intresse",
        "leads list",
        "leads erase --email anna@example.se",
    ],
)
def test_a_command_about_a_database_that_is_not_there_makes_no_empty_one(
    configured: Callable[[str], dict[str, str]], tmp_path: Path, command: str
) -> None:
    file = tmp_path / "nowhere/intresse.db"
    assert refusal(configured(f"sqlite:///{file}"), *command.split()) == f"database: {file} does not exist"
    assert not file.parent.exists()


def test_what_a_command_logs_is_not_among_its_output(
    configured: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    environment = configured(f"sqlite:///{tmp_path}/intresse.db")
    with closing(Database(f"sqlite:///{tmp_path}/intresse.db")) as database:
        upgrade(database)
        with database.engine.begin() as connection:  # so that the clock seems to have jumped, which is logged
            connection.execute(insert(clock).values(id=1, newest_at=datetime.now(UTC) - timedelta(hours=1)))
    done = subprocess.run(
        process_of("leads", "list", "--json"), cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "[]\n")
    [line] = done.stderr.splitlines()
    assert json.loads(line)["event"].startswith("clock: it has jumped")


@pytest.mark.parametrize(
    ("command", "option", "value", "expected"),
    [
        ("leads list", "--status", "done", "rejected"),
        ("serve --demo", "--port", "0", "greater than or equal to 1"),  # nobody would know which port it got
    ],
)
def test_a_mistyped_option_is_reported_in_one_line(
    configured: Callable[[str], dict[str, str]], command: str, option: str, value: str, expected: str
) -> None:
    done = run_here(configured("sqlite:///unused.db"), *command.split(), option, value)
    assert done.returncode == 2
    *_, line = done.stderr.splitlines()
    assert line.startswith(f"Error: Invalid value for '{option}': ")
    assert expected in line


@pytest.mark.parametrize("id_", ["", "M/1", "å"])
def test_a_sandbox_for_an_impossible_id_is_refused_in_one_line(id_: str) -> None:
    assert refusal({}, "sandbox", "--customer", id_).startswith("--customer: ")


def test_output_that_does_not_fit_on_the_disk_is_one_line(configured: Callable[[str], dict[str, str]]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            process_of("api-key"), env=configured("sqlite:///unused.db"), cwd=ROOT, stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (1, b"intresse: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_names_beyond_the_terminals_encoding_are_printed_in_utf_8(
    configured: Callable[[str], dict[str, str]], tmp_path: Path, encoding: str
) -> None:
    environment = configured("sqlite:///unused.db")
    file = Path(environment["INTRESSE_CONFIG"]).rename(tmp_path / "Łódź.toml")
    here = environment | {"INTRESSE_CONFIG": str(file), "PYTHONIOENCODING": encoding}
    done = subprocess.run(process_of("check"), env=here, cwd=ROOT, capture_output=True)
    assert (done.returncode, done.stdout.decode()) == (0, f"{file}: 1 customer(s), no errors.\n")


@pytest.mark.parametrize("arguments", [(b"leads", b"show", b"\xff"), (b"leads", b"list", b"--customer", b"M\xe5")])
def test_arguments_in_another_encoding_are_one_line(
    configured: Callable[[str], dict[str, str]], arguments: tuple[bytes, ...]
) -> None:
    done = subprocess.run(
        [*process_of(), *arguments], env=configured("sqlite:///unused.db"), cwd=ROOT, capture_output=True
    )
    assert (done.returncode, done.stderr) == (1, b"intresse: the arguments must be in UTF-8\n")


@pytest.mark.parametrize("command", ["serve", "deliver", "sandbox"])
def test_a_port_that_is_taken_stops_the_start(
    configured: Callable[[str], dict[str, str]], tmp_path: Path, command: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_here(configured(f"sqlite:///{tmp_path}/intresse.db"), command, "--port", str(port))
    assert done.returncode == 1
    assert done.stdout == ""  # no address to open
    assert done.stderr == f"can't listen on 127.0.0.1:{port}: Address already in use\n"


def test_an_address_that_is_not_this_machines_stops_the_start(
    configured: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    environment = configured(f"sqlite:///{tmp_path}/intresse.db")
    for host, reason in {"192.0.2.1": "requested address", "nowhere.invalid": "", "127.0.0..1": "not a host"}.items():
        line = refusal(environment, "serve", "--host", host)
        assert line.startswith(f"can't listen on {host}:8000: ")
        assert line.endswith(reason)


@pytest.mark.parametrize("command", ["serve", "deliver"])
def test_a_moved_database_stops_the_start(
    configured: Callable[[str], dict[str, str]], tmp_path: Path, postgresql_url: str, command: str
) -> None:
    source = Database(f"sqlite:///{tmp_path}/intresse.db")
    target = Database(postgresql_url)
    move(source, target)
    source.close()
    target.close()
    line = refusal(configured(f"sqlite:///{tmp_path}/intresse.db"), command)
    assert line.startswith("database: everything was moved to postgresql://")


def test_a_database_that_comes_late_is_waited_for(
    configured: Callable[[str], dict[str, str]], postgresql: URL, postgresql_url: str, tmp_path: Path
) -> None:
    assert run_here(configured(postgresql_url), "migrate").returncode == 0
    here = make_url(postgresql_url)
    late = here.set(database=f"{here.database}_late")
    port = free_port()
    environment = configured(late.render_as_string(hide_password=False))
    log = tmp_path / "serve.log"
    with (
        psycopg.connect(postgresql.render_as_string(hide_password=False), autocommit=True) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        log.open("w") as output,
        subprocess.Popen(
            process_of("serve", "--port", str(port)), cwd=ROOT, env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            eventually(lambda: "waiting for the database" in log.read_text(), within=STARTS_WITHIN)
            server.execute(f"CREATE DATABASE {late.database} TEMPLATE {here.database}")
            wait_until_ready(client)
        finally:
            process.terminate()
        process.wait()
        server.execute(f"DROP DATABASE {late.database} WITH (FORCE)")
