"""The errors of a call to Vitec.

    VitecError
    ├── Rejected           400 and other refusals of this body: never retried as it is
    │   └── NotFound       404: an id that Vitec doesn't know, or not yet
    ├── Unavailable        nothing was carried out: no connection; 408, 425, 429, 503; a redirect
    │   └── Unreadable     a look-up's answer with a broken body
    ├── RefusedLogin       401: the credential
    ├── Forbidden          403: no access to what was named
    └── Ambiguous          sent, and no usable answer: 500, 502, 504, a time-out, a reset

Source of the readings: vitec-connect.md, "Status codes". A POST's 2xx answer with a broken body
is not here: the work is done.
"""

from datetime import timedelta
from typing import Any


class LeaseExpiredError(Exception):
    """Not an error of Vitec's: the caller's `may_send` said no, and nothing was sent."""


class VitecError(Exception):
    """`status` is the HTTP status, None when no answer came; the message is ours and holds nothing of the body."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Rejected(VitecError):
    """`upstream` is `{"status", "message", "modelState"}` in Vitec's words, which may repeat what was sent."""

    def __init__(self, message: str, *, status: int, upstream: dict[str, Any]) -> None:
        super().__init__(message, status=status)
        self.upstream = upstream


class NotFound(Rejected):
    pass


class Unavailable(VitecError):
    """`retry_after` is Vitec's own wish, when it gave one."""

    def __init__(self, message: str, *, status: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class Unreadable(Unavailable):
    pass


class RefusedLogin(VitecError):
    pass


class Forbidden(VitecError):
    pass


class Ambiguous(VitecError):
    pass
