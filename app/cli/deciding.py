"""`intresse leads retry/release/discard`: about one submission, or about all that a filter finds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.output import (
    AsJson,
    OfCustomer,
    OfStatus,
    OlderThan,
    Stuck,
    on_leads,
    print_json,
    print_list,
    stop,
    wanted_by,
)

if TYPE_CHECKING:
    from app.bootstrap.deciding import ActionResult
    from app.bootstrap.services import Service
    from app.submissions.listing import SubmissionFilter

commands = typer.Typer()
OneOrFilter = Annotated[
    str | None, typer.Argument(help="Its id, or the reference that the visitor has; or say a filter.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell which ones the filter finds.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it to all that the filter finds.")]


@dataclass(frozen=True)
class _Words:
    """What is said of a decision by `--help`, and then of one submission (done, nothing to do) and of several."""

    help: str
    done: str
    nothing: str
    counted: str


WORDS: Mapping[str, _Words] = {
    "retry": _Words(
        "Fill the configured members anew for the steps not yet done, and make them due now. A second time changes "
        "nothing.",
        "It is due now.",
        "Nothing to do: every step is done, it is held (release it), or a worker is at it.",
        "due now",
    ),
    "release": _Words(
        "Send what was held, or what may have been carried out already (uncertain). A second time changes nothing.",
        "It is due now.",
        "Nothing to do: it is neither held nor uncertain.",
        "due now",
    ),
    "discard": _Words(
        "Close it for good: nothing more is sent, what is personal is erased. A second time changes nothing.",
        "It is closed.",
        "Nothing to do: it is delivered or closed, or a worker is at it.",
        "closed",
    ),
}


def _command(decision: str, words: _Words) -> Callable[..., None]:
    def decide(
        which: OneOrFilter = None,
        status: OfStatus = None,
        customer: OfCustomer = None,
        older_than: OlderThan = None,
        stuck: Stuck = False,
        dry_run: DryRun = False,
        yes: Yes = False,
        as_json: AsJson = False,
    ) -> None:
        if bool(which) == any((status, customer, older_than, stuck)):
            stop("say which submission, or a filter (--status, --customer, --older-than, --stuck), and not both")
        if which is not None:
            _about_one(decision, words, which, dry_run, as_json)
        else:
            _about_all(decision, words, wanted_by(status, customer, older_than, stuck), dry_run, yes, as_json)

    return decide


for _decision, _words in WORDS.items():
    commands.command(_decision, help=_words.help)(_command(_decision, _words))


def _about_one(decision: str, words: _Words, which: str, dry_run: bool, as_json: bool) -> None:
    from app.bootstrap.deciding import decide
    from app.cli.presentation import find

    async def found_and_decided(service: "Service") -> "ActionResult":
        return await decide(service, decision, await find(service, which))

    if dry_run:
        print_list([on_leads(lambda service: find(service, which))], as_json)
        return
    decided = on_leads(found_and_decided)
    if as_json:
        _print_decided([decided])
    elif decided.changed:
        typer.echo(words.done)
    elif not decided.problem:
        typer.echo(words.nothing)
    _stop_at_problems([decided])


def _about_all(
    decision: str, words: _Words, wanted: "SubmissionFilter", dry_run: bool, yes: bool, as_json: bool
) -> None:
    from app.bootstrap.deciding import decide_all, matching

    if dry_run or not yes:
        found = on_leads(lambda service: matching(service, wanted))
        if not dry_run:
            stop(f"the filter finds {len(found)}: --dry-run lists them, --yes goes on")
        print_list(found, as_json)
        return
    decided = on_leads(lambda service: decide_all(service, decision, wanted))
    if as_json:
        _print_decided(decided)
    else:
        changed = sum(one.changed for one in decided)
        typer.echo(f"{words.counted}: {changed}, nothing to do: {len(decided) - changed}")
    _stop_at_problems(decided)


def _print_decided(decided: "Sequence[ActionResult]") -> None:
    from app.bootstrap.deciding import record_of_decision

    print_json([record_of_decision(one) for one in decided])


def _stop_at_problems(decided: "Sequence[ActionResult]") -> None:
    problems = [one.problem for one in decided if one.problem]
    if problems:
        stop(*problems)
