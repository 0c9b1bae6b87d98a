"""Final price watched: a person wants to know what a home is sold for (vitec-connect.md, section 9)."""

from enum import StrEnum
from typing import Annotated, Literal

from app.domain.fields import Length, Line, Message, Name, Truth, by_name_or_number
from app.domain.submission import Operation, PlannedStep
from app.i18n import N_
from app.operations.members import Address, CheckDigit, EmailAddresses, MarketingMember, Telephone, VitecModel
from app.operations.planning import Defaults, DefaultsTable, DeliveryRequest, VitecId, with_defaults
from app.operations.specification import PERSON, FormSpec, OperationSpec, PostSpec

PATH = "/Advertising/Estate/{customerId}/{estateId}/FinalPriceWatched"
FORM_PATH = "/forms/{customerId}/final-price/{estateId}"


class BuyerStatus(StrEnum):
    """`prospectiveBuyerStatus` (H); Vitec's numbers count from 0."""

    ASSIGNED = "Assigned"
    INTERESTED = "Interested"
    NOT_INTERESTED = "NotInterested"


class Watcher(VitecModel):
    """The person who wants to know the price. Names have 1-40 characters in H; we apply the 1-30 of S."""

    first_name: Name
    last_name: Name
    is_foreign_social_security_number: Truth | None = None
    social_security_number: Annotated[str, Length(20), CheckDigit] | None = None
    address: Address | None = None
    email: EmailAddresses | None = None
    telephone: Telephone | None = None


class FinalPrice(VitecModel):
    """Vitec's body (H)."""

    person: Watcher
    prospective_buyer_status: Annotated[BuyerStatus, by_name_or_number(BuyerStatus)] | None = None
    lead_source_id: Line | None = None
    marketing: MarketingMember | None = None
    message: Message | None = None


class FinalPriceDefaults(DefaultsTable):
    """`[customers.final_price]`; without it there is no form. `status` is the contact's status on the home, unless the
    contact already has one."""

    lead_source_id: VitecId | None = None
    status: Literal["Interested", "Assigned"] = "Interested"


def plan(request: DeliveryRequest, defaults: Defaults) -> tuple[PlannedStep, ...]:
    settings = defaults.get(FinalPriceDefaults)
    configured = {"leadSourceId": settings.lead_source_id, "prospectiveBuyerStatus": settings.status}
    return (request.step(with_defaults(request.submitted, configured) | request.context.marketing_member),)


FORM = FormSpec(
    name="final-price",
    heading=N_("What did the home sell for?"),
    button=N_("Tell me the final price"),
    intro=N_("Leave your details, and %(firm)s will tell you the final price."),
    fields=(
        *("firstName", "lastName", "socialSecurityNumber"),
        *("contact", "email.emailAddress", "telephone.cell", "consent"),
    ),
    first_contact="email.emailAddress",
    received=N_("Thank you, we have received your registration"),
    next=N_("%(firm)s will contact you when the final price is known. You don’t need to do anything more."),
    refused=N_("We couldn’t deliver your registration"),
)
POST = PostSpec(
    operation=Operation.FINAL_PRICE,
    model=FinalPrice,
    paths=(PATH,),
    example={
        "person": {"firstName": "Anna", "lastName": "Åkesson", "email": {"emailAddress": "anna@example.se"}},
        "consent": True,
    },
    form_path=FORM_PATH,
    form=FORM,
    needs=FinalPriceDefaults,
    person="person",
    public=frozenset(f"person.{name}" for name in (PERSON - {"gdprApprovalDate"}) | {"telephone"})
    | {"message", "marketing"},
    email="person.email.emailAddress",
    phones=("person.telephone.cell", "person.telephone.home", "person.telephone.work"),
)
FINAL_PRICE = OperationSpec(
    operation=Operation.FINAL_PRICE,
    path=PATH,
    label=N_("Final price"),
    plural=N_("requests for a final price"),
    summary="Watch a home's final price",
    posts=(POST,),
    plan=plan,
    estate=0,
)
