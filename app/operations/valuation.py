"""Valuation of a home to sell (vitec-connect.md, section 8)."""

from typing import Any

from app.domain.fields import Email, Line, Message, Name, Phone
from app.domain.submission import Operation, PlannedStep
from app.i18n import N_
from app.operations.members import Address, Gdpr, MarketingMember, VitecModel
from app.operations.planning import Defaults, DefaultsTable, DeliveryRequest, VitecId, with_defaults
from app.operations.specification import FormSpec, OperationSpec, PostSpec

PATH = "/v2/Advertising/Form/{customerId}/Valuation"
FORM_PATH = "/forms/{customerId}/valuation"


class ValuationLead(VitecModel):
    """The content of the lead that Vitec creates."""

    assignment_source_id: Line | None = None
    lead_source_id: Line | None = None
    message: Message | None = None


class Receiver(VitecModel):
    """The agent who gets the lead; left out to apply the office's own rule (H)."""

    user_id: Line | None = None


class Valuation(VitecModel):
    """Members H. It gives no lengths, so those of an interest apply. `address` is that of the home to be sold."""

    first_name: Name
    last_name: Name
    email: Email | None = None
    cell_phone: Phone | None = None
    address: Address | None = None
    gdpr: Gdpr | None = None
    lead: ValuationLead | None = None
    marketing: MarketingMember | None = None
    receiver: Receiver | None = None


class ValuationDefaults(DefaultsTable):
    """`[customers.valuation]`; without it there is no form."""

    lead_source_id: VitecId | None = None
    assignment_source_id: VitecId | None = None
    receiver_user_id: VitecId | None = None


def plan(request: DeliveryRequest, defaults: Defaults) -> tuple[PlannedStep, ...]:
    settings, context, submitted = defaults.get(ValuationDefaults), request.context, request.submitted
    parts: dict[str, dict[str, Any]] = {
        "lead": {"leadSourceId": settings.lead_source_id, "assignmentSourceId": settings.assignment_source_id},
        "receiver": {"userId": settings.receiver_user_id},
        "gdpr": {"hasApproved": True if context.consented_at else None},
    }
    filled = {name: with_defaults(submitted.get(name, {}), configured) for name, configured in parts.items()}
    additions = {name: members for name, members in filled.items() if members}
    return (request.step({**submitted, **additions, **context.marketing_member}),)


FORM = FormSpec(
    name="valuation",
    heading=N_("What is your home worth?"),
    button=N_("Book a valuation"),
    intro=N_("Leave your details, and %(firm)s will contact you to arrange a visit to your home."),
    fields=(
        *("firstName", "lastName", "contact", "cellPhone", "email"),
        *("address.streetAddress", "address.zipCode", "address.city", "lead.message", "consent"),
    ),
    first_contact="cellPhone",
    received=N_("Thank you, we have received your request"),
    next=N_("%(firm)s will contact you as soon as they can. You don’t need to do anything more."),
    refused=N_("We couldn’t deliver your request"),
)
POST = PostSpec(
    operation=Operation.VALUATION,
    model=Valuation,
    paths=(PATH,),
    example={
        "firstName": "Anna",
        "lastName": "Åkesson",
        "cellPhone": "070-174 06 05",
        "address": {"streetAddress": "Storgatan 1", "zipCode": "123 45", "city": "Ankeborg"},
        "lead": {"message": "We think of moving next summer."},
        "consent": True,
    },
    form_path=FORM_PATH,
    form=FORM,
    needs=ValuationDefaults,
    public=frozenset({"firstName", "lastName", "email", "cellPhone", "address", "gdpr", "lead.message", "marketing"}),
    approval="gdpr.hasApproved",
    email="email",
    phones=("cellPhone",),
    answers="contactId",
)
VALUATION = OperationSpec(
    operation=Operation.VALUATION,
    path=PATH,
    label=N_("Valuation"),
    plural=N_("valuations"),
    summary="Request a valuation of a home to sell",
    posts=(POST,),
    plan=plan,
)
