"""The errors of a call to Vitec.

    VitecError
    ├── RejectedError              400, 409, 422: Vitec refuses this body, which is never sent again as it is
    │   └── NotFoundError          404: an id that Vitec doesn't know, or not yet
    ├── UnavailableError           nothing was carried out: no connection; 408, 425, 429, 503; a redirect; HTML in a
    │   │                          4xx, and any other 4xx: a gateway's answer, not Vitec's
    │   └── UnreadableAnswerError  a lookup's answer with a broken body, or one that is not Vitec's
    ├── LoginRefusedError          401, whatever its body: the credential
    ├── AccessDeniedError          403: no access to what was named
    └── AmbiguousError             sent, and no usable answer: 500, 502, 504, a time-out, a reset; a 2xx not of Vitec

Source of the readings: vitec-connect.md, "Status codes". A POST's 2xx answer with a broken body
is not here: the work is done.
"""

from datetime import timedelta
from typing import Any, ClassVar

from app.domain.submission import AttemptOutcome


class LeaseExpiredError(Exception):
    """Not an error of Vitec's: the caller's `may_send` returned False, and nothing was sent."""


class VitecError(Exception):
    """`status` is the HTTP status, None without an answer; the message is our text and quotes nothing of the body.
    `code` is what is stored."""

    code: ClassVar[AttemptOutcome]

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RejectedError(VitecError):
    """`upstream` is `{"status", "message", "modelState"}` in Vitec's words, which may repeat what was sent."""

    code = AttemptOutcome.REJECTED

    def __init__(self, message: str, *, status: int, upstream: dict[str, Any]) -> None:
        super().__init__(message, status=status)
        self.upstream = upstream


class NotFoundError(RejectedError):
    code = AttemptOutcome.NOT_FOUND


class UnavailableError(VitecError):
    """`retry_after` is what Vitec asked for, if anything."""

    code = AttemptOutcome.UNAVAILABLE

    def __init__(self, message: str, *, status: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class UnreadableAnswerError(UnavailableError):
    """`is_foreign`: the answer is not Vitec's, and so implies nothing about the login."""

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
