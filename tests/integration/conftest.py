"""A database that is up to date, of each kind; the sandbox, served once for all tests of a file."""

from collections.abc import Iterator

import pytest

from app.storage.database import Database
from app.storage.migrations import upgrade
from app.vitec.sandbox import Customer, Office, serve_sandbox
from tests.conftest import CUSTOMER
from tests.integration.storing import OTHER, opened


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Empty, and up to date."""
    with opened(database_url) as database:
        upgrade(database)
        yield database


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Office, str]]:
    office = Office([Customer(CUSTOMER, "secret", "crm-secret"), Customer(OTHER, "other", "other-crm")])
    with serve_sandbox(office) as url:
        yield office, url


@pytest.fixture
def office(served: tuple[Office, str]) -> Office:
    """The CRM as at its start."""
    served[0].reset()
    return served[0]


@pytest.fixture
def vitec_url(served: tuple[Office, str], office: Office) -> str:
    return served[1]
