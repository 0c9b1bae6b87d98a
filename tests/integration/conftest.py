"""An up-to-date database of each kind, and the sandbox, served once for all tests of a file."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import URL

from app.delivery import worker
from app.sandbox import Customer, Office, serve_sandbox
from app.storage.database import Database
from app.storage.migrations import upgrade
from tests.conftest import CUSTOMER
from tests.databases import put_migrated
from tests.integration.storage_helpers import OTHER, opened


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql(postgresql: URL) -> URL:
    """The server, with an up-to-date database to copy."""
    with psycopg.connect(postgresql.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated")
    with opened(postgresql.set(database="migrated").render_as_string(hide_password=False)) as database:
        upgrade(database)
    return postgresql


@pytest.fixture
def template() -> str:
    return "migrated"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty, up-to-date database."""
    put_migrated(database_url)
    with opened(database_url) as database:
        yield database


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Office, str]]:
    office = Office([Customer(CUSTOMER, "secret", "crm-secret"), Customer(OTHER, "other", "other-crm")])
    with serve_sandbox(office) as url:
        yield office, url


@pytest.fixture
def office(served: tuple[Office, str]) -> Office:
    """The CRM, reset."""
    served[0].reset()
    return served[0]


@pytest.fixture
def vitec_url(served: tuple[Office, str], office: Office) -> str:
    return served[1]


@pytest.fixture
def short_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the poll interval of an idle worker."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.02)
