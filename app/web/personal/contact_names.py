"""First names for the greeting on personal pages: a cached lookup of the contact."""

import asyncio

from cachetools import TTLCache

from app.vitec.errors import NotFoundError, VitecError
from app.web.operations.dependencies import Contacts

PATIENCE_SECONDS = 2.0
CACHE_SECONDS = 300
UNKNOWN_SECONDS = 5  # no new lookup for this long after a failed one
MAX_CACHED = 1000


class ContactNotFoundError(Exception):
    """Vitec no longer knows the contact."""


class ContactNames:
    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts
        self._names: TTLCache[tuple[str, str], str] = TTLCache(MAX_CACHED, CACHE_SECONDS)
        self._unknown: TTLCache[tuple[str, str], None] = TTLCache(MAX_CACHED, UNKNOWN_SECONDS)

    def cached(self, customer_id: str, contact_id: str) -> str:
        """The first name, if it is cached; else ""."""
        return self._names.get((customer_id, contact_id), "")

    async def name(self, customer_id: str, contact_id: str) -> str:
        """The first name; "" if the contact is not a living person, or Vitec fails or does not answer within
        `PATIENCE_SECONDS`. Raises `ContactNotFoundError`."""
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
