"""`intresse leads …`."""

import json
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


OfStatus = Annotated[Status | None, typer.Option("--status", help="Only those with this status.")]
OfCustomer = Annotated[str | None, typer.Option("--customer", help="Only this customer's.")]
OlderThan = Annotated[str | None, typer.Option(help="Only those received longer ago: 45m, 12h, 30d.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@commands.command("list")
def leads_list(
    status: OfStatus = None,
    customer: OfCustomer = None,
    older_than: OlderThan = None,
    stuck: Annotated[bool, typer.Option("--stuck", help="Only what needs a person.")] = False,
    most: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest submissions, a line each, without personal data."""
    from app.leads import line_of, listing, record_of, search

    try:
        wanted = search(status, customer, older_than, stuck)
    except ValueError as error:
        stop(str(error))
    found = _on_leads(listing, wanted, most)
    if as_json:
        typer.echo(json.dumps([record_of(one) for one in found], ensure_ascii=False, indent=2))
    else:
        for one in found:
            typer.echo(line_of(one))


@commands.command("show")
def leads_show(which: Which, as_json: AsJson = False) -> None:
    """A submission's steps, and Vitec's words."""
    from app.leads import lines_of, record_of, showing

    found = _on_leads(showing, which)
    if as_json:
        typer.echo(json.dumps(record_of(found), ensure_ascii=False, indent=2))
    else:
        for line in lines_of(found):
            typer.echo(line)


@commands.command("retry")
def leads_retry(which: Which) -> None:
    """Fill the configured members anew for the steps not yet done, and make them due now."""
    from app.leads import retrying

    if not _on_leads(retrying, which):
        stop("nothing to retry: every step is done, it is held (release it), or a worker is at it")
    typer.echo("It is due now.")


@commands.command("release")
def leads_release(which: Which) -> None:
    """Send what was held, or what may have been carried out already (uncertain). A second time changes nothing."""
    from app.leads import releasing

    typer.echo("It is due now." if _on_leads(releasing, which) else "Nothing to do: it is neither held nor uncertain.")


@commands.command("discard")
def leads_discard(which: Which) -> None:
    """Close it for good: nothing more is sent, what is personal is erased. A second time changes nothing."""
    from app.leads import discarding

    done = _on_leads(discarding, which)
    typer.echo("It is closed." if done else "Nothing to do: it is delivered or closed, or a worker is at it.")
