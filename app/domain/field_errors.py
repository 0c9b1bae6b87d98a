"""Field errors: the field, a code, and the values for a message."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.domain.fields import CODES as OWN_CODES

# pydantic's error types -> our codes. A type that is neither here nor among our own codes becomes "wrong_type".
CODES = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_large",
    "finite_number": "wrong_type",
}


@dataclass(frozen=True)
class FieldError:
    """`field` is a dotted path in the body ("" is the body itself). `code` is stable and meant for programs. `params`
    are the numbers and names that a message mentions."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def field_errors_of(error: ValidationError) -> list[FieldError]:
    """All of pydantic's errors in the model's order, one for each field."""
    errors: dict[str, FieldError] = {}
    for item in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in item["loc"])
        errors.setdefault(name, FieldError(name, _code(item["type"], item.get("ctx", {})), item.get("ctx", {})))
    return list(errors.values())


def _code(error_type: str, params: Mapping[str, Any]) -> str:
    if error_type == "too_long" and "max_length" in params:
        return "too_many"  # pydantic uses "too_long" for lists, we for texts
    return error_type if error_type in OWN_CODES else CODES.get(error_type, "wrong_type")
