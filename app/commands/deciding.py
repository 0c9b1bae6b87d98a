"""`intresse leads retry/release/discard`: about one submission, or about all that a filter finds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.filters import AsJson, OfCustomer, OfStatus, OlderThan, Stuck, on_leads, searched
from app.commands.refusals import stop

if TYPE_CHECKING:
    from app.deciding import Decided

commands = typer.Typer()
Which = Annotated[str | None, typer.Argument(help="Its id, or the reference that the visitor has; or say a filter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell which ones the filter finds.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it to all that the filter finds.")]


@dataclass(frozen=True)
class _Words:
    """What is said of one submission, and of several."""

    decision: str
    done: str
    nothing: str
    counted: str
    nothing_fails: bool = False


_RETRY = _Words(
    "retry",
    "It is due now.",
    "nothing to retry: every step is done, it is held (release it), or a worker is at it",
    "due now",
    nothing_fails=True,
)
_RELEASE = _Words("release", "It is due now.", "Nothing to do: it is neither held nor uncertain.", "due now")
_DISCARD = _Words(
    "discard", "It is closed.", "Nothing to do: it is delivered or closed, or a worker is at it.", "closed"
)


@commands.command("retry")
def leads_retry(
    which: Which = None,
    status: OfStatus = None,
    customer: OfCustomer = None,
    older_than: OlderThan = None,
    stuck: Stuck = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Fill the configured members anew for the steps not yet done, and make them due now."""
    _decide(_RETRY, which, (status, customer, older_than, stuck), dry_run, yes, as_json)


@commands.command("release")
def leads_release(
    which: Which = None,
    status: OfStatus = None,
    customer: OfCustomer = None,
    older_than: OlderThan = None,
    stuck: Stuck = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send what was held, or what may have been carried out already (uncertain). A second time changes nothing."""
    _decide(_RELEASE, which, (status, customer, older_than, stuck), dry_run, yes, as_json)


@commands.command("discard")
def leads_discard(
    which: Which = None,
    status: OfStatus = None,
    customer: OfCustomer = None,
    older_than: OlderThan = None,
    stuck: Stuck = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Close it for good: nothing more is sent, what is personal is erased. A second time changes nothing."""
    _decide(_DISCARD, which, (status, customer, older_than, stuck), dry_run, yes, as_json)


def _decide(
    words: _Words, which: str | None, filtered: tuple[Any, ...], dry_run: bool, yes: bool, as_json: bool
) -> None:
    if bool(which) == any(filtered):
        stop("say which submission, or a filter (--status, --customer, --older-than, --stuck), and not both")
    if which is not None:
        _about_one(words, which, dry_run, as_json)
    else:
        _about_all(words, filtered, dry_run, yes, as_json)


def _about_one(words: _Words, which: str, dry_run: bool, as_json: bool) -> None:
    from app.deciding import about_one
    from app.leads import showing

    if dry_run:
        return _list([on_leads(showing, which)], as_json)
    [decided] = on_leads(about_one, words.decision, which)
    if as_json:
        return _as_json([decided])
    if not decided.changed and words.nothing_fails:
        stop(words.nothing)
    typer.echo(words.done if decided.changed else words.nothing)
    return None


def _about_all(words: _Words, filtered: tuple[Any, ...], dry_run: bool, yes: bool, as_json: bool) -> None:
    from app.deciding import about_all, matching

    wanted = searched(*filtered)
    if dry_run or not yes:
        found = on_leads(matching, wanted)
        if dry_run:
            return _list(found, as_json)
        stop(f"the filter finds {len(found)}: --dry-run lists them, --yes goes on")
    decided = on_leads(about_all, words.decision, wanted)
    if as_json:
        _as_json(decided)
    else:
        changed = sum(one.changed for one in decided)
        typer.echo(f"{words.counted}: {changed}, nothing to do: {len(decided) - changed}")
    problems = [one.problem for one in decided if one.problem]
    if problems:
        stop(*problems)
    return None


def _list(found: Sequence[Any], as_json: bool) -> None:
    from app.leads import line_of, record_of

    if as_json:
        typer.echo(json.dumps([record_of(one) for one in found], ensure_ascii=False, indent=2))
    else:
        for one in found:
            typer.echo(line_of(one))


def _as_json(decided: "Sequence[Decided]") -> None:
    from app.deciding import record_of_decision

    typer.echo(json.dumps([record_of_decision(one) for one in decided], ensure_ascii=False, indent=2))
