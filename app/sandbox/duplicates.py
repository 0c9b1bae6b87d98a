"""Vitec's duplicate check: whether a person to be added exists already.

Persons match by contact id; else by personnummer; else by first and last name plus one of phone, mobile and e-mail
(vitec-connect.md, which names no source). We read "else" as: a key is tried if the one before matches nobody. `Office`
refuses an unknown contact id.
"""

import re
from collections.abc import Iterable

from app.sandbox.contact_records import Person


def find_duplicate(candidate: Person, persons: Iterable[Person]) -> Person | None:
    """The customer's person whom `candidate` duplicates, by personnummer, else by name and one contact detail."""
    others = [person for person in persons if person.customer_id == candidate.customer_id]
    by_number = (person for person in others if _same(_personnummer(person), _personnummer(candidate)))
    by_name = (
        person for person in others if _same(_name(person), _name(candidate)) and _shares_detail(person, candidate)
    )
    return next(by_number, None) or next(by_name, None)


def _same(text: str | None, other: str | None) -> bool:
    """Whether the texts are equal and not empty."""
    return bool(text) and text == other


def _personnummer(person: Person) -> str:
    """The last ten digits, so that century and hyphen make no difference."""
    return _digits(person.social_security_number)[-10:]


def _name(person: Person) -> str:
    first, last = (person.first_name or "").strip(), (person.last_name or "").strip()
    return f"{first} {last}".casefold().strip()


def _shares_detail(person: Person, other: Person) -> bool:
    return not _contact_details(person).isdisjoint(_contact_details(other))


def _contact_details(person: Person) -> set[str]:
    """The home, work and mobile phone numbers and the e-mail address, normalized so that they can be compared."""
    details = set()
    if phones := person.telephone:
        details = {_phone(number) for number in (phones.home, phones.work, phones.cell)}
    if person.email and person.email.email_address:
        details.add(person.email.email_address.strip().casefold())
    return details - {""}


def _phone(number: str | None) -> str:
    """08-123 456 78, +46 8 12345678 and 0046812345678 are the same number."""
    return re.sub(r"^(00|\+)46", "0", re.sub(r"[^\d+]", "", number or ""))


def _digits(text: str | None) -> str:
    return re.sub(r"\D", "", text or "")
