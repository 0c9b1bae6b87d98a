"""`intresse leads retry`, `release` and `discard`: for one submission, or for all that match a filter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.leads import CustomerOption, FilterOf, OlderThanOption, StatusOption, StuckOption, find, submission_filter
from app.cli.output import AsJson, print_json, print_submissions, stop
from app.cli.service import run_configured

if TYPE_CHECKING:
    from app.bootstrap.services import Service
    from app.domain.submission import Submission

commands = typer.Typer()
OneOrFilter = Annotated[
    str | None, typer.Argument(metavar="SUBMISSION", help="Its id, or the visitor's reference; or use a filter.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list the submissions that match.")]
Yes = Annotated[bool, typer.Option("--yes", help="Apply it to all submissions that match.")]


@dataclass(frozen=True)
class _Texts:
    """An action's texts: its `--help`, the lines for one submission (done; nothing to do), and the line for several."""

    help: str
    done: str
    nothing: str
    counted: str


TEXTS: Mapping[str, _Texts] = {
    "retry": _Texts(
        "Try the unfinished steps again now. The configured values in them are filled in anew. Safe to repeat.",
        "It is due now.",
        "Nothing to do: every step is done, it is held (release it), or a worker is delivering it.",
        "due now",
    ),
    "release": _Texts(
        "Send what is held or uncertain. What is uncertain may reach Vitec twice. Safe to repeat.",
        "It is due now.",
        "Nothing to do: it is neither held nor uncertain.",
        "due now",
    ),
    "discard": _Texts(
        "Close it for good. Nothing more is sent, and its personal data is erased. Safe to repeat.",
        "It is closed.",
        "Nothing to do: it is delivered or closed, or a worker is delivering it.",
        "closed",
    ),
}


@dataclass(frozen=True)
class ActionResult:
    """`changed`: the action was carried out. `problem`: why it can't be; None if there was nothing to do."""

    submission: "Submission"
    changed: bool
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        submission = self.submission
        return {
            "id": submission.id,
            "reference": submission.reference,
            "customerId": submission.customer_id,
            "was": submission.status,
            "changed": self.changed,
            "problem": self.problem,
        }


def _command(action: str, texts: _Texts) -> Callable[..., None]:
    def act(
        which: OneOrFilter = None,
        status: StatusOption = None,
        customer: CustomerOption = None,
        older_than: OlderThanOption = None,
        stuck: StuckOption = False,
        dry_run: DryRun = False,
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        if bool(which) == any((status, customer, older_than, stuck)):
            stop("give either a submission or a filter (--status, --customer, --older-than, --stuck)")
        if which is not None:
            _on_one(action, texts, which, dry_run, as_json)
        else:
            chosen = submission_filter(status, customer, older_than, stuck)
            _on_all(action, texts, chosen, dry_run, yes, as_json)

    return act


for _action, _texts in TEXTS.items():
    commands.command(_action, help=_texts.help)(_command(_action, _texts))


def _on_one(action: str, texts: _Texts, which: str, dry_run: bool, as_json: bool) -> None:
    async def find_and_carry_out(service: "Service") -> ActionResult:
        return await carry_out(service, action, await find(service, which))

    if dry_run:
        print_submissions([run_configured(lambda service: find(service, which))], as_json)
        return
    result = run_configured(find_and_carry_out)
    if as_json:
        print_json([result.to_json()])
    elif result.changed:
        typer.echo(texts.done)
    elif not result.problem:
        typer.echo(texts.nothing)
    _stop_at_problems([result])


def _on_all(action: str, texts: _Texts, chosen: FilterOf, dry_run: bool, yes: bool, as_json: bool) -> None:
    if dry_run or not yes:
        matching = run_configured(lambda service: _matching(service, chosen))
        if not dry_run:
            stop(f"{len(matching)} match: use --dry-run to list them, or --yes to go ahead")
        print_submissions(matching, as_json)
        return
    results = run_configured(lambda service: _carry_out_all(service, action, chosen))
    if as_json:
        print_json([result.to_json() for result in results])
    else:
        changed = sum(result.changed for result in results)
        typer.echo(f"{texts.counted}: {changed}, nothing to do: {len(results) - changed}")
    _stop_at_problems(results)


async def carry_out(service: "Service", action: str, submission: "Submission") -> ActionResult:
    """Carries out the action on one submission. Raises `StoreUnavailableError`."""
    from app.submissions.operator_actions import ActionImpossibleError

    try:
        return ActionResult(submission, await service.operator_actions.carry_out(action, submission))
    except ActionImpossibleError as error:
        return ActionResult(submission, changed=False, problem=str(error))


async def _carry_out_all(service: "Service", action: str, chosen: FilterOf) -> list[ActionResult]:
    """Oldest first. If the action is impossible for a submission, that is reported and the others follow."""
    return [await carry_out(service, action, submission) for submission in await _matching(service, chosen)]


async def _matching(service: "Service", chosen: FilterOf) -> "Sequence[Submission]":
    """Those that are closed and erased, discarded ones too, are left out: nothing can be done with them."""
    return (await service.submissions.newest(replace(chosen(service), unerased=True), None))[::-1]


def _stop_at_problems(results: Sequence[ActionResult]) -> None:
    problems = [result.problem for result in results if result.problem]
    if problems:
        stop(*problems)
