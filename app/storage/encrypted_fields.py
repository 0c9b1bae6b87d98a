"""The encrypted fields of a submission, the plain ones beside them, and the associated data that each value is bound
to."""

from collections.abc import Sequence

from app.domain.submission import Operation
from app.operations.registry import OPERATIONS


def open_resource(operation: Operation, resource: Sequence[str]) -> str:
    """What the `resource` column may tell."""
    return "" if OPERATIONS[operation].names_contact else "/".join(resource)


def resource_of(text: str) -> tuple[str, ...]:
    """The ids of a `resource` column; an empty one has none."""
    return tuple(text.split("/")) if text else ()


def payload_aad(identity: str) -> str:
    return f"{identity}/payload"


def step_aad(identity: str, position: int, column: str) -> str:
    """`column` is `result` or `upstream`."""
    return f"{identity}/{position}/{column}"
