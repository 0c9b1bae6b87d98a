"""The encrypted fields of a submission: the associated data (AAD) that binds each to its row, and what the `resource`
column may hold in plain text."""

from collections.abc import Sequence

from app.domain.submission import Operation
from app.operations.registry import OPERATIONS


def plain_resource(operation: Operation, resource: Sequence[str]) -> str:
    """The ids for the `resource` column, which is in plain text: none if they name a contact."""
    return "" if OPERATIONS[operation].names_contact else "/".join(resource)


def resource_of(text: str) -> tuple[str, ...]:
    """The ids in a `resource` column, which may be empty."""
    return tuple(text.split("/")) if text else ()


def payload_aad(submission_id: str) -> str:
    return f"{submission_id}/payload"


def step_aad(submission_id: str, position: int, column: str) -> str:
    """`column` is `result` or `upstream`."""
    return f"{submission_id}/{position}/{column}"
