"""What a submission keeps sealed, what stands in the clear beside it, and the place that each value is sealed for."""

from collections.abc import Sequence

from app.domain.submission import Operation

BODIES = "bodies"  # in a payload: what each step sends, by position
RESOURCES = "resources"  # likewise each step's resource, where one of them is a contact
# Operations whose resource is a contact, which is a person: it stands in the sealed payload and not in its column.
NAMING_A_CONTACT = frozenset({Operation.CONTACT, Operation.LEAD, Operation.LOAN_PROMISE})


def open_resource(operation: Operation, resource: Sequence[str]) -> str:
    """What the `resource` column may tell."""
    return "" if operation in NAMING_A_CONTACT else "/".join(resource)


def resource_of(text: str) -> tuple[str, ...]:
    """The ids of a `resource` column; an empty one has none."""
    return tuple(text.split("/")) if text else ()


def payload_aad(identity: str) -> str:
    return f"{identity}/payload"


def step_aad(identity: str, position: int, column: str) -> str:
    """`column` is `result` or `upstream`."""
    return f"{identity}/{position}/{column}"
