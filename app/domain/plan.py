"""Which steps deliver a submission, in order, and what each sends. Decided once, when it is accepted.

    interest                    interest
      marketing = "lead"        interest → contact → lead
    booking                     viewing [→ contact → lead]
    lead on a known contact     [contact →] lead
    loan promise                loan promise

A contact is looked up before a lead whenever its id is only inferred from Vitec's answer, or when its own agent shall
get the lead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.domain.applications import Interest, InterestStatus, Lead, ObtainThrough, ViewingBooking, VitecModel
from app.domain.marketing import Marketing
from app.domain.submission import Operation, PlannedStep

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
class SubmissionContext:
    """Beside the application: who spoke (`with_key`: an API-key caller, whose members win over the configuration),
    when the person consented, and the campaign."""

    with_key: bool
    consented_at: datetime | None
    marketing: Marketing

    def without_marketing(self) -> "SubmissionContext":
        return replace(self, marketing=Marketing())


def interest_body(spoken: Mapping[str, Any], defaults: InterestDefaults, said: SubmissionContext) -> dict[str, Any]:
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
    return with_defaults(spoken, configured) | ({"marketing": marketing} if marketing else {})


def viewing_body(
    spoken: Mapping[str, Any], defaults: ViewingDefaults, said: SubmissionContext, customer_id: str
) -> dict[str, Any]:
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
    return with_defaults(spoken, configured) | {
        "updatePerson": with_defaults(spoken["updatePerson"], person) | {"customerId": customer_id},
        "options": with_defaults(spoken.get("options", {}), options),
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


def with_defaults(spoken: Mapping[str, Any], configured: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configured.items() if value is not None} | dict(spoken)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


CONTACT_AGENT = "contact-agent"  # as `assignedToId`: the contact's own agent, else the fallback
FALLBACK = "fallbackAssignedToId"  # ours, beside a lead's members; never sent


@dataclass(frozen=True)
class LeadDefaults:
    """`[customers.lead]`. `always`: a lead also when there is no marketing to tell."""

    lead_source_id: str
    assigned_to_id: str
    fallback_assigned_to_id: str | None = None
    office_id: str | None = None
    assignment_source_id: str | None = None
    always: bool = False

    def members(self) -> dict[str, str]:
        """As they stand in a lead's body."""
        named = {
            "leadSourceId": self.lead_source_id,
            "assignedToId": self.assigned_to_id,
            "officeId": self.office_id,
            "assignmentSourceId": self.assignment_source_id,
            FALLBACK: self.fallback_assigned_to_id if self.assigned_to_id == CONTACT_AGENT else None,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class Defaults:
    """What a customer's configuration fills in. `interest_as_lead`: an interest's marketing goes into a lead."""

    interest: InterestDefaults
    viewing: ViewingDefaults
    lead: LeadDefaults | None = None
    interest_as_lead: bool = False

    def filled(self, operation: Operation) -> frozenset[str]:
        """Members of an operation's body that are filled in when the caller leaves them out."""
        return frozenset(self.lead.members()) if self.lead and operation is Operation.LEAD else frozenset()


@dataclass(slots=True)
class DeliveryRequest:
    """All that a plan is made of. `resource` is the path's ids after the customer's; `spoken` is the application in
    Vitec's members, without its marketing, which goes its own way."""

    customer_id: str
    operation: Operation
    resource: tuple[str, ...]
    application: VitecModel
    said: SubmissionContext
    spoken: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        spoken = self.application.body()
        spoken.pop("marketing", None)
        self.spoken = spoken


def plan(order: DeliveryRequest, defaults: Defaults) -> tuple[PlannedStep, ...]:
    """The steps in order; the caller's members win over the configuration's as `filling` tells."""
    application, said = order.application, order.said
    if isinstance(application, Interest):
        leads = _lead_after(said, defaults) if defaults.interest_as_lead else ()
        inline = said.without_marketing() if leads else said
        return (_own(order, interest_body(order.spoken, defaults.interest, inline)), *leads)
    if isinstance(application, ViewingBooking):
        wants_booking_id = said.with_key and application.return_booking_id is True
        leads = () if wants_booking_id else _lead_after(said, defaults)
        body = viewing_body(order.spoken, defaults.viewing, said, order.customer_id)
        return (_own(order, body | {"returnBookingId": False} if leads else body), *leads)
    if isinstance(application, Lead):
        return _lead_on(order, application.contact_id, defaults)
    return (_own(order, order.spoken),)


def _own(order: DeliveryRequest, body: Mapping[str, Any]) -> PlannedStep:
    return PlannedStep(order.operation, order.resource, body)


def _lead_after(said: SubmissionContext, defaults: Defaults) -> tuple[PlannedStep, ...]:
    """With at least one tag to tell, or always; on the contact that the step before answers."""
    lead = defaults.lead
    if lead is None or not (lead.always or said.marketing.tags):
        return ()
    return PlannedStep(Operation.CONTACT, (), {}), PlannedStep(Operation.LEAD, (), lead.members() | _marketing(said))


def _lead_on(order: DeliveryRequest, contact_id: str, defaults: Defaults) -> tuple[PlannedStep, ...]:
    configured = defaults.lead.members() if defaults.lead else {}
    body = with_defaults(order.spoken, configured) | _marketing(order.said)
    lead = PlannedStep(Operation.LEAD, (), body)
    if body.get("assignedToId") != CONTACT_AGENT:
        body.pop(FALLBACK, None)
        return (lead,)
    return PlannedStep(Operation.CONTACT, (contact_id,), {}), lead


def _marketing(said: SubmissionContext) -> dict[str, Any]:
    marketing = said.marketing.body()
    return {"marketing": marketing} if marketing else {}
