"""The service under measurement: its configuration, its start, its form's token, its rows."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from pysqlite3 import dbapi2

from benchmarks.requests import CUSTOMER, ORIGIN, PATH
from benchmarks.servers import Server, Stopped, free_port, running

DATABASE = "intresse.db"
# The limits are out of the way, because every post comes from one address. A second's window keeps the limiter's list
# of that address as short as the default limit keeps a visitor's.
CONFIGURATION = f"""
secret_key = "a secret key for the benchmark alone"
encryption_keys = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
database_url = "sqlite:///{{database}}"
public_url = "https://leads.example.se"
[vitec]
base_url = "http://127.0.0.1:9"
username = "partner"
[[customers]]
id = "{CUSTOMER}"
name = "Mäklarhuset"
password = "secret"
allowed_origins = ["{ORIGIN}"]
privacy_url = "{ORIGIN}/integritet"
phone = "08-123 456 78"
email = "info@maklarhuset.se"
rate_limit = "1000000/second"
rate_limit_person = "1000000/day"
"""


@contextlib.contextmanager
def service(root: Path, folder: Path) -> Iterator[Server]:
    """`intresse serve --no-deliver` on an empty database of its own in the folder, which is made.
    Raises `Stopped`."""
    folder.mkdir()
    configuration = folder / "intresse.toml"
    configuration.write_text(CONFIGURATION.format(database=folder / DATABASE), "utf-8")
    port = free_port()
    command = ["app", "serve", "--port", str(port), "--no-deliver"]
    environment = {"INTRESSE_CONFIG": str(configuration)}
    with running(command, port, PATH, root, folder / "service.log", environment) as server:
        yield server


def form_token(page: bytes) -> str:
    """As the visitor's browser would send it. Raises `Stopped`."""
    found = re.search(rb'name="token" value="([^"]+)"', page)
    if not found:
        raise Stopped("the form page has no token")
    return found[1].decode()


def stored(folder: Path) -> tuple[int, int]:
    """Rows of submissions and of their steps."""
    with contextlib.closing(dbapi2.connect(folder / DATABASE)) as connection:
        submissions, steps = (
            int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in ("submissions", "steps")
        )
    return submissions, steps
