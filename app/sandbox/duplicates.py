"""Vitec's duplicate check: before any person is added, who is that already?

By contact id; else personnummer; else first and last name plus one of phone, mobile, e-mail (vitec-connect.md, which
names no source). We read "else" as: the next key is tried when the one before finds nobody. A contact id that finds
nobody is the office's to refuse.
"""

import re
from collections.abc import Iterable

from app.sandbox.contact_records import Person


def find_duplicate(candidate: Person, persons: Iterable[Person]) -> Person | None:
    """The person of the same customer that `candidate` is, by personnummer, else by name and a way to be reached."""
    others = [person for person in persons if person.customer_id == candidate.customer_id]
    by_number = (person for person in others if _same(_personnummer(person), _personnummer(candidate)))
    by_name = (person for person in others if _same(_name(person), _name(candidate)) and _shares_way(person, candidate))
    return next(by_number, None) or next(by_name, None)


def _same(one: str | None, other: str | None) -> bool:
    """Nothing is not the same as nothing."""
    return bool(one) and one == other


def _personnummer(person: Person) -> str:
    """The last ten digits: with or without century and hyphen it is one number."""
    return _digits(person.social_security_number)[-10:]


def _name(person: Person) -> str:
    first, last = (person.first_name or "").strip(), (person.last_name or "").strip()
    return f"{first} {last}".casefold().strip()


def _shares_way(person: Person, other: Person) -> bool:
    return not _ways(person).isdisjoint(_ways(other))


def _ways(person: Person) -> set[str]:
    """The phones at home, at work and mobile, and the e-mail address, in a form that can be compared."""
    ways = set()
    if phones := person.telephone:
        ways = {_phone(number) for number in (phones.home, phones.work, phones.cell)}
    if person.email and person.email.email_address:
        ways.add(person.email.email_address.strip().casefold())
    return ways - {""}


def _phone(number: str | None) -> str:
    """08-123 456 78, +46 8 12345678 and 0046812345678 are one number."""
    return re.sub(r"^(00|\+)46", "0", re.sub(r"[^\d+]", "", number or ""))


def _digits(text: str | None) -> str:
    return re.sub(r"\D", "", text or "")
