"""How a command ends that can't do its work: one clear line for each fault, exit 1, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from app.configuration import OF_SERVING, SECRETS, ConfigurationError, configuration_path, load
from app.settings import Settings
from app.storage.database import DatabaseUnusable, StoreUnavailable


def stop(*lines: str) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(1)


def configured(uses: frozenset[str] = SECRETS - OF_SERVING) -> Settings:
    """With the secrets that the command uses: what only the web service needs, an operator's commands don't."""
    try:
        return load(configuration_path(), uses=uses)
    except ConfigurationError as error:
        stop(*error.lines)


@contextmanager
def using_database() -> Iterator[None]:
    try:
        yield
    except (DatabaseUnusable, StoreUnavailable) as error:
        stop(f"database: {error}")
