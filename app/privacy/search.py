"""Searches everything that is stored for a person.

By its hashes a submission is found only by its first e-mail address and phone number. The law asks for more: a second
address, a work number, a contact's id that Vitec returned. So everything that is not erased is decrypted and searched;
retention keeps that little enough. What no key decrypts is found by its hashes: it would be sent once its key is back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select

from app.domain.ids import reference_of
from app.domain.submission import Operation
from app.operations.registry import OPERATIONS
from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad, step_aad
from app.storage.encryption import DecryptionError, KeyedHash, Keyring
from app.storage.schema import cancellations, steps, submissions

BATCH = 500
EXTENSION = "x"  # what `domain.fields` writes between a phone number and its extension
# Members that hold a person's id; "" is Vitec's answer, which is a contact's.
IDS = frozenset({"", "contactId", "socialSecurityNumber"})


@dataclass(frozen=True)
class PersonMatch:
    """A submission that mentions a person who is searched for; `digests` are those that matched."""

    id: str
    customer_id: str
    received_at: datetime
    digests: frozenset[bytes]


class PersonSearch:
    """`digest` has a key of its own, so that searches can be logged without naming the person."""

    def __init__(self, database: Database, keyring: Keyring, digest: KeyedHash, contact_hash: KeyedHash) -> None:
        self._database = database
        self._keyring = keyring
        self._digest = digest
        self._contact_hash = contact_hash

    def digest_of(self, value: str) -> bytes:
        """The digest of an e-mail address, a phone number in E.164, a contact's or submission's id, or a reference."""
        return self._digest.digest(value.lower())

    async def find(self, digests: Collection[bytes], contact: str = "") -> tuple[list[PersonMatch], int]:
        """The matches in order of time, and how many submissions could not be decrypted and searched completely.
        `contact` is the e-mail address or phone number of a single digest. Raises `StoreUnavailableError`."""
        contact_hash = self._contact_hash.digest(contact.lower())
        matches: dict[str, PersonMatch] = {}
        unreadable, last = 0, ""
        while rows := await self._database.read(partial(_batch, last)):
            last = rows[-1][0].id
            for row, results in rows:
                texts, is_complete = self._texts(row, results)
                matching = frozenset(digests) & {self.digest_of(text) for text in texts}
                if contact_hash in {row.email_hash, row.phone_hash}:
                    matching = frozenset(digests)
                if row.booking_id in matches:  # a cancellation has only some of its booking's addresses and numbers
                    matching |= matches[row.booking_id].digests
                unreadable += not is_complete and not matching
                if matching:
                    matches[row.id] = PersonMatch(row.id, row.customer_id, row.received_at, matching)
        return list(matches.values()), unreadable

    def _texts(self, row: Row[Any], results: list[Row[Any]]) -> tuple[list[str], bool]:
        """The texts in a submission, and whether they are complete: not if a value could not be decrypted."""
        ids = [row.id, *([row.booking_id] if row.booking_id else [])]
        texts = [*ids, *map(reference_of, ids)]
        is_complete = True
        for encrypted, aad in _encrypted(row, results):
            try:
                value = self._keyring.decrypt(encrypted, aad)
            except DecryptionError:  # the others may name the person all the same
                is_complete = False
                continue
            texts += [*_naming(value), *_contacts_in_paths(results, value)]
        return texts, is_complete


def _encrypted(row: Row[Any], results: list[Row[Any]]) -> Iterator[tuple[bytes, str]]:
    """The encrypted values of a submission, with their associated data."""
    yield row.payload, payload_aad(row.id)
    for step in results:
        for column in ("result", "upstream"):
            encrypted = getattr(step, column)
            if encrypted is not None:
                yield encrypted, step_aad(step.submission_id, step.position, column)


def _contacts_in_paths(steps: Sequence[Row[Any]], value: Any) -> Iterator[str]:
    """The contacts' ids in the paths of a payload's steps; each comes last. Other ids there are of homes and viewings,
    which many people ask about."""
    resources = value.get("resources") if isinstance(value, Mapping) else None
    for step in steps:
        if isinstance(resources, list) and OPERATIONS[Operation(step.operation)].names_contact:
            for resource in resources[step.position : step.position + 1]:
                yield from _naming(resource[-1:] if isinstance(resource, list) else None, "contactId")


def _batch(last: str, connection: Connection) -> list[tuple[Row[Any], list[Row[Any]]]]:
    """The next submissions after `last`, each with its steps; a cancellation also with its booking's id."""
    remaining = submissions.c.erased_at.is_(None) & (submissions.c.id > last)
    cancelled = submissions.outerjoin(cancellations, cancellations.c.submission_id == submissions.c.id)
    query = select(submissions, cancellations.c.booking_id).select_from(cancelled).where(remaining)
    rows = connection.execute(query.order_by(submissions.c.id).limit(BATCH)).all()
    of_row: dict[str, list[Row[Any]]] = {row.id: [] for row in rows}
    for step in connection.execute(select(steps).where(steps.c.submission_id.in_(of_row))):
        of_row[step.submission_id].append(step)
    return [(row, of_row[row.id]) for row in rows]


def _naming(value: Any, member: str = "") -> Iterator[str]:
    """The texts that name a person: addresses, numbers, and ids. Not a first name, a town or a fixed word: whoever
    takes one of these for an id must not erase strangers."""
    if isinstance(value, str):
        if "@" in value or value.startswith("+") or member in IDS:
            yield value
        if value.startswith("+"):
            yield value.partition(EXTENSION)[0]
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _naming(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _naming(inner, member)
