"""Reading Vitec's answers: the one place that turns an HTTP response into a result or an error of the taxonomy."""

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

REFUSALS = frozenset({400, 409, 422})  # of this body
MAX_WORDS = 2000
MAX_RETRY_AFTER = timedelta(days=10)  # longer ones are cut to this; the retry policy has a lower limit of its own
ERROR_MEMBERS = ("message", "modelstate", "error")  # of an object that reports an error, whatever the status
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class VitecResponse:
    """Vitec has carried it out. `result` is the JSON string it answered, or the id in the object that the operation
    documents; None where it sent none or a broken one."""

    status: int
    result: str | None


def read_response(response: httpx.Response, member: str = "") -> VitecResponse:
    """`member` holds the result where the operation answers an object. Raises the taxonomy of `app.vitec.errors`."""
    if not response.is_success:
        raise _refusal(response)
    if is_foreign(response):
        raise AmbiguousError("the answer is not Vitec's", status=response.status_code)
    return VitecResponse(response.status_code, _result(_json(response.content), member))


def read_list(response: httpx.Response) -> list[Contact]:
    """The answer of `CRM/Contact`. Raises the taxonomy; here a broken body is `UnreadableAnswerError`, since it
    is all we want."""
    if not response.is_success:
        raise _refusal(response)
    try:
        return read_contacts(_json(response.content))
    except ValueError:
        raise UnreadableAnswerError(
            "the answer is no list of contacts", status=response.status_code, is_foreign=is_foreign(response)
        ) from None


def is_foreign(response: httpx.Response) -> bool:
    """Whether something between us and Vitec answered in its place: a maintenance page, or a success that speaks of an
    error."""
    if _is_html(response):
        return True
    body = _json(response.content) if response.is_success else None
    return isinstance(body, dict) and any(
        str(name).lower() in ERROR_MEMBERS and value is not None for name, value in body.items()
    )


def _is_html(response: httpx.Response) -> bool:
    """Or XML: nothing that Vitec answers to JSON begins like that."""
    text = response.content.removeprefix(BYTE_ORDER_MARK).lstrip()
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in HTML_TYPES and text:
        return _json(text) is None  # some call everything HTML
    return text.startswith(b"<")


def read_one(response: httpx.Response, estate_id: str) -> Home:
    """The answer of the call that reads a home. Raises as `read_list`."""
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
    # Too busy, a redirect that is not followed, or a gateway's word: nothing was done.
    return UnavailableError(message, status=status, retry_after=_retry_after(response.headers.get("Retry-After")))


def upstream(response: httpx.Response) -> dict[str, Any]:
    """Vitec's words: `{"status", "message", "modelState"}`, tolerant of casing, of a bare string and of no JSON."""
    refusal: dict[str, Any] = {"status": response.status_code}
    body = _json(response.content)
    if isinstance(body, dict):
        members = {str(name).lower(): value for name, value in body.items()}
        if isinstance(members.get("message"), str):
            refusal["message"] = members["message"][:MAX_WORDS]
        if isinstance(members.get("modelstate"), dict):
            refusal["modelState"] = members["modelstate"]
    elif isinstance(body, str):
        refusal["message"] = body[:MAX_WORDS]
    return refusal


def _json(content: bytes) -> Any:
    """None for what is no JSON: NaN and half a surrogate pair are none either, and could not be passed on."""
    try:
        return pydantic_core.from_json(content, allow_inf_nan=False)
    except ValueError:
        return None


def _result(value: Any, member: str) -> str | None:
    if member and isinstance(value, dict):
        value = next((inner for name, inner in value.items() if str(name).lower() == member.lower()), None)
    return value if isinstance(value, str) else None


def _retry_after(value: str | None) -> timedelta | None:
    """Seconds, or an HTTP date."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return timedelta(seconds=min(int(value.strip()[:9]), MAX_RETRY_AFTER.total_seconds()))
    try:
        moment = parsedate_to_datetime(value)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        wished = aware - datetime.now(UTC)
    except (ValueError, OverflowError):  # no date at all, or one at the calendar's end
        return None
    return min(max(wished, timedelta(0)), MAX_RETRY_AFTER)
