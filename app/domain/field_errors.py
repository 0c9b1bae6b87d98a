"""Field errors: the field, a code, and the values that a message needs."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.domain.fields import CODES as OWN_CODES

# pydantic's own types -> our codes; a type that is not here and not ours is a wrong type.
CODES = {
    "missing": "required",
    "extra_forbidden": "unknown",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_large",
    "finite_number": "wrong_type",
}


@dataclass(frozen=True)
class FieldError:
    """One fault. `field` is dotted as in the body ("" is the body itself); `code` is stable, for machines;
    `params` are the numbers and names that a message mentions."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def field_errors_of(error: ValidationError) -> list[FieldError]:
    """All of pydantic's findings, in the model's order, one for each field."""
    errors: dict[str, FieldError] = {}
    for item in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in item["loc"])
        errors.setdefault(name, FieldError(name, _code(item["type"], item.get("ctx", {})), item.get("ctx", {})))
    return list(errors.values())


def _code(kind: str, params: Mapping[str, Any]) -> str:
    if kind == "too_long" and "max_length" in params:
        return "too_many"  # pydantic's word for a list; ours for a text
    return kind if kind in OWN_CODES else CODES.get(kind, "wrong_type")
