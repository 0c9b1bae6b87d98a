"""Shared fixtures: real servers, a real database of each kind, no mocks of our own code."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as properties
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy import URL

from app import logs
from app.config.settings import Settings
from app.sandbox import Customer, Office, create_sandbox
from app.web.rendering.templates import Templates
from tests.databases import migrated_app
from tests.servers import client_of, postgresql_server, serve
from tests.temporary import use_memory

CUSTOMER = "M12345"
API_KEY = "test-api-key"
ORIGIN = "https://www.maklarhuset.se"

Configure = Callable[..., Settings]

# As Hypothesis itself has it on a CI server that it knows: no example is too slow for a busy machine, and each run
# tries the same ones, so that a red run is about the change.
properties.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
properties.load_profile("tests")

use_memory()


@pytest.fixture(autouse=True, scope="session")
def _logs() -> None:
    """Logs in the service's format."""
    logs.configure()


class _Compiled(BytecodeCache):
    """Compiled Jinja templates, shared by all services of all tests."""

    def __init__(self) -> None:
        self._made: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if made := self._made.get(bucket.key):
            bucket.bytecode_from_string(made)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._made[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(autouse=True, scope="session")
def _templates_are_compiled_once() -> Iterator[None]:
    compiled, make = _Compiled(), Templates._environment

    def environment(templates: Templates, directory: Path, language: str) -> Environment:
        made = make(templates, directory, language)
        made.bytecode_cache = compiled
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Templates, "_environment", environment)
        yield


@pytest.fixture
def office() -> Office:
    """The CRM of two customers. Every well-formed estate, viewing and slot exists."""
    return Office([Customer(CUSTOMER, "secret", "crm-secret"), Customer("M67890", "other", "other-crm")])


@pytest.fixture
def vitec_url(office: Office) -> Iterator[str]:
    with serve(create_sandbox(office), drops=True) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql() -> Iterator[URL]:
    """A PostgreSQL server from its wheel. Not in pytest's own folder, because another session could make that
    inaccessible to the server's user. It never waits for the disk: no test cuts the power."""
    temporary = TemporaryDirectory(prefix="intresse-postgresql-", ignore_cleanup_errors=True)
    with temporary as folder, postgresql_server(Path(folder)) as url:
        with psycopg.connect(_text(url), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture
def template() -> str:
    """The database on the PostgreSQL server of which each test gets a copy."""
    return "template1"


@pytest.fixture
def postgresql_url(postgresql: URL, template: str) -> Iterator[str]:
    """A new database."""
    with new_database(postgresql, template) as url:
        yield url


@contextmanager
def new_database(postgresql: URL, template: str) -> Iterator[str]:
    """A copy of the database `template` on that server, until the end of the `with`."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(_text(postgresql), autocommit=True) as connection:
        # As files: page by page through the log, as is usual, it takes four times as long.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield _text(postgresql.set(database=name))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database of each kind; empty, unless `template` says otherwise."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/intresse.db"
    else:
        yield request.getfixturevalue("postgresql_url")


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture
def configure(tmp_path: Path, vitec_url: str) -> Configure:
    """Settings of a service in front of the sandbox, on SQLite; keywords override the top level, `customer` the first
    customer's table, `vitec` and `delivery` their own."""

    def make(
        customer: dict[str, Any] | None = None,
        vitec: dict[str, Any] | None = None,
        delivery: dict[str, Any] | None = None,
        **top: Any,
    ) -> Settings:
        return Settings.model_validate(
            {
                "secret_key": "a secret key for the tests alone",
                "encryption_keys": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
                "database_url": f"sqlite:///{tmp_path}/intresse.db",
                "public_url": "https://leads.example.se",
                "vitec": {"base_url": vitec_url, "username": "partner", "requests_per_second": 1000} | (vitec or {}),
                "delivery": delivery or {},
                "customers": [
                    {
                        "id": CUSTOMER,
                        "name": "Mäklarhuset",
                        "password": "secret",
                        "crm_password": "crm-secret",
                        "allowed_origins": [ORIGIN],
                        "api_key_hashes": [sha256(API_KEY.encode()).hexdigest()],
                        "privacy_url": f"{ORIGIN}/integritet",
                        "phone": "08-123 456 78",
                        "email": "info@maklarhuset.se",
                        "rate_limit": "1000/minute",
                    }
                    | (customer or {}),
                    {"id": "M67890", "name": "Den andra", "password": "other", "crm_password": "other-crm"},
                ],
                **top,
            }
        )

    return make


@pytest.fixture
def start(configure: Configure) -> Iterator[Callable[..., httpx.Client]]:
    """Starts the service on a loopback port; returns a client for it. Takes the arguments of `configure`."""
    with ExitStack() as running:

        def run(*, deliver: bool = True, demo: bool = False, **overrides: Any) -> httpx.Client:
            app = migrated_app(configure(**overrides), deliver=deliver, demo=demo)
            url = running.enter_context(serve(app))
            return running.enter_context(client_of(url))

        yield run


@pytest.fixture
def client(start: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of the service with the settings of `configure()`."""
    return start()
