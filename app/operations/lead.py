"""Lead on a known contact (vitec-connect.md, section 3), and the lead that follows another operation.

Steps: [contact →] lead. The contact is looked up first if its id is only inferred from Vitec's answer, or if its own
agent is to get the lead.
"""

from typing import Annotated, Literal

from pydantic import model_validator

from app.domain.fields import Length, Line, Message
from app.domain.submission import Operation, PlannedStep
from app.i18n import N_
from app.operations.members import MarketingMember, VitecModel
from app.operations.planning import Defaults, DefaultsTable, DeliveryRequest, SubmissionContext, VitecId, with_defaults
from app.operations.specification import (
    Call,
    FormSpec,
    OperationSpec,
    PostSpec,
    Progress,
    StepBlockedError,
    StepSkipped,
)

PATH = "/CRM/Lead/{customerId}"
CONTACT_AGENT = "contact-agent"  # as `assignedToId`: the contact's own agent, else the fallback
FALLBACK = "fallbackAssignedToId"  # our own, stored with a lead's members; never sent


class Lead(VitecModel):
    """Vitec's `Lead` (S). Vitec requires `assignedToId` and `leadSourceId`; the configuration may provide them."""

    contact_id: Annotated[str, Length(40, minimum=1)]
    assigned_to_id: Line | None = None
    lead_source_id: Line | None = None
    office_id: Line | None = None
    assignment_source_id: Line | None = None
    message: Message | None = None
    marketing: MarketingMember | None = None


class LeadDefaults(DefaultsTable):
    """`[customers.lead]`. `when`: only if there is marketing to pass on, or always."""

    when: Literal["marketing", "always"] = "marketing"
    lead_source_id: VitecId
    assigned_to_id: VitecId
    fallback_assigned_to_id: VitecId | None = None
    office_id: VitecId | None = None
    assignment_source_id: VitecId | None = None

    @model_validator(mode="after")
    def _agent_has_fallback(self) -> "LeadDefaults":
        if self.assigned_to_id == CONTACT_AGENT and not self.fallback_assigned_to_id:
            raise ValueError("fallback_assigned_to_id is needed when assigned_to_id is contact-agent")
        return self

    def members(self) -> dict[str, str]:
        """The configured members of a lead's body."""
        members = {
            "leadSourceId": self.lead_source_id,
            "assignedToId": self.assigned_to_id,
            "officeId": self.office_id,
            "assignmentSourceId": self.assignment_source_id,
            FALLBACK: self.fallback_assigned_to_id if self.assigned_to_id == CONTACT_AGENT else None,
        }
        return {name: value for name, value in members.items() if value is not None}


def lead_after(context: SubmissionContext, defaults: Defaults) -> tuple[PlannedStep, ...]:
    """The steps after an operation whose answer names the contact: if there is a tag to pass on, or always."""
    settings = defaults.find(LeadDefaults)
    if settings is None or not (settings.when == "always" or context.marketing.tags):
        return ()
    body = settings.members() | context.marketing_member
    return PlannedStep(Operation.CONTACT, (), {}), PlannedStep(Operation.LEAD, (), body)


def plan(request: DeliveryRequest, defaults: Defaults) -> tuple[PlannedStep, ...]:
    application, settings = request.application, defaults.find(LeadDefaults)
    assert isinstance(application, Lead)
    configured = settings.members() if settings else {}
    body = with_defaults(request.submitted, configured) | request.context.marketing_member
    step = PlannedStep(Operation.LEAD, (), body)
    if body.get("assignedToId") != CONTACT_AGENT:
        body.pop(FALLBACK, None)
        return (step,)
    return PlannedStep(Operation.CONTACT, (application.contact_id,), {}), step


def prepare(call: Call, progress: Progress) -> Call:
    """The lead with its contact's id, assigned to the contact's own agent if the configuration wants that.
    Raises `StepSkipped`, `StepBlockedError`."""
    body = dict(call.body)
    body["contactId"] = body.get("contactId") or answered_contact(progress)
    fallback = body.pop(FALLBACK, None)
    if body.get("assignedToId") == CONTACT_AGENT:
        body["assignedToId"] = progress.results.get(Operation.CONTACT) or fallback
        if not body["assignedToId"]:
            raise StepBlockedError("the contact has no agent, and there is no fallback")
    return Call(call.resource, body)


def answered_contact(progress: Progress) -> str:
    """The contact id in Vitec's answer to the submitted operation. Raises `StepSkipped`, `StepBlockedError`."""
    answer = progress.results.get(progress.submitted.operation)
    if answer:
        return answer
    if progress.submitted.may_answer_none:
        raise StepSkipped
    raise StepBlockedError("Vitec's answer held no contact id")


def _configured_members(defaults: Defaults) -> frozenset[str]:
    settings = defaults.find(LeadDefaults)
    return frozenset(settings.members()) if settings else frozenset()


FORM = FormSpec(
    name="contact",
    heading=N_("Would you like us to get in touch?"),
    button=N_("Contact me"),
    intro=N_("Tell us what it is about, and %(firm)s will contact you."),
    fields=("message",),
    received=N_("Thank you, we will get in touch"),
    next=N_("%(firm)s will contact you as soon as they can. You don’t need to do anything more."),
    refused=N_("We couldn’t deliver your registration"),
)
POST = PostSpec(
    operation=Operation.LEAD,
    model=Lead,
    paths=(PATH,),
    example={"contactId": "C1", "assignedToId": "A1", "leadSourceId": "KAMPANJ", "message": "Wants to sell in spring."},
    required=("assignedToId", "leadSourceId"),
)
PERSONAL_POST = PostSpec(
    operation=Operation.LEAD,
    model=Lead,
    form=FORM,
    needs=LeadDefaults,
    public=frozenset({"contactId", "message", "marketing"}),
)
LEAD = OperationSpec(
    operation=Operation.LEAD,
    path=PATH,
    label=N_("Lead"),
    plural=N_("leads for known contacts"),
    summary="Create a lead on a known contact",
    posts=(POST, PERSONAL_POST),
    plan=plan,
    prepare=prepare,
    filled=_configured_members,
    names_contact=True,
)
