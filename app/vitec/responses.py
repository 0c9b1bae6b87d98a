"""Turns Vitec's HTTP responses into results or `VitecError`s. No other module does."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pydantic_core

from app.vitec.contacts import Contact, read_contacts
from app.vitec.errors import (
    AccessDeniedError,
    AmbiguousError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
    UnreadableAnswerError,
    VitecError,
)
from app.vitec.homes import Home, read_home

REFUSALS = frozenset({400, 409, 422})  # Vitec refuses this body
MAX_MESSAGE = 2000  # characters
MAX_RETRY_AFTER = timedelta(days=10)  # longer waits are cut to this; the retry policy has a lower limit of its own
ERROR_MEMBERS = ("message", "modelstate", "error")  # an object with one of these reports an error, whatever the status
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
IS_CUT = "intresse_is_cut"  # among a response's extensions: its body broke off


@dataclass(frozen=True)
class VitecResponse:
    """Vitec has carried out the operation. `result` is the JSON string in the body, or the id in the object that is
    documented for the operation; None if the body is empty or broken."""

    status: int
    result: str | None


def read_response(response: httpx.Response, member: str = "") -> VitecResponse:
    """`member` names the member that holds the result, if the operation returns an object. Raises `VitecError`."""
    if not response.is_success:
        raise _refusal(response)
    if is_foreign(response):
        raise AmbiguousError("the answer is not Vitec's", status=response.status_code)
    return VitecResponse(response.status_code, _result(_json(response.content), member))


def read_contacts_response(response: httpx.Response) -> list[Contact]:
    """The response of `CRM/Contact`. Raises `VitecError`; if the body is broken, `UnreadableAnswerError`, because the
    body is all we want."""
    if not response.is_success:
        raise _refusal(response)
    try:
        return read_contacts(_json(response.content))
    except ValueError:
        raise UnreadableAnswerError(
            "the answer is no list of contacts", status=response.status_code, is_foreign=is_foreign(response)
        ) from None


def is_foreign(response: httpx.Response) -> bool:
    """Whether something between us and Vitec answered in its place: a maintenance page, or a successful status with a
    body that reports an error."""
    if _is_html(response):
        return True
    body = _json(response.content, is_partial=True) if response.is_success else None
    return isinstance(body, dict) and any(
        str(name).lower() in ERROR_MEMBERS and value is not None for name, value in body.items()
    )


def _is_html(response: httpx.Response) -> bool:
    """HTML, or XML: Vitec never answers a JSON request with either."""
    text = _text(response.content).lstrip()
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type in HTML_TYPES and (text or response.extensions.get(IS_CUT)):
        return _json(response.content) is None  # some servers label everything as HTML
    return text.startswith("<")


def read_home_response(response: httpx.Response, estate_id: str) -> Home:
    """The response to the call that reads a home. Raises as `read_contacts_response`."""
    if not response.is_success:
        raise _refusal(response)
    try:
        if is_foreign(response):
            raise ValueError
        return read_home(estate_id, _json(response.content), response.content)
    except ValueError:
        raise UnreadableAnswerError(
            "the answer is no home", status=response.status_code, is_foreign=is_foreign(response)
        ) from None


def _refusal(response: httpx.Response) -> VitecError:
    status = response.status_code
    message = f"Vitec answered {status}"
    if status == 401:
        return LoginRefusedError(message, status=status)
    if status >= 500 and status != 503:
        return AmbiguousError(message, status=status)
    if not _is_html(response):
        if status == 403:
            return AccessDeniedError(message, status=status)
        if status == 404:
            return NotFoundError(message, status=status, upstream=upstream(response))
        if status in REFUSALS:
            return RejectedError(message, status=status, upstream=upstream(response))
    # Vitec is too busy, a redirect that is not followed, or a gateway's answer: nothing was carried out.
    return UnavailableError(message, status=status, retry_after=_retry_after(response.headers.get("Retry-After")))


def upstream(response: httpx.Response) -> dict[str, Any]:
    """Vitec's `{"status", "message", "modelState"}`. Casing is ignored; the body may also be a bare string, or not be
    JSON at all."""
    refusal: dict[str, Any] = {"status": response.status_code}
    body = _json(response.content)
    if isinstance(body, dict):
        members = {str(name).lower(): value for name, value in body.items()}
        if isinstance(members.get("message"), str):
            refusal["message"] = members["message"][:MAX_MESSAGE]
        if isinstance(members.get("modelstate"), dict):
            refusal["modelState"] = members["modelstate"]
    elif isinstance(body, str):
        refusal["message"] = body[:MAX_MESSAGE]
    return refusal


def _text(content: bytes) -> str:
    """Vitec writes UTF-8; a proxy in between may add a byte order mark, or write UTF-16 or windows-1252."""
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _json(content: bytes, *, is_partial: bool = False) -> Any:
    """None if it is not JSON. NaN and unpaired surrogates are not JSON either, and could not be passed on.
    `is_partial`: if the JSON breaks off, what there is of it."""
    try:
        return pydantic_core.from_json(
            _text(content), allow_inf_nan=False, allow_partial="trailing-strings" if is_partial else False
        )
    except ValueError:
        return None


def _result(value: Any, member: str) -> str | None:
    if member and isinstance(value, dict):
        value = next((inner for name, inner in value.items() if str(name).lower() == member.lower()), None)
    return value if isinstance(value, str) else None


def _retry_after(value: str | None) -> timedelta | None:
    """The header holds seconds or an HTTP date."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return timedelta(seconds=min(int(value.strip()[:9]), MAX_RETRY_AFTER.total_seconds()))
    try:
        date = parsedate_to_datetime(value)
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        wait = aware - datetime.now(UTC)
    except (ValueError, OverflowError):  # not a date, or one at the end of the calendar
        return None
    return min(max(wait, timedelta(0)), MAX_RETRY_AFTER)
