"""Output of the commands: lines for people, JSON for programs, and errors that end the command."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from app.domain.submission import Submission
    from app.submissions.repository import Attempt

AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def stop(*lines: str) -> NoReturn:
    """Prints the lines as errors, and ends the command with exit code 1."""
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(1)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_submissions(submissions: "Sequence[Submission]", as_json: bool) -> None:
    if as_json:
        print_json([submission_json(submission) for submission in submissions])
    else:
        for submission in submissions:
            typer.echo(submission_line(submission))


def submission_line(submission: "Submission") -> str:
    """One line about a submission, without personal data."""
    received = submission.received_at.strftime("%Y-%m-%d %H:%M:%S")
    return (
        f"{received}Z  {submission.reference}  {submission.status:<9}  {submission.customer_id}  "
        f"{submission.operation:<12}  {submission.id}"
    )


def submission_lines(submission: "Submission", attempts: "Sequence[Attempt]") -> list[str]:
    """A submission with its steps, Vitec's messages and every attempt, which show what may have been carried out
    twice."""
    lines = [submission_line(submission)]
    for step in submission.steps:
        message = f"  Vitec: {_vitec_words(step.upstream)}" if step.upstream else ""
        lines.append(f"  {step.position} {step.operation:<12} {step.status:<10} {step.attempts} attempt(s){message}")
        lines += [_attempt_line(attempt) for attempt in attempts if attempt.position == step.position]
    return lines


def _vitec_words(upstream: Any) -> str:
    from app.web.rendering.messages import vitec_lines

    text = " ".join(vitec_lines(upstream)) or str(upstream)
    return "".join(character if character.isprintable() else " " for character in text)  # no line breaks or escapes


def _attempt_line(attempt: "Attempt") -> str:
    parts = filter(None, [attempt.outcome or "no outcome", str(attempt.http_status or ""), attempt.detail])
    return f"      {attempt.started_at:%Y-%m-%d %H:%M:%S}Z  {'  '.join(parts)}"


def submission_json(submission: "Submission") -> dict[str, Any]:
    """A submission as JSON, with Vitec's messages for each step."""
    steps = [step.to_json() | {"upstream": step.upstream} for step in submission.steps]
    return submission.to_json() | {"steps": steps}


def attempts_json(attempts: "Sequence[Attempt]") -> list[dict[str, Any]]:
    """Calls and operator actions in order of time. `outcome` is null during a call, or if a crash ended it."""
    return [
        {
            "step": attempt.position,
            "startedAt": attempt.started_at.isoformat(),
            "endedAt": attempt.ended_at.isoformat() if attempt.ended_at else None,
            "outcome": attempt.outcome,
            "httpStatus": attempt.http_status,
            "detail": attempt.detail,
        }
        for attempt in attempts
    ]
