"""Contacts for who asks through us: the same logins, pauses and pace as the deliveries."""

from collections.abc import Sequence

from app.delivery.news import news_of
from app.domain.submission import FunctionGroup
from app.storage.claims import News
from app.storage.database import StoreUnavailable
from app.storage.logins import Logins
from app.vitec.client import VitecClient
from app.vitec.contacts import Contact
from app.vitec.errors import RefusedLogin, Unavailable, VitecError
from app.vitec.pace import Pace


class ContactLookup:
    def __init__(self, vitec: VitecClient, logins: Logins, pace: Pace) -> None:
        self._vitec = vitec
        self._logins = logins
        self._pace = pace

    async def contacts(self, customer_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        """As `VitecClient.contacts`; while the login is paused Vitec is not asked, but for a probe."""
        lane = (customer_id, FunctionGroup.CRM)
        try:
            if not await self._logins.may_read(lane):
                raise RefusedLogin("the login is paused")
            self._pace.took(customer_id)
            try:
                found = await self._vitec.contacts(customer_id, contact_ids)
            except VitecError as error:
                news = news_of(error)
                # One person's forbidden contact, read again and again, must not look like three.
                if news in {News.LET_IN, News.REFUSED}:
                    await self._logins.tell(lane, news)
                raise
            await self._logins.tell(lane, News.LET_IN)
        except StoreUnavailable as error:
            raise Unavailable(f"the database is away: {error}") from None
        return found
