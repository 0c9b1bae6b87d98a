"""Validation of request bodies, with ASP.NET's error messages."""

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
    """JSON as defined by RFC 8259. Raises `ValueError`, also for NaN, 1e999 and unpaired surrogates, which Python
    accepts."""
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
    """The validated body. Raises `RefusedError`: 415 for anything but JSON, 400 for broken JSON or a broken rule.

    The keys of `modelState` begin with `parameter`.
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
    for details in error.errors():
        key = parameter + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in details["loc"])
        state.setdefault(key, []).append(_message(details))
    return state


def _message(details: ErrorDetails) -> str:
    """Our own rules have Swedish messages; JSON of the wrong type gets the framework's, in English, without the
    value."""
    is_absent = details["type"] == "missing" or (details["input"] is None and details["type"] in _WRONG_TYPE)
    if is_absent and details["loc"]:
        return f"The {details['loc'][-1]} field is required."
    return _WRONG_TYPE.get(details["type"], details["msg"])


_WRONG_TYPE = {
    "string_type": "A JSON string is expected here.",
    "model_type": "A JSON object is expected here.",
    "list_type": "A JSON array is expected here.",
}


def unknown_members(value: Any, body: type[Body], prefix: str = "") -> Iterator[str]:
    """The dotted names of members that are not documented, in the order sent: `telephone.fax`."""
    if not isinstance(value, dict):
        return
    annotations = {field.alias: field.annotation for field in body.model_fields.values()}
    for name, member in value.items():
        if name not in annotations:
            yield prefix + name
        elif nested := _nested(annotations[name]):
            elements = enumerate(member) if isinstance(member, list) else [(None, member)]
            for index, element in elements:
                at = name if index is None else f"{name}[{index}]"
                yield from unknown_members(element, nested, f"{prefix}{at}.")


def _nested(annotation: Any) -> type[Body] | None:
    """The body that a member holds, directly or in a list; None if it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, Body):
        return annotation
    return next((body for part in get_args(annotation) if (body := _nested(part))), None)
