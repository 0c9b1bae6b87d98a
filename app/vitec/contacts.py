"""Contacts as Vitec answers them: three kinds told apart by `type`, read tolerantly.

Only what the service itself uses is named; every other member is kept as it came, and an unknown `type` is read as the
members common to all (S; "read them tolerantly").
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel


def _text_or_none(value: Any) -> Any:
    return value if isinstance(value, str) and value.strip() else None


def _true_or_none(value: Any) -> Any:
    return value if isinstance(value, bool) else None


Text = Annotated[str | None, BeforeValidator(_text_or_none)]
Truth = Annotated[bool | None, BeforeValidator(_true_or_none)]


class Contact(BaseModel):
    """The members common to all kinds: `id` and `customerId` 0-40; `agentId` is the contact's own agent."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, frozen=True)
    id: Text = None
    customer_id: Text = None
    agent_id: Text = None

    @property
    def greeting(self) -> str | None:
        """How one greets a living person; None when there is none to greet."""
        return None


class Person(Contact):
    """`firstName`, `lastName` 0-30."""

    first_name: Text = None
    last_name: Text = None
    is_deceased: Truth = None
    is_company_person: Truth = None

    @property
    def greeting(self) -> str | None:
        return None if self.is_deceased else self.first_name


class Company(Contact):
    """`name` 0-50 (H 0-100)."""

    name: Text = None


class DeceasedEstate(Contact):
    """`name` 0-30: a dödsbo."""

    name: Text = None


KINDS: dict[str, type[Contact]] = {"person": Person, "company": Company, "deceasedestate": DeceasedEstate}
_LIST = TypeAdapter(list[dict[str, Any]])


def read_contacts(answer: Any) -> list[Contact]:
    """Raises `ValueError` when it is no list of objects."""
    return [_kind(item).model_validate(item) for item in _LIST.validate_python(answer)]


def _kind(item: dict[str, Any]) -> type[Contact]:
    return KINDS.get(str(item.get("type", "")).replace("_", "").replace(" ", "").lower(), Contact)
