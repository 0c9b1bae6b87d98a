"""The contact records of a sandbox office, as `GET CRM/Contact` returns them: persons, companies and deceased estates,
distinguished by `type`. Source: S.

Lengths in UTF-16 code units. S shows only the type `"Person"`; the names of the other two are inferred.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from app.sandbox.field_types import EmailAddress, Name, Phone, RequiredId, Text, at_most


class _Record(BaseModel):
    """Created in Python with snake_case names, returned in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ContactTelephone(_Record):
    """0-17 characters each (H)."""

    home: Phone = None
    work: Phone = None
    cell: Phone = None
    other: Phone = None


class ContactEmail(_Record):
    """0-100 characters each (H)."""

    email_address: EmailAddress = None
    email_address2: EmailAddress = None


class ContactAddress(_Record):
    """Lengths H; `country_code` is ISO 3166-1 alpha-2, null for Sweden."""

    street_address: Annotated[Text, at_most(68)] = None
    zip_code: Annotated[Text, at_most(15)] = None
    city: Annotated[Text, at_most(25)] = None
    country_code: Text = None


class Category(_Record):
    """A label that the office has put on a contact."""

    id: str
    name: str
    read_only: bool = False


class _ContactRecord(_Record):
    """The members common to all three types."""

    id: RequiredId
    customer_id: RequiredId
    agent_id: Text = None
    address: ContactAddress | None = None
    telephone: ContactTelephone | None = None
    email: ContactEmail | None = None
    advertising_enabled: bool = False
    note: Text = None
    categories: tuple[Category, ...] = ()
    created_at: datetime | None = None
    changed_at: datetime | None = None


class Person(_ContactRecord):
    """`firstName`, `lastName` 0-30; `socialSecurityNumber` 0-20."""

    type: Literal["Person"] = "Person"
    first_name: Name = None
    last_name: Name = None
    social_security_number: Annotated[Text, at_most(20)] = None
    is_foreign_social_security_number: bool = False
    lead_score: int = 0
    wants_to_be_matched: bool = False
    matching_changed_at: datetime | None = None
    is_deceased: bool = False
    is_company_person: bool = False
    gdpr_approval_date: datetime | None = None


class Company(_ContactRecord):
    """`name` 0-50 (S; H has 0-100); `corporateNumber` 0-20; `homePage` 0-60."""

    type: Literal["Company"] = "Company"
    name: Annotated[Text, at_most(50)] = None
    corporate_number: Annotated[Text, at_most(20)] = None
    is_foreign_corporate_number: bool = False
    home_page: Annotated[Text, at_most(60)] = None
    lead_score: int = 0


class DeceasedEstate(_ContactRecord):
    """A dödsbo. `name` 0-30; `socialSecurityNumber` 0-20."""

    type: Literal["DeceasedEstate"] = "DeceasedEstate"
    name: Name = None
    social_security_number: Annotated[Text, at_most(20)] = None
    is_foreign_id_social_security_number: bool = False


Contact = Annotated[Person | Company | DeceasedEstate, Field(discriminator="type")]
