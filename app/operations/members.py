"""Pydantic models of the parts that several of Vitec's bodies share.

JSON members have Vitec's camelCase names (`longitud`, `latitud` and `telePhone` are Vitec's own spelling). The letter
after a constraint is its source in vitec-connect.md (S, H, O).
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel

from app.domain.datetimes import ApprovalMoment
from app.domain.fields import Country, Email, Length, Phone, Postcode, Truth, check_personnummer
from app.domain.marketing import is_tag, tags_in
from app.domain.numbers import Latitude, Longitude


class VitecModel(BaseModel):
    """Members have Vitec's names only, and an unknown one is an error. None means "not given" and is never sent."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)

    def body(self) -> dict[str, Any]:
        """The body as Vitec takes it: camelCase, ISO 8601 with offset, only the members that are set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _with_check_digit(value: str, info: ValidationInfo) -> str:
    # The marker is declared before the number, so it has been read. If it was invalid, the number counts as Swedish.
    return check_personnummer(value, foreign=bool(info.data.get("is_foreign_social_security_number")))


CheckDigit = AfterValidator(_with_check_digit)  # for a number declared after `is_foreign_social_security_number`


class EmailAddresses(VitecModel):
    """Each has 0-100 characters (S, H)."""

    email_address: Email | None = None
    email_address2: Email | None = None


class Coordinate(VitecModel):
    longitud: Longitude | None = None
    latitud: Latitude | None = None


class Address(VitecModel):
    """0-68, 0-15 and 0-25 characters (H)."""

    street_address: Annotated[str, Length(68)] | None = None
    zip_code: Postcode | None = None
    city: Annotated[str, Length(25)] | None = None


class PersonAddress(Address):
    """`countryCode`: ISO 3166-1 alpha-2, left out for Sweden (H)."""

    country_code: Country | None = None


class Telephone(VitecModel):
    """Each has 0-17 characters (H)."""

    home: Phone | None = None
    work: Phone | None = None
    cell: Phone | None = None
    other: Phone | None = None


class Gdpr(VitecModel):
    """The consent in the calls of Vitec's forms section (H)."""

    has_approved: Truth | None = None


class Approval(VitecModel):
    """Vitec's two members that record the person's consent. Each of Vitec's calls has at most one of them; we accept
    both on every public form."""

    gdpr_approval_date: ApprovalMoment | None = None
    gdpr: Gdpr | None = None

    def given_at(self, now: datetime) -> datetime | None:
        """The time of consent; None if there is none."""
        return self.gdpr_approval_date or (now if self.gdpr and self.gdpr.has_approved else None)


class MarketingMember(VitecModel):
    """`marketing` as in an application. A tag never costs a lead, so any value is read leniently, and later normalized
    by `app.domain.marketing`."""

    class Tag(VitecModel):
        name: str
        value: str

    referrer: str | None = None
    utm_tags: list[Tag] | None = None

    @model_validator(mode="before")
    @classmethod
    def _leniently(cls, sent: Any) -> Any:
        if isinstance(sent, list):
            sent = {"utmTags": sent}  # the tags without the object around them
        if not isinstance(sent, dict):
            return {}
        if sent.keys() == {"referrer"} and isinstance(sent["referrer"], str):
            return sent  # all that a form's body has of it
        sent_tags = sent.get("utmTags")
        tags = [{"name": name, "value": value} for name, value in tags_in(sent_tags)]
        for tag, item in zip(tags, sent_tags if isinstance(sent_tags, list) else (), strict=False):
            others = item.items() if isinstance(item, dict) else ()
            tag |= {name: value for name, value in others if name.lower() not in tag and value not in (None, "")}
        tags += [{"name": name, "value": text} for name, text in tags_in({n: sent[n] for n in sent if is_tag(n)})]
        referrer = sent.get("referrer")
        members = {name: value for name, value in sent.items() if not is_tag(name)}
        return members | {"referrer": referrer if isinstance(referrer, str) else None, "utmTags": tags or None}
