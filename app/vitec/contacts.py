"""Contacts as Vitec answers them: three kinds, distinguished by `type`, read tolerantly.

The members are kept as they came; only what the service itself uses has a name here. An unknown `type` is read as the
members common to all (S; "read them tolerantly").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contact:
    """The members common to all kinds: `id` and `customerId` 0-40, `agentId` is the contact's own agent."""

    members: Mapping[str, Any]

    @property
    def id(self) -> str | None:
        return self._text("id")

    @property
    def agent_id(self) -> str | None:
        return self._text("agentId")

    @property
    def greeting(self) -> str | None:
        """How one greets a living person; None when there is none to greet."""
        return None

    def _text(self, name: str) -> str | None:
        value = self.members.get(name)
        return value if isinstance(value, str) and value.strip() else None


class Person(Contact):
    """`firstName`, `lastName` 0-30."""

    @property
    def greeting(self) -> str | None:
        # Anything but a false `isDeceased`: better no name than that of a person who has died.
        return None if self.members.get("isDeceased") else self._text("firstName")


class Company(Contact):
    """`name` 0-50 (H 0-100)."""


class DeceasedEstate(Contact):
    """`name` 0-30: a dödsbo."""


KINDS: Mapping[str, type[Contact]] = {"person": Person, "company": Company, "deceasedestate": DeceasedEstate}


def read_contacts(answer: Any) -> list[Contact]:
    """Raises `ValueError` when it is no list of objects."""
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise ValueError("no list of objects")
    return [_kind(item.get("type"))(item) for item in answer]


def _kind(value: Any) -> type[Contact]:
    return KINDS.get(str(value).replace("_", "").replace(" ", "").lower(), Contact)
