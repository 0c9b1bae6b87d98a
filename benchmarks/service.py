"""The service under measurement: its configuration and start, a form token, its stored rows."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import func, select

from app.storage.database import Database
from app.storage.schema import steps, submissions
from benchmarks.sample_requests import CUSTOMER, ORIGIN, PATH
from benchmarks.servers import Server, ServerStoppedError, free_port, running

PUBLIC_URL = "https://leads.example.se"
CONSOLE_PASSWORD = "benchmark"
UNREACHABLE_VITEC = "http://127.0.0.1:9"
CONTAINER_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}  # as in the Dockerfile
# The limits are lifted, because all posts come from one address. A window of a second keeps the limiter's list for that
# address short.
_CONFIGURATION = f"""
secret_key = "a secret key for the benchmark alone"
encryption_keys = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
database_url = "{{database_url}}"
public_url = "{PUBLIC_URL}"
console_password = "{CONSOLE_PASSWORD}"
[vitec]
base_url = "{{vitec_url}}"
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


def configuration(database_url: str, vitec_url: str = UNREACHABLE_VITEC) -> str:
    return _CONFIGURATION.format(database_url=database_url, vitec_url=vitec_url)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/intresse.db"


@contextmanager
def service(root: Path, folder: Path, database_url: str, vitec_url: str = UNREACHABLE_VITEC) -> Iterator[Server]:
    """Runs `intresse serve --no-deliver` as in the container, in a new folder. Raises `ServerStoppedError`."""
    folder.mkdir()
    file = folder / "intresse.toml"
    file.write_text(configuration(database_url, vitec_url), "utf-8")
    port = free_port()
    command = ["app", "serve", "--port", str(port), "--no-deliver"]
    environment = {"INTRESSE_CONFIG": str(file)} | CONTAINER_ENVIRONMENT
    with running(command, port, PATH, root, folder / "service.log", environment) as server:
        yield server


def form_token(page: bytes) -> str:
    """The page's token, as a browser would send it. Raises `ServerStoppedError`."""
    match = re.search(rb'name="token" value="([^"]+)"', page)
    if not match:
        raise ServerStoppedError("the form page has no token")
    return match[1].decode()


def stored_rows(database_url: str) -> tuple[int, int]:
    """The numbers of submissions and of steps."""
    with closing(Database(database_url)) as database, database.engine.connect() as connection:
        counted = (connection.execute(select(func.count()).select_from(table)) for table in (submissions, steps))
        in_submissions, in_steps = (result.scalar_one() for result in counted)
    return in_submissions, in_steps
