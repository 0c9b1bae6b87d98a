"""The errors of a call to Vitec.

    VitecError
    ├── RejectedError              400, 409, 422: Vitec refuses this body, which is never sent again unchanged
    │   └── NotFoundError          404: an id that Vitec doesn't know, or doesn't know yet
    ├── UnavailableError           nothing was carried out: no connection; 408, 425, 429, 503; a redirect; HTML in a
    │   │                          4xx, and any other 4xx, because they are a gateway's and not Vitec's
    │   └── UnreadableAnswerError  a lookup's answer that has a broken body, or is not Vitec's
    ├── LoginRefusedError          401, whatever its body: the password was refused
    ├── AccessDeniedError          403: no access to what the request names
    └── AmbiguousError             sent, but no usable answer: 500, 502, 504, a timeout, a reset; a 2xx not from Vitec

Source: vitec-connect.md, "Status codes". A 2xx answer to a POST is no error if its body is broken: the operation was
carried out.
"""

from datetime import timedelta
from typing import Any, ClassVar

from app.domain.submission import AttemptOutcome


class LeaseExpiredError(Exception):
    """Not a `VitecError`: the caller's `may_send` returned False, and nothing was sent."""


class VitecError(Exception):
    """`status` is the HTTP status, or None without an answer. The message is our own text and never quotes the body.
    `code` is what is stored."""

    code: ClassVar[AttemptOutcome]

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RejectedError(VitecError):
    """`upstream` is Vitec's own `{"status", "message", "modelState"}`, which may repeat what was sent."""

    code = AttemptOutcome.REJECTED

    def __init__(self, message: str, *, status: int, upstream: dict[str, Any]) -> None:
        super().__init__(message, status=status)
        self.upstream = upstream


class NotFoundError(RejectedError):
    code = AttemptOutcome.NOT_FOUND


class UnavailableError(VitecError):
    """`retry_after` is the wait that Vitec asked for, if any."""

    code = AttemptOutcome.UNAVAILABLE

    def __init__(self, message: str, *, status: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class UnreadableAnswerError(UnavailableError):
    """`is_foreign`: the answer is not Vitec's, so it implies nothing about the login."""

    code = AttemptOutcome.UNREADABLE

    def __init__(self, message: str, *, status: int, is_foreign: bool) -> None:
        super().__init__(message, status=status)
        self.is_foreign = is_foreign


class LoginRefusedError(VitecError):
    code = AttemptOutcome.REFUSED_LOGIN


class AccessDeniedError(VitecError):
    code = AttemptOutcome.FORBIDDEN


class AmbiguousError(VitecError):
    code = AttemptOutcome.AMBIGUOUS
