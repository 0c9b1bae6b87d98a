"""`intresse leads list/show`."""

from typing import Annotated

import typer

from app.cli.output import (
    AsJson,
    OfCustomer,
    OfStatus,
    OlderThan,
    Stuck,
    Which,
    on_leads,
    print_json,
    print_list,
    wanted_by,
)

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
    wanted = wanted_by(status, customer, older_than, stuck)
    print_list(on_leads(lambda service: service.leads.newest(wanted, most)), as_json)


@commands.command("show")
def leads_show(which: Which, as_json: AsJson = False) -> None:
    """A submission's steps, each call, and Vitec's words."""
    from app.cli.presentation import lines_of, record_of, records_of, trace

    found, tried = on_leads(lambda service: trace(service, which))
    if as_json:
        print_json(record_of(found) | {"history": records_of(tried)})
    else:
        for line in lines_of(found, tried):
            typer.echo(line)
