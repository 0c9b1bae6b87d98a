"""What the commands about submissions share: how one, or several, are named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.commands.refusals import configured, stop, using_database
from app.domain.submission import Status

if TYPE_CHECKING:
    from app.storage.leads import Search

T = TypeVar("T")

Which = Annotated[str, typer.Argument(help="Its id, or the reference that the visitor has.")]
OfStatus = Annotated[Status | None, typer.Option("--status", help="Only those with this status.")]
OfCustomer = Annotated[str | None, typer.Option("--customer", help="Only this customer's.")]
OlderThan = Annotated[str | None, typer.Option(help="Only those received longer ago: 45m, 12h, 30d.")]
Stuck = Annotated[bool, typer.Option("--stuck", help="Only what needs a person.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def on_leads(work: Callable[..., Awaitable[T]], *arguments: object) -> T:
    from app.leads import NoSuchSubmission, run

    try:
        with using_database():
            return run(configured(), lambda service: work(service, *arguments))
    except NoSuchSubmission as error:
        stop(str(error))


def searched(status: Status | None, customer: str | None, older_than: str | None, stuck: bool) -> Search:
    from app.leads import search

    try:
        return search(status, customer, older_than, stuck)
    except ValueError as error:
        stop(str(error))
