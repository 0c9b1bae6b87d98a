"""Shared options and output of the commands about submissions."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from app.config.loader import OF_SERVING, SECRETS, ConfigurationError, configuration_path, load
from app.config.settings import Settings
from app.domain.submission import Status
from app.storage.database import DatabaseUnusableError, StoreUnavailableError

if TYPE_CHECKING:
    from app.bootstrap.services import Service
    from app.domain.submission import Submission
    from app.submissions.listing import SubmissionFilter

T = TypeVar("T")

Which = Annotated[str, typer.Argument(help="Its id, or the reference that the visitor has.")]
OfStatus = Annotated[Status | None, typer.Option("--status", help="Only those with this status.")]
OfCustomer = Annotated[str | None, typer.Option("--customer", help="Only this customer's.")]
OlderThan = Annotated[str | None, typer.Option(help="Only those received longer ago: 45m, 12h, 30d.")]
Stuck = Annotated[bool, typer.Option("--stuck", help="Only what needs a person.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def on_leads(work: Callable[[Service], Awaitable[T]]) -> T:
    from app.cli.presentation import SubmissionNotFoundError, run

    try:
        with using_database():
            return run(configured(), work)
    except SubmissionNotFoundError as error:
        stop(str(error))


def wanted_by(status: Status | None, customer: str | None, older_than: str | None, stuck: bool) -> SubmissionFilter:
    from app.cli import presentation

    try:
        return presentation.submission_filter(status, customer, older_than, stuck)
    except ValueError as error:
        stop(str(error))


def print_list(found: Sequence[Submission], as_json: bool) -> None:
    from app.cli.presentation import line_of, record_of

    if as_json:
        print_json([record_of(one) for one in found])
    else:
        for one in found:
            typer.echo(line_of(one))


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


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
    except (DatabaseUnusableError, StoreUnavailableError) as error:
        stop(f"database: {error}")
