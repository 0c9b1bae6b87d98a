"""A search for everything that is kept of a person, wherever it stands.

The hashes beside a submission find it by its first e-mail address and number. The law asks for more: a second
address, a work number, a contact's id that Vitec answered. So everything that is still kept is opened and looked
through; retention keeps that few enough.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select

from app.domain.ids import reference_of
from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad, resource_of, step_aad
from app.storage.encryption import DecryptionError, KeyedHash, Keyring
from app.storage.schema import steps, submissions

BATCH = 500
NUMBER_AND_EXTENSION = "x"  # as `domain.fields` writes a number with an extension


@dataclass(frozen=True)
class PersonMatch:
    """A submission that mentions a person who is searched for; `sought` are the digests that matched."""

    id: str
    customer_id: str
    received_at: datetime
    sought: frozenset[bytes]


class PersonSearch:
    """`digest` has a key of its own, so that searches can be logged without naming the person."""

    def __init__(self, database: Database, keyring: Keyring, digest: KeyedHash) -> None:
        self._database = database
        self._keyring = keyring
        self._digest = digest

    def digest_of(self, value: str) -> bytes:
        """The digest of an e-mail address, a number in E.164, a contact's id, or a submission's id or reference."""
        return self._digest.digest(value.lower())

    async def find(self, sought: Collection[bytes]) -> tuple[list[PersonMatch], int]:
        """The matches in order of time, and how many submissions could not be decrypted and searched completely.
        Raises `StoreUnavailableError`."""
        matches: list[PersonMatch] = []
        unreadable, last = 0, ""
        while rows := await self._database.read(partial(_batch, last)):
            last = rows[-1][0].id
            for row, results in rows:
                texts, is_open = self._texts(row, results)
                digests = frozenset(sought) & {self.digest_of(text) for text in texts}
                unreadable += not is_open and not digests
                if digests:
                    matches.append(PersonMatch(row.id, row.customer_id, row.received_at, digests))
        return matches, unreadable

    def _texts(self, row: Row[Any], results: list[Row[Any]]) -> tuple[list[str], bool]:
        """All that can be read of it, and whether that is all of it."""
        texts = [row.id, reference_of(row.id), *resource_of(row.resource)]
        try:
            texts.extend(self._sealed_texts(row, results))
        except DecryptionError:
            return texts, False
        return texts, True

    def _sealed_texts(self, row: Row[Any], results: list[Row[Any]]) -> Iterator[str]:
        for text in _leaves(self._keyring.decrypt(row.payload, payload_aad(row.id))):
            yield text
            yield text.partition(NUMBER_AND_EXTENSION)[0]
        for step in results:
            for column in ("result", "upstream"):
                sealed = getattr(step, column)
                if sealed is not None:
                    place = step_aad(step.submission_id, step.position, column)
                    yield from _leaves(self._keyring.decrypt(sealed, place))


def _batch(last: str, connection: Connection) -> list[tuple[Row[Any], list[Row[Any]]]]:
    """The next submissions after `last`, each with its steps."""
    kept = submissions.c.erased_at.is_(None) & (submissions.c.id > last)
    rows = connection.execute(select(submissions).where(kept).order_by(submissions.c.id).limit(BATCH)).all()
    of_row: dict[str, list[Row[Any]]] = {row.id: [] for row in rows}
    for step in connection.execute(select(steps).where(steps.c.submission_id.in_(of_row))):
        of_row[step.submission_id].append(step)
    return [(row, of_row[row.id]) for row in rows]


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
