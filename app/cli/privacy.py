"""`intresse leads export` and `erase`: a person's rights of access and erasure."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.cli.output import AsJson, print_json, stop
from app.cli.service import run_configured, warn_of_unknown_customer
from app.domain.ids import reference_of

if TYPE_CHECKING:
    from app.bootstrap.services import Service
    from app.privacy.requests import PersonQuery, PrivacyRequests

T = TypeVar("T")

EXAMPLES = {
    "email": "one address like anna@example.se",
    "phone": "one number like 070-123 45 67, or a foreign one with its country code like +49 151 12345678",
    "id": "a receipt's reference, or the id of a submission or of a contact",
}

commands = typer.Typer()
EmailOption = Annotated[str | None, typer.Option("--email", help="One of the person's e-mail addresses.")]
PhoneOption = Annotated[str | None, typer.Option("--phone", help="One of the person's phone numbers.")]
IdOption = Annotated[str | None, typer.Option("--id", help="A submission's id or reference, or a Vitec contact id.")]
CustomerOption = Annotated[str | None, typer.Option("--customer", help="Only this customer's submissions.")]


@commands.command()
def erase(
    email: EmailOption = None,
    phone: PhoneOption = None,
    id_: IdOption = None,
    customer: CustomerOption = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person's data. Prints what Vitec has too, and the erasure log's line as proof. With `-` as the address,
    number or id, asks for it."""
    from app.domain.datetimes import swedish_time

    erased = _requested(email, phone, id_, customer, lambda requests, person: requests.erase(person))
    if as_json:
        print_json(erased.to_json())
        return
    for label, submissions in (("Vitec has it too", erased.delivered), ("Vitec may have it", erased.uncertain)):
        for erasure in submissions:
            day = f"{swedish_time(erasure.received_at):%Y-%m-%d}"  # as Vitec shows it
            reference = reference_of(erasure.id)
            typer.echo(f"{label}: {erasure.customer_id} {erasure.operation} {reference} of {day}")
    typer.echo(f"Erased: {erased.count} submission(s). Proof, as written in the erasure log:")
    typer.echo(erased.proof)


@commands.command()
def export(
    email: EmailOption = None,
    phone: PhoneOption = None,
    id_: IdOption = None,
    customer: CustomerOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The default, and the only format.")] = True,
) -> None:
    """Print all stored data about a person, as JSON. With `-` as the address, number or id, asks for it."""
    print_json(_requested(email, phone, id_, customer, lambda requests, person: requests.export(person)))


def _requested(
    email: str | None,
    phone: str | None,
    id_: str | None,
    customer: str | None,
    work: "Callable[[PrivacyRequests, PersonQuery], Awaitable[T]]",
) -> T:
    from app.privacy.erasure_log import ErasureLogError
    from app.privacy.requests import PersonQuery

    criteria = {by: value for by, value in {"email": email, "phone": phone, "id": id_}.items() if value is not None}
    if len(criteria) != 1:
        stop("give one of --email, --phone and --id")
    [(by, value)] = criteria.items()
    if value == "-":  # keeps it out of the shell's history, which nobody erases
        value = typer.prompt(by, err=True)
    try:
        person = PersonQuery.parse(by, value, customer)
    except ValueError:
        stop(f"--{by}: can't be read; write {EXAMPLES[by]}")

    def carry_out(service: "Service") -> Awaitable[T]:
        warn_of_unknown_customer(service.settings, customer)
        return work(service.privacy_requests, person)

    try:
        return run_configured(carry_out)
    except ErasureLogError as error:
        stop(str(error))
