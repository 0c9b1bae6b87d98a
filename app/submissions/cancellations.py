"""Visitors' cancellations of bookings, and which cancellation belongs to which booking."""

from dataclasses import dataclass

from sqlalchemy import select

from app.domain.marketing import Marketing
from app.domain.submission import PATH_ID, Operation, Status, Submission
from app.operations.cancellation import Cancellation
from app.operations.member_paths import member_at
from app.operations.planning import DeliveryRequest, SubmissionContext
from app.operations.registry import OPERATIONS
from app.operations.stored_application import StoredApplication
from app.storage.database import Database
from app.storage.schema import cancellations

NAMES = ("firstName", "lastName")


@dataclass(frozen=True)
class Attendee:
    """Whose booking of which home is cancelled, as Vitec names them: by the ids of the home and of the contact."""

    estate_id: str
    contact_id: str

    @classmethod
    def from_booking(cls, booking: Submission, stored: StoredApplication) -> "Attendee | None":
        """None if the booking can't be cancelled, or if the home or contact is unknown: with `returnBookingId`, Vitec
        returns the booking's id instead of the contact's."""
        if booking.operation is not Operation.VIEWING or booking.status is not Status.DELIVERED:
            return None
        contact = booking.main.result or ""
        names_booking = stored.bodies[booking.main.position].get("returnBookingId") is True
        is_complete = PATH_ID.fullmatch(contact) and PATH_ID.fullmatch(stored.estate) and not names_booking
        return cls(stored.estate, contact) if is_complete else None


def cancellation_request(booking: Submission, stored: StoredApplication, attendee: Attendee) -> DeliveryRequest:
    """The cancellation to submit. It includes the visitor's contact details, in case somebody must call."""
    post = OPERATIONS[booking.operation].post_of(stored.resource)
    names = {name: member_at(dict(stored.submitted), post.dotted(name)) for name in NAMES}
    contacts = post.contacts(stored.submitted)
    members = names | {"booking": booking.id, "email": contacts.get("email"), "cellPhone": contacts.get("phone")}
    present = {name: value for name, value in members.items() if value}
    application = Cancellation.model_validate(present)
    context = SubmissionContext(with_key=False, consented_at=None, marketing=Marketing())
    resource = (attendee.estate_id, attendee.contact_id)
    return DeliveryRequest(booking.customer_id, Operation.CANCELLATION, resource, application, context)


class Cancellations:
    """Looks up which submission cancels which booking. Its methods raise `StoreUnavailableError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_booking(self, booking_id: str) -> str | None:
        """The id of the submission that cancels this booking, or None."""
        columns = cancellations.c
        query = select(columns.submission_id).where(columns.booking_id == booking_id)
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def booking_of(self, submission_id: str) -> str | None:
        """The id of the booking that this submission cancels, or None."""
        columns = cancellations.c
        query = select(columns.booking_id).where(columns.submission_id == submission_id)
        return await self._database.read(lambda connection: connection.execute(query).scalar())
