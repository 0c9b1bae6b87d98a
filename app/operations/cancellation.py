"""Cancellation of a booking by its visitor (vitec-connect.md, section 10).

Vitec's call has no body; its path has the home and the contact, not the slot. The other members are stored for the
person who has to handle a cancellation that Vitec refuses.
"""

from app.domain.fields import Line
from app.domain.submission import Operation, PlannedStep
from app.i18n import N_
from app.operations.members import VitecModel
from app.operations.planning import Defaults, DeliveryRequest
from app.operations.specification import OperationSpec, PostSpec

PATH = "/Advertising/Message/{customerId}/Estate/{estateId}/Viewing/Attendee/{contactId}/OptOut"


class Cancellation(VitecModel):
    """`booking` is our id of the booking; the other members are its visitor's details."""

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
    label=N_("Cancellation"),
    plural=N_("cancellations"),
    summary="Take a visitor off a home's viewing",
    posts=(POST,),
    plan=plan,
    names_contact=True,
    has_body=False,
    is_repeatable=True,  # a second cancellation changes nothing
    is_lead=False,
)
