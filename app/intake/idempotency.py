"""Posts that came before: those of a batch whose keys are taken, and those that come twice in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from app.intake.rows import SubmissionRows
from app.storage.schema import submissions


class IdempotencyConflictError(Exception):
    """The key was used before, with other content."""


@dataclass(slots=True)
class Accepted:
    """What is on disk now: the new submission, or the one that this post repeats."""

    id: str
    repeated: bool


Outcome = Accepted | IdempotencyConflictError


def is_new(outcome: object) -> bool:
    return isinstance(outcome, Accepted) and not outcome.repeated


def resolve_duplicates(
    connection: Connection, batch: Sequence[SubmissionRows], *, in_doubt: bool
) -> tuple[list[Outcome], list[SubmissionRows]]:
    """What becomes of each once the new ones are inserted, and those that are new. `in_doubt`: some may be there
    already, by a commit that nobody heard of."""
    stored = select(submissions.c.id).where(submissions.c.id.in_([rows.id for rows in batch]))
    committed = set(connection.execute(stored).scalars()) if in_doubt else ()
    known = _known(connection, batch)
    outcomes: list[Outcome] = []
    fresh: list[SubmissionRows] = []
    for rows in batch:
        if rows.id in committed:
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
        fresh.append(rows)
        outcomes.append(Accepted(rows.id, repeated=False))
    return outcomes, fresh


def _known(connection: Connection, batch: Sequence[SubmissionRows]) -> dict[bytes, tuple[bytes, Accepted]]:
    """Keys in the batch that are taken, with their content; those that have run out are given free."""
    now = {rows.submission["repeat_key"]: rows.received_at for rows in batch}
    now.pop(None, None)
    if not now:
        return {}
    columns = submissions.c
    found = connection.execute(
        select(
            columns.id,
            columns.repeat_key,
            columns.repeat_content,
            columns.repeat_until,
        ).where(columns.repeat_key.in_(now))
    ).all()
    live = [row for row in found if row.repeat_until > now[row.repeat_key]]
    _free(connection, {row.id for row in found} - {row.id for row in live})
    return {row.repeat_key: (row.repeat_content, Accepted(row.id, repeated=True)) for row in live}


def _free(connection: Connection, ids: Iterable[str]) -> None:
    if ids:
        connection.execute(update(submissions).where(submissions.c.id.in_(ids)).values(repeat_key=None))
