"""`intresse leads list` and `show`, and the selection of submissions for the other commands of the group."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.output import AsJson, attempts_json, print_json, print_submissions, stop, submission_json, submission_lines
from app.cli.service import run_configured, warn_of_unknown_customer
from app.domain.durations import parse_duration
from app.domain.submission import Status

if TYPE_CHECKING:
    from app.bootstrap.services import Service
    from app.domain.submission import Submission
    from app.submissions.listing import SubmissionFilter
    from app.submissions.repository import Attempt

FilterOf = Callable[["Service"], "SubmissionFilter"]

MAX_AGE = timedelta(days=3660)  # the longest retention that the configuration allows


def _status(name: str) -> Status:
    try:
        return Status(name)
    except ValueError:
        raise typer.BadParameter(f"{name} is not one of {', '.join(Status)}") from None


StatusOption = Annotated[
    Status | None,
    typer.Option("--status", parser=_status, metavar=f"[{'|'.join(Status)}]", help="Only those with this status."),
]
CustomerOption = Annotated[str | None, typer.Option("--customer", help="Only this customer's.")]
OlderThanOption = Annotated[str | None, typer.Option(help="Only those received longer ago than this: 45m, 12h, 30d.")]
StuckOption = Annotated[bool, typer.Option("--stuck", help="Only what needs attention.")]

commands = typer.Typer(no_args_is_help=True, help="Manage submissions from the command line.")


@commands.command("list")
def leads_list(
    status: StatusOption = None,
    customer: CustomerOption = None,
    older_than: OlderThanOption = None,
    stuck: StuckOption = False,
    limit: Annotated[int, typer.Option(min=1, help="The maximum number of submissions.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the newest submissions, one per line, without personal data."""
    chosen = submission_filter(status, customer, older_than, stuck)
    print_submissions(run_configured(lambda service: service.submissions.newest(chosen(service), limit)), as_json)


@commands.command("show")
def leads_show(
    which: Annotated[str, typer.Argument(metavar="SUBMISSION", help="Its id, or the visitor's reference.")],
    as_json: AsJson = False,
) -> None:
    """Show a submission's steps, every call, and Vitec's words."""
    submission, attempts = run_configured(lambda service: _with_attempts(service, which))
    if as_json:
        print_json(submission_json(submission) | {"history": attempts_json(attempts)})
    else:
        for line in submission_lines(submission, attempts):
            typer.echo(line)


async def _with_attempts(service: "Service", which: str) -> "tuple[Submission, Sequence[Attempt]]":
    from app.submissions.repository import history

    submission = await find(service, which)
    return submission, (await history(service.database, submission.id)).attempts


async def find(service: "Service", id_or_reference: str) -> "Submission":
    """The submission. Ends the command if it does not exist. Raises `StoreUnavailableError`."""
    submission = await service.submissions.find(id_or_reference)
    if submission is None:
        stop(f"no submission has the id or reference {id_or_reference}")
    return submission


def submission_filter(status: Status | None, customer: str | None, older_than: str | None, stuck: bool) -> FilterOf:
    """`older_than` is `45m`, `12h` or `30d`, counted by the database's clock. Any other text ends the command."""
    from app.submissions.listing import SubmissionFilter

    try:
        age = None if older_than is None else parse_duration(older_than, MAX_AGE)
    except ValueError as error:
        stop(f"--older-than: {error}")

    def chosen(service: "Service") -> SubmissionFilter:
        warn_of_unknown_customer(service.settings, customer)
        before = service.database.now() - age if age else None
        return SubmissionFilter(status=status, customer_id=customer, received_before=before, stuck=stuck)

    return chosen
