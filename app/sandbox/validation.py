"""Validation of request bodies, with ASP.NET's wording for what is wrong."""

import json
import math
from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.sandbox.answers import RefusedError
from app.sandbox.schemas import Body

AnyBody = TypeVar("AnyBody", bound=Body)


def parse(raw: bytes) -> Any:
    """JSON as RFC 8259 has it. Raises ValueError, also for NaN, 1e999 and half a surrogate, which Python would take."""
    try:
        value = json.loads(raw, parse_constant=_refuse_number, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
        return value
    except RecursionError as error:
        raise ValueError("too deep") from error


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def read_body(raw: bytes, content_type: str, body: type[AnyBody], parameter: str) -> AnyBody:
    """The validated body; 415 for anything but JSON, 400 for broken JSON or a broken rule.

    `parameter` is the name that the keys of `modelState` begin with.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "The request entity's media type is not supported for this resource.")
    try:
        return body.model_validate(parse(raw))
    except ValidationError as error:
        raise _invalid(_model_state(error, parameter)) from None
    except ValueError:
        raise _invalid({parameter: ["Unexpected character encountered while parsing value."]}) from None


def _invalid(model_state: dict[str, list[str]]) -> RefusedError:
    return RefusedError(400, "The request is invalid.", modelState=model_state)


def _model_state(error: ValidationError, parameter: str) -> dict[str, list[str]]:
    state: dict[str, list[str]] = {}
    for fault in error.errors():
        key = parameter + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])
        state.setdefault(key, []).append(_message(fault))
    return state


def _message(fault: ErrorDetails) -> str:
    """Our own rules speak Swedish; JSON of the wrong type gets the framework's English, never the value itself."""
    is_absent = fault["type"] == "missing" or (fault["input"] is None and fault["type"] in _WRONG_TYPE)
    if is_absent and fault["loc"]:
        return f"The {fault['loc'][-1]} field is required."
    return _WRONG_TYPE.get(fault["type"], fault["msg"])


_WRONG_TYPE = {
    "string_type": "A JSON string is expected here.",
    "model_type": "A JSON object is expected here.",
    "list_type": "A JSON array is expected here.",
}


def unknown_members(value: Any, body: type[Body], place: str = "") -> Iterator[str]:
    """The dotted names of members that the documents do not know, in the order sent: `telephone.fax`."""
    if not isinstance(value, dict):
        return
    annotations = {field.alias: field.annotation for field in body.model_fields.values()}
    for name, member in value.items():
        if name not in annotations:
            yield place + name
        elif nested := _nested(annotations[name]):
            elements = enumerate(member) if isinstance(member, list) else [(None, member)]
            for index, element in elements:
                at = name if index is None else f"{name}[{index}]"
                yield from unknown_members(element, nested, f"{place}{at}.")


def _nested(annotation: Any) -> type[Body] | None:
    """The body that a member holds, itself or in a list, if it holds one."""
    if isinstance(annotation, type) and issubclass(annotation, Body):
        return annotation
    return next((body for part in get_args(annotation) if (body := _nested(part))), None)
