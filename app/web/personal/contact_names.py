"""The name that a personal page greets: one look-up of the contact, remembered for a while."""

import asyncio

from cachetools import TTLCache

from app.vitec.errors import NotFoundError, VitecError
from app.web.operations.dependencies import Contacts

PATIENCE_SECONDS = 2.0
REMEMBERED_SECONDS = 300
UNKNOWN_SECONDS = 5  # that Vitec is not asked again after it failed
MAX_REMEMBERED = 1000


class ContactNotFoundError(Exception):
    """Vitec doesn't know the contact any longer."""


class ContactNames:
    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._names: TTLCache[tuple[str, str], str] = TTLCache(MAX_REMEMBERED, REMEMBERED_SECONDS)
        self._unknown: TTLCache[tuple[str, str], None] = TTLCache(MAX_REMEMBERED, UNKNOWN_SECONDS)

    def remembered(self, customer_id: str, contact_id: str) -> str:
        """The first name if it is known without asking."""
        return self._names.get((customer_id, contact_id), "")

    async def name(self, customer_id: str, contact_id: str) -> str:
        """The first name; "" where the contact is no living person, or Vitec is away or slow: the page never waits
        longer than 2 s. Raises `ContactNotFoundError`."""
        key = (customer_id, contact_id)
        if key in self._unknown:
            return ""
        if key not in self._names:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    contacts = await self._contacts(customer_id, [contact_id])
            except NotFoundError:
                raise ContactNotFoundError from None
            except VitecError:
                self._unknown[key] = None
                return ""
            except TimeoutError:
                return ""
            if not contacts:
                raise ContactNotFoundError
            self._names[key] = contacts[0].greeting or ""
        return self._names[key]
