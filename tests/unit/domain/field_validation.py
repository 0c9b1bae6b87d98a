"""Validates a value with a field type."""

from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.domain.fields import ReadContext

NOW = datetime(2026, 6, 1, 12, 0, 0, 999, tzinfo=UTC)
IN_JSON = ReadContext(form=False, now=NOW)
IN_FORM = ReadContext(form=True, now=NOW)


def read(kind: Any, value: Any, reading: ReadContext = IN_JSON) -> Any:
    """The field's result for the value; for a refusal, a list with the code."""
    try:
        return TypeAdapter(kind).validate_python(value, context=reading)
    except ValidationError as error:
        return [fault["type"] for fault in error.errors()]
