"""`intresse leads export` and `erase`: what a person may ask for."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from app.cli.output import AsJson, configured, print_json, stop, using_database

T = TypeVar("T")

commands = typer.Typer()
Email = Annotated[str | None, typer.Option(help="An e-mail address of the person's.")]
Phone = Annotated[str | None, typer.Option(help="A phone number of the person's.")]
Identity = Annotated[str | None, typer.Option("--id", help="A submission's id or reference, or a contact's at Vitec.")]
Customer = Annotated[str | None, typer.Option(help="Only this customer's submissions.")]


def on_a_person(work: Callable[..., Awaitable[T]], *sought: str | None) -> T:
    from app.bootstrap import people
    from app.cli.presentation import run
    from app.privacy.erasure_log import ErasureLogError

    try:
        whom = people.whom(*sought)
        with using_database():
            return run(configured(), lambda service: work(service, whom))
    except (people.PersonSearchError, ErasureLogError) as error:
        stop(str(error))


@commands.command()
def erase(
    email: Email = None,
    phone: Phone = None,
    identity: Identity = None,
    customer: Customer = None,
    as_json: AsJson = False,
) -> None:
    """Erase what is kept of a person; print what Vitec has too, and the erasure log's line as proof."""
    from app.bootstrap.people import erase_person, record_of_erasure
    from app.domain.ids import reference_of

    erased = on_a_person(erase_person, email, phone, identity, customer)
    if as_json:
        print_json(record_of_erasure(erased))
        return
    for words, submissions in (("Vitec has it too", erased.delivered), ("Vitec may have it", erased.uncertain)):
        for one in submissions:
            where = f"{one.customer_id} {one.operation} {reference_of(one.id)} of {one.received_at:%Y-%m-%d}"
            typer.echo(f"{words}: {where}")
    typer.echo(f"Erased: {erased.count} submission(s). Proof, as written in the erasure log:")
    typer.echo(erased.proof)


@commands.command()
def export(
    email: Email = None,
    phone: Phone = None,
    identity: Identity = None,
    customer: Customer = None,
    as_json: Annotated[bool, typer.Option("--json", help="As it is in any case.")] = True,
) -> None:
    """Print all that is kept of a person, as JSON."""
    from app.bootstrap.people import export_person

    found = on_a_person(export_person, email, phone, identity, customer)
    print_json(found)
