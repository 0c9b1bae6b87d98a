"""`intresse leads …`."""

import json
from typing import Annotated

import typer

from app.commands.filters import AsJson, OfCustomer, OfStatus, OlderThan, Stuck, Which, on_leads, searched

commands = typer.Typer(no_args_is_help=True, help="Submissions, without the console.")


@commands.command("list")
def leads_list(
    status: OfStatus = None,
    customer: OfCustomer = None,
    older_than: OlderThan = None,
    stuck: Stuck = False,
    most: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest submissions, a line each, without personal data."""
    from app.leads import line_of, listing, record_of

    found = on_leads(listing, searched(status, customer, older_than, stuck), most)
    if as_json:
        typer.echo(json.dumps([record_of(one) for one in found], ensure_ascii=False, indent=2))
    else:
        for one in found:
            typer.echo(line_of(one))


@commands.command("show")
def leads_show(which: Which, as_json: AsJson = False) -> None:
    """A submission's steps, and Vitec's words."""
    from app.leads import lines_of, record_of, showing

    found = on_leads(showing, which)
    if as_json:
        typer.echo(json.dumps(record_of(found), ensure_ascii=False, indent=2))
    else:
        for line in lines_of(found):
            typer.echo(line)
