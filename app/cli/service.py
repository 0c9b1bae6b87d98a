"""Loads the configuration and builds the service for the commands."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

from app.cli.output import stop
from app.config.loader import SECRETS, SERVING_SECRETS, ConfigurationError, configuration_path, load
from app.config.settings import Settings
from app.storage.database import DatabaseUnusableError, StoreUnavailableError, require_existing

if TYPE_CHECKING:
    from app.bootstrap.services import Service

T = TypeVar("T")


def configured(uses: frozenset[str] = SECRETS - SERVING_SECRETS) -> Settings:
    """The configuration. `uses` are the secrets that the command needs; most commands don't need those of the web
    service. Ends the command if the configuration has errors."""
    try:
        return load(configuration_path(), uses=uses)
    except ConfigurationError as error:
        stop(*error.lines)


def warn_of_unknown_customer(settings: Settings, customer: str | None) -> None:
    """A warning and no error: data of customers that have left the configuration can still be found and erased."""
    if customer is not None and customer not in {known.id for known in settings.customers}:
        typer.echo(f"Warning: --customer: {customer} is not in the configuration", err=True)


@contextmanager
def using_database() -> Iterator[None]:
    """If the database can't be used, ends the command with the reason."""
    try:
        yield
    except (DatabaseUnusableError, StoreUnavailableError) as error:
        stop(f"database: {error}")


def run_configured(work: "Callable[[Service], Awaitable[T]]") -> T:
    """Runs `work` on the configured database, which must exist."""
    with using_database():
        settings = configured()
        require_existing(settings.database_url.get_secret_value())
        return run(settings, work)


def run(settings: Settings, work: "Callable[[Service], Awaitable[T]]") -> T:
    """Runs `work` with the service, and closes it. Raises `DatabaseUnusableError`, `StoreUnavailableError`."""
    from app.bootstrap.services import build_service, prepare_database

    async def inside() -> T:
        service = build_service(settings)
        prepare_database(service.database)
        try:
            return await work(service)
        finally:
            await service.vitec.close()
            service.database.close()

    return asyncio.run(inside())
