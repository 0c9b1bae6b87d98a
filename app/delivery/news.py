"""What a call's outcome tells of the login that it was made with."""

from app.storage.claims import News
from app.vitec.errors import Forbidden, RefusedLogin, Rejected, Unavailable, Unreadable, VitecError


def news_of(error: VitecError) -> News | None:
    """None where it tells nothing. A 400 or a 404 can only be said by who has let us in."""
    if isinstance(error, RefusedLogin):
        return News.REFUSED
    if isinstance(error, Forbidden):
        return News.FORBIDDEN
    if isinstance(error, Unreadable) or (isinstance(error, Rejected) and error.status in {200, 400, 404}):
        return News.LET_IN
    return News.AWAY if isinstance(error, Unavailable) else None
