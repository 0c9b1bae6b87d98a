"""Duplicate detection: finds the posts of a batch that repeat a stored one, or an earlier one of the same batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from app.intake.rows import SubmissionRows
from app.storage.schema import submissions


class IdempotencyConflictError(Exception):
    """The key was used before with different content."""


@dataclass(slots=True)
class Accepted:
    """A committed submission: the new one, or the one that this post repeats."""

    id: str
    repeated: bool


Outcome = Accepted | IdempotencyConflictError


def is_new(outcome: object) -> bool:
    return isinstance(outcome, Accepted) and not outcome.repeated


def resolve_duplicates(
    connection: Connection, batch: Sequence[SubmissionRows]
) -> tuple[list[Outcome], list[SubmissionRows]]:
    """The outcome of each post once the new ones are inserted, and the new ones. Some may already be stored by a commit
    whose outcome is unknown: no other row has the same payload, which is encrypted with a random nonce."""
    of_batch = submissions.c.id.in_([rows.id for rows in batch])
    payloads = {
        row.id: row.payload
        for row in connection.execute(select(submissions.c.id, submissions.c.payload).where(of_batch))
    }
    known = _taken_keys(connection, batch)
    outcomes: list[Outcome] = []
    new: list[SubmissionRows] = []
    for rows in batch:
        if payloads.get(rows.id) == rows.submission["payload"]:
            outcomes.append(Accepted(rows.id, repeated=False))
            continue
        key = rows.submission["repeat_key"]
        if key in known:
            content, accepted = known[key]
            outcomes.append(accepted if content == rows.submission["repeat_content"] else IdempotencyConflictError())
            continue
        if key is not None:  # the same post twice in one batch
            repeat = Accepted(rows.id, repeated=True)
            known[key] = (rows.submission["repeat_content"], repeat)
        new.append(rows)
        outcomes.append(Accepted(rows.id, repeated=False))
    return outcomes, new


def _taken_keys(connection: Connection, batch: Sequence[SubmissionRows]) -> dict[bytes, tuple[bytes, Accepted]]:
    """The batch's keys that are taken, with the content and the submission of each. Frees keys that have expired."""
    received_at = {rows.submission["repeat_key"]: rows.received_at for rows in batch}
    received_at.pop(None, None)
    if not received_at:
        return {}
    columns = submissions.c
    stored = connection.execute(
        select(
            columns.id,
            columns.repeat_key,
            columns.repeat_content,
            columns.repeat_until,
        ).where(columns.repeat_key.in_(received_at))
    ).all()
    valid = [row for row in stored if row.repeat_until > received_at[row.repeat_key]]
    _free_keys(connection, {row.id for row in stored} - {row.id for row in valid})
    return {row.repeat_key: (row.repeat_content, Accepted(row.id, repeated=True)) for row in valid}


def _free_keys(connection: Connection, ids: Iterable[str]) -> None:
    if ids:
        connection.execute(update(submissions).where(submissions.c.id.in_(ids)).values(repeat_key=None))
