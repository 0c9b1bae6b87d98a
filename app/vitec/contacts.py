"""Contacts as Vitec returns them: three kinds, distinguished by `type`, read tolerantly.

Members are kept as received; only those that the service itself uses have a property here. A contact of an unknown
`type` has the members common to all kinds (S; "read them tolerantly").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Contact:
    """The members common to all kinds: `id` and `customerId` (0-40 characters); `agentId`, the contact's own agent."""

    members: Mapping[str, Any]

    @property
    def id(self) -> str | None:
        return self._text("id")

    @property
    def agent_id(self) -> str | None:
        return self._text("agentId")

    @property
    def greeting(self) -> str | None:
        """The name to greet a living person by; otherwise None."""
        return None

    def _text(self, name: str) -> str | None:
        value = self.members.get(name)
        return value if isinstance(value, str) and value.strip() else None


class Person(Contact):
    """`firstName` and `lastName` have 0-30 characters."""

    @property
    def greeting(self) -> str | None:
        # Any truthy `isDeceased` counts: better no name than that of a person who has died.
        return None if self.members.get("isDeceased") else self._text("firstName")


class Company(Contact):
    """`name` has 0-50 characters (H: 0-100)."""


class DeceasedEstate(Contact):
    """A dödsbo. `name` has 0-30 characters."""


KINDS: Mapping[str, type[Contact]] = {"person": Person, "company": Company, "deceasedestate": DeceasedEstate}


def read_contacts(answer: Any) -> list[Contact]:
    """Raises `ValueError` if `answer` is not a list of objects."""
    if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
        raise ValueError("no list of objects")
    return [_kind(item.get("type"))(item) for item in answer]


def _kind(value: Any) -> type[Contact]:
    return KINDS.get(str(value).replace("_", "").replace(" ", "").lower(), Contact)
