"""What the visitor does not say, the customer's configuration fills in: what was spoken -> the body that Vitec gets.

What was spoken is an application in Vitec's members, without its marketing, which goes its own way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.applications import InterestStatus, ObtainThrough
from app.domain.marketing import Marketing

PUBLIC_STATUSES = frozenset({InterestStatus.INTERESTED, InterestStatus.VERY_INTERESTED})


@dataclass(frozen=True)
class InterestDefaults:
    lead_source_id: str | None = None
    assignment_source_id: str | None = None
    status: str = InterestStatus.INTERESTED.value


@dataclass(frozen=True)
class ViewingDefaults:
    lead_source_id: str | None = None
    reminder_minutes: int = 60
    sms_reminder: bool = True
    mail_confirmation: bool = True
    sms_confirmation: bool = False
    validate_deadline: bool = True
    validate_booking_limit: bool = True


@dataclass(slots=True)
class Said:
    """Beside the application: who spoke (`with_key`: an API-key caller, whose members win over the configuration),
    when the person consented, and the campaign."""

    with_key: bool
    consented_at: datetime | None
    marketing: Marketing

    def without_marketing(self) -> "Said":
        return replace(self, marketing=Marketing())


def interest_body(spoken: Mapping[str, Any], defaults: InterestDefaults, said: Said) -> dict[str, Any]:
    """`AdvertisingInterestApplication`, with the marketing inline."""
    configured = {
        "leadSourceId": defaults.lead_source_id,
        "assignmentSourceId": defaults.assignment_source_id,
        "status": defaults.status,
        "gdprApprovalDate": _moment(said.consented_at),
    }
    spoken = dict(spoken)
    if not said.with_key and spoken.get("status") not in PUBLIC_STATUSES:
        spoken.pop("status", None)
    marketing = said.marketing.body()
    return said_or_configured(spoken, configured) | ({"marketing": marketing} if marketing else {})


def viewing_body(spoken: Mapping[str, Any], defaults: ViewingDefaults, said: Said, customer_id: str) -> dict[str, Any]:
    """`AddNewViewingParticipant`. Its marketing goes into a Lead, never here."""
    configured = {
        "participated": False,
        "reminderTime": defaults.reminder_minutes,
        "smsReminder": defaults.sms_reminder,
        "mailConfirmation": defaults.mail_confirmation,
        "smsConfirmation": defaults.sms_confirmation,
        "leadSourceId": defaults.lead_source_id,
    }
    options = {
        "isDeadlineValidationEnabled": defaults.validate_deadline,
        "enableBookingLimitValidation": defaults.validate_booking_limit,
    }
    person = {"obtainThrough": ObtainThrough.INTEREST.value, "gdprApprovalDate": _moment(said.consented_at)}
    spoken = dict(spoken)
    if not said.with_key:
        _only_allowed(spoken, defaults)
    return said_or_configured(spoken, configured) | {
        "updatePerson": said_or_configured(spoken["updatePerson"], person) | {"customerId": customer_id},
        "options": said_or_configured(spoken.get("options", {}), options),
    }


def _only_allowed(spoken: dict[str, Any], defaults: ViewingDefaults) -> None:
    """A visitor may decline what the configuration offers, never order what it does not: text messages cost money."""
    if not defaults.sms_reminder:
        spoken.pop("smsReminder", None)
        spoken.pop("reminderTime", None)
    if not defaults.mail_confirmation:
        spoken.pop("mailConfirmation", None)
    if not defaults.sms_confirmation:
        spoken.pop("smsConfirmation", None)


def said_or_configured(spoken: Mapping[str, Any], configured: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configured.items() if value is not None} | dict(spoken)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
