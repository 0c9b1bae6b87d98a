"""`intresse leads …`."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from app.commands.refusals import configured, stop, using_database
from app.domain.submission import Status

T = TypeVar("T")

commands = typer.Typer(no_args_is_help=True, help="Submissions, without the console.")
Which = Annotated[str, typer.Argument(help="Its id, or the reference that the visitor has.")]


def _on_leads(work: Callable[..., Awaitable[T]], *arguments: object) -> T:
    from app.leads import NoSuchSubmission, run

    try:
        with using_database():
            return run(configured(), lambda service: work(service, *arguments))
    except NoSuchSubmission as error:
        stop(str(error))


@commands.command("list")
def leads_list(
    status: Annotated[Status | None, typer.Option(help="Only those with this status.")] = None,
    most: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """The newest submissions, a line each, without personal data."""
    from app.leads import listing

    for line in _on_leads(listing, status, most):
        typer.echo(line)


@commands.command("show")
def leads_show(which: Which) -> None:
    """A submission's steps, and Vitec's words."""
    from app.leads import showing

    for line in _on_leads(showing, which):
        typer.echo(line)


@commands.command("retry")
def leads_retry(which: Which) -> None:
    """Fill the configured members anew for the steps not yet done, and make them due now."""
    from app.leads import retrying

    if not _on_leads(retrying, which):
        stop("nothing to retry: every step is done, or a worker is at it")
    typer.echo("It is due now.")
