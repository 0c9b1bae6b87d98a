"""Cancellation of a booking by its visitor (vitec-connect.md, section 10).

cancellation

Vitec's call has no body and names the home and the contact, not the slot. What we keep besides is for whoever has to
see to a cancellation that Vitec refuses.
"""

from app.domain.fields import Line
from app.domain.submission import FunctionGroup, Operation, PlannedStep
from app.i18n import N_
from app.operations.members import VitecModel
from app.operations.specification import Defaults, DeliveryRequest, OperationSpec, PostSpec

PATH = "/Advertising/Message/{customerId}/Estate/{estateId}/Viewing/Attendee/{contactId}/OptOut"


class Cancellation(VitecModel):
    """Of the booking with our id `booking`, and its visitor's details, as they stand there."""

    booking: Line
    first_name: Line | None = None
    last_name: Line | None = None
    email: Line | None = None
    cell_phone: Line | None = None


def plan(request: DeliveryRequest, _: Defaults) -> tuple[PlannedStep, ...]:
    return (request.step({}),)


POST = PostSpec(operation=Operation.CANCELLATION, model=Cancellation, email="email", phones=("cellPhone",))
CANCELLATION = OperationSpec(
    operation=Operation.CANCELLATION,
    method="PUT",
    path=PATH,
    group=FunctionGroup.ADVERTISING,
    label=N_("Cancellation"),
    plural=N_("cancellations"),
    summary="Take a visitor off a home's viewing",
    posts=(POST,),
    plan=plan,
    names_contact=True,
    has_body=False,
    is_repeatable=True,  # carried out twice it changes nothing more
    is_lead=False,
)
