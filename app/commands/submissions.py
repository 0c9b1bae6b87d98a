"""What the commands about submissions share: how one, or several, are named, found and printed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from app.commands.refusals import configured, stop, using_database
from app.domain.submission import Status

if TYPE_CHECKING:
    from app.domain.submission import Submission
    from app.service import Service
    from app.storage.listing import Wanted

T = TypeVar("T")

Which = Annotated[str, typer.Argument(help="Its id, or the reference that the visitor has.")]
OfStatus = Annotated[Status | None, typer.Option("--status", help="Only those with this status.")]
OfCustomer = Annotated[str | None, typer.Option("--customer", help="Only this customer's.")]
OlderThan = Annotated[str | None, typer.Option(help="Only those received longer ago: 45m, 12h, 30d.")]
Stuck = Annotated[bool, typer.Option("--stuck", help="Only what needs a person.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def on_leads(work: Callable[[Service], Awaitable[T]]) -> T:
    from app.leads import NoSuchSubmission, run

    try:
        with using_database():
            return run(configured(), work)
    except NoSuchSubmission as error:
        stop(str(error))


def wanted_by(status: Status | None, customer: str | None, older_than: str | None, stuck: bool) -> Wanted:
    from app import leads

    try:
        return leads.wanted_by(status, customer, older_than, stuck)
    except ValueError as error:
        stop(str(error))


def print_list(found: Sequence[Submission], as_json: bool) -> None:
    from app.leads import line_of, record_of

    if as_json:
        print_json([record_of(one) for one in found])
    else:
        for one in found:
            typer.echo(line_of(one))


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
