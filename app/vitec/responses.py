"""Reading Vitec's answers: the one place that turns an HTTP response into a result or an error of the taxonomy."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pydantic_core

from app.vitec.contacts import Contact, read_contacts
from app.vitec.errors import Ambiguous, Forbidden, NotFound, RefusedLogin, Rejected, Unavailable, Unreadable, VitecError

OVERLOADED = frozenset({408, 425, 429, 503})
LONGEST_WORDS = 2000


@dataclass(frozen=True)
class VitecResponse:
    """Vitec has carried it out. `result` is the JSON string it answered, None where it sent none or a broken one."""

    status: int
    result: str | None


def read(response: httpx.Response) -> VitecResponse:
    """Raises the taxonomy of `app.vitec.errors`."""
    if not response.is_success:
        raise _refusal(response)
    return VitecResponse(response.status_code, _json_string(response.content))


def read_list(response: httpx.Response) -> list[Contact]:
    """The answer of `CRM/Contact`. Raises the taxonomy; here a broken body is `Unreadable`, since it is all we want."""
    if not response.is_success:
        raise _refusal(response)
    try:
        return read_contacts(_json(response.content))
    except ValueError:
        raise Unreadable("the answer is no list of contacts", status=response.status_code) from None


def _refusal(response: httpx.Response) -> VitecError:
    status = response.status_code
    message = f"Vitec answered {status}"
    if status == 401:
        return RefusedLogin(message, status=status)
    if status == 403:
        return Forbidden(message, status=status)
    if status == 404:
        return NotFound(message, status=status, upstream=upstream(response))
    if status in OVERLOADED or status < 400:  # a redirect is never followed, and nothing was done
        return Unavailable(message, status=status, retry_after=_retry_after(response.headers.get("Retry-After")))
    if status < 500:
        return Rejected(message, status=status, upstream=upstream(response))
    return Ambiguous(message, status=status)


def upstream(response: httpx.Response) -> dict[str, Any]:
    """Vitec's words: `{"status", "message", "modelState"}`, tolerant of casing, of a bare string and of no JSON."""
    words: dict[str, Any] = {"status": response.status_code}
    body = _json(response.content)
    if isinstance(body, dict):
        members = {str(name).lower(): value for name, value in body.items()}
        if isinstance(members.get("message"), str):
            words["message"] = members["message"][:LONGEST_WORDS]
        if isinstance(members.get("modelstate"), dict):
            words["modelState"] = members["modelstate"]
    elif isinstance(body, str):
        words["message"] = body[:LONGEST_WORDS]
    return words


def _json(content: bytes) -> Any:
    """None for what is no JSON: NaN and half a surrogate pair are none either, and could not be passed on."""
    try:
        return pydantic_core.from_json(content, allow_inf_nan=False)
    except ValueError:
        return None


def _json_string(content: bytes) -> str | None:
    value = _json(content)
    return value if isinstance(value, str) else None


def _retry_after(value: str | None) -> timedelta | None:
    """Seconds, or an HTTP date."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return timedelta(seconds=min(int(value.strip()[:9]), 10**6))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(aware - datetime.now(UTC), timedelta(0))
