"""The sandbox's state: what its offices hold, what each operation does to that, and the received requests.

Source of the operations: S, except where a comment says otherwise. Ids are case-sensitive.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

from app.sandbox.answers import Answer, RefusedError
from app.sandbox.auth import Customer
from app.sandbox.contact_records import Contact, ContactAddress, ContactEmail, ContactTelephone, Person
from app.sandbox.duplicates import find_duplicate
from app.sandbox.faults import ActiveFaults, Fault
from app.sandbox.field_types import STOCKHOLM
from app.sandbox.records import (
    Booking,
    FinalPriceWatch,
    LeadContent,
    Operation,
    Received,
    RecordedLead,
    RecordedLoanPromise,
    Slot,
    Viewing,
)
from app.sandbox.schemas import (
    AddNewViewingParticipant,
    Address,
    AdvertisingInterestApplication,
    Email,
    FinalPricePerson,
    FinalPriceWatched,
    Lead,
    LoanPromise,
    UpdatePerson,
    ValuationForm,
    ViewingAttendance,
)

_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_MAX_CONTACTS = 20  # per call of CRM/Contact (S)


class Office:
    """The sandbox's state for one partner and its customers, which share estates and slots.

    username     the partner's only username
    customers    those that have given the partner access
    estates      the ids of the estates; None: every well-formed id is an estate
    slots        the time slots by (viewing id, time slot id); None: every well-formed pair is one, without limits
    viewings     the homes' viewings by id, including past and hidden ones, as Vitec returns them (O)
    contacts     the contacts at the start; bookings and interests add persons
    answer_interest_with_contact_id  an interest is answered 200 with a JSON string, not 204 (neither is documented)
    now          the clock; its times have a time zone
    """

    def __init__(
        self,
        customers: Iterable[Customer],
        *,
        username: str = "partner",
        estates: frozenset[str] | None = None,
        slots: Mapping[tuple[str, str], Slot] | None = None,
        viewings: Mapping[str, Viewing] | None = None,
        contacts: Iterable[Contact] = (),
        answer_interest_with_contact_id: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.username = username
        self.customers = {customer.customer_id: customer for customer in customers}
        self.estates = estates
        self.slots = slots
        self.viewings = viewings or {}
        self.answer_interest_with_contact_id = answer_interest_with_contact_id
        self.now = now
        self._initial_contacts = tuple(contacts)
        self.reset()

    def reset(self) -> None:
        """Back to the start: nothing received, no faults, only the initial contacts."""
        self.faults = ActiveFaults()
        self.received: list[Received] = []
        self.bookings: list[Booking] = []
        self.lost_slots: set[tuple[str, str]] = set()  # contested ones that somebody else has taken
        self.leads: list[RecordedLead] = []
        self.loan_promises: list[RecordedLoanPromise] = []
        self.final_price_watches: list[FinalPriceWatch] = []
        self.contacts = {(contact.customer_id, contact.id): contact for contact in self._initial_contacts}

    def inject(self, fault: Fault) -> None:
        """Adds a fault after those that are active."""
        self.faults.add(fault)

    def clear_faults(self) -> None:
        """Ends all faults."""
        self.faults.clear()

    def register_interest(
        self, customer_id: str, estate_id: str, application: AdvertisingInterestApplication
    ) -> Answer:
        self._check_estate(estate_id)
        person = self._find_or_add(person_of_interest(application, customer_id, self._next_contact_id(), self.now()))
        self._add_lead(person, Operation.INTEREST, application)
        if self.answer_interest_with_contact_id:
            return Answer.of(200, person.id, person.id)
        return Answer(204, contact_id=person.id)

    def book(
        self, customer_id: str, viewing_id: str, time_slot_id: str, participant: AddNewViewingParticipant
    ) -> Answer:
        options = participant.options
        self._check_slot(
            (viewing_id, time_slot_id),
            deadline=bool(options and options.is_deadline_validation_enabled),
            limit=bool(options and options.enable_booking_limit_validation),
        )
        visitor = participant.update_person
        if visitor.contact_id:
            contact = self._contact(customer_id, visitor.contact_id)
        else:
            newcomer = person_of_booking(visitor, customer_id, self._next_contact_id(), self.now())
            contact = self._find_or_add(newcomer)
        number = f"B{len(self.bookings) + 1}"
        self.bookings.append(Booking(number, customer_id, viewing_id, time_slot_id, contact.id, participant))
        self._add_lead(contact, Operation.VIEWING, participant)
        # Inferred: the documents say only that a JSON string is returned.
        return Answer.of(200, number if participant.return_booking_id else contact.id, contact.id)

    def add_lead(self, customer_id: str, lead: Lead) -> Answer:
        contact = self._contact(customer_id, lead.contact_id)
        return Answer.of(200, self._add_lead(contact, Operation.LEAD, lead), contact.id)

    def find_contacts(self, customer_id: str, contact_ids: str) -> Answer:
        """`contact_ids`: 1-20, comma-separated. 404 if none is known (O), otherwise those that are (inferred)."""
        ids = contact_ids.split(",")
        if len(ids) > _MAX_CONTACTS:
            raise RefusedError(400, f"Högst {_MAX_CONTACTS} kontakter kan hämtas åt gången.")
        contacts = [
            self.contacts[customer_id, id_] for id_ in dict.fromkeys(ids) if (customer_id, id_) in self.contacts
        ]
        if not contacts:
            raise RefusedError(404, "Kontakten finns inte.")
        bodies = [contact.model_dump(mode="json", by_alias=True) for contact in contacts]
        return Answer.of(200, bodies, contacts[0].id if len(contacts) == 1 else None)

    def add_loan_promise(self, customer_id: str, contact_id: str, loan_promise: LoanPromise) -> Answer:
        contact = self._contact(customer_id, contact_id)
        number = f"LP{len(self.loan_promises) + 1}"
        self.loan_promises.append(RecordedLoanPromise(number, customer_id, contact.id, loan_promise))
        return Answer.of(200, number, contact.id)

    def request_valuation(self, customer_id: str, form: ValuationForm) -> Answer:
        seller = person_of_valuation(form, customer_id, self._next_contact_id(), self.now())
        person = self._find_or_add(seller)
        self._add_lead(person, Operation.VALUATION, form)
        return Answer.of(200, {"contactId": person.id}, person.id)

    def watch_final_price(self, customer_id: str, estate_id: str, watched: FinalPriceWatched) -> Answer:
        self._check_estate(estate_id)
        person = self._find_or_add(person_of_interest(watched.person, customer_id, self._next_contact_id(), self.now()))
        self.final_price_watches.append(FinalPriceWatch(customer_id, estate_id, person.id, watched))
        # H says only that a JSON string is returned.
        return Answer.of(200, person.id, person.id)

    def opt_out(self, customer_id: str, estate_id: str, contact_id: str) -> Answer:
        """Takes the contact off the home's viewings. If it is on none, nothing changes (inferred)."""
        self._check_estate(estate_id)
        contact = self._contact(customer_id, contact_id)
        self.bookings = [booking for booking in self.bookings if not self._attends(booking, contact, estate_id)]
        return Answer(204, contact_id=contact.id)

    def _attends(self, booking: Booking, contact: Contact, estate_id: str) -> bool:
        """Whether the contact booked it for a viewing of the home; an unknown viewing counts as one."""
        viewing = self.viewings.get(booking.viewing_id)
        is_theirs = (booking.customer_id, booking.contact_id) == (contact.customer_id, contact.id)
        return is_theirs and (viewing is None or viewing.estate_id == estate_id)

    def find_estate(self, customer_id: str, estate_id: str) -> Answer:
        """The home with all its viewings; times are Swedish local time without an offset (H, O)."""
        self._check_estate(estate_id)
        viewings = sorted(self.viewings.items(), key=lambda pair: pair[1].starts_at)
        home = {
            "id": estate_id,
            "office": {"customerId": customer_id, "name": "Kontoret"},
            "agents": [{"id": "A1", "name": "Mia Mäklare", "email": "mia@example.se", "isPrimary": True}],
            "address": {
                "unitDesignation": "1102",
                "streetAddress": "Storgatan 1",
                "zipCode": "123 45",
                "city": "Ankeborg",
                "coordinate": {"longitude": 18.06, "latitude": 59.33},
            },
            "viewings": [self._viewing(id_, viewing) for id_, viewing in viewings if viewing.estate_id == estate_id],
        }
        return Answer.of(200, home)

    def attend(self, customer_id: str, estate_id: str, attendance: ViewingAttendance) -> Answer:
        """Books by home and slot (H). A slot that is not the home's is answered 404 (inferred)."""
        self._check_estate(estate_id)
        viewing_id = self._viewing_with(estate_id, attendance.time_slot_id)
        validation = attendance.validation
        self._check_slot(
            (viewing_id, attendance.time_slot_id),
            deadline=bool(validation and validation.is_dead_line_enabled),
            limit=bool(validation and validation.is_booking_limit_enabled),
        )
        newcomer = person_of_attendance(attendance, customer_id, self._next_contact_id(), self.now())
        contact = self._find_or_add(newcomer)
        number = f"B{len(self.bookings) + 1}"
        booking = Booking(number, customer_id, viewing_id, attendance.time_slot_id, contact.id, attendance)
        self.bookings.append(booking)
        self._add_lead(contact, Operation.ATTEND, attendance)
        return Answer.of(200, {"contactId": contact.id}, contact.id)

    def _check_estate(self, estate_id: str) -> None:
        if not _exists(estate_id, self.estates):
            raise RefusedError(404, f"Bostaden {estate_id} finns inte.")

    def _viewing(self, viewing_id: str, viewing: Viewing) -> dict[str, Any]:
        slots = ((slot_id, slot) for (of, slot_id), slot in (self.slots or {}).items() if of == viewing_id)
        return {
            "id": viewing_id,
            "startsAt": _wall_clock(viewing.starts_at),
            "endsAt": _wall_clock(viewing.ends_at),
            "deadlineAt": _wall_clock(viewing.deadline_at),
            "isSelfRegistrationEnabled": viewing.is_self_registration_enabled,
            "isVisible": viewing.is_visible,
            "comment": viewing.comment,
            "timeSlots": [
                {
                    "id": slot_id,
                    "startsAt": _wall_clock(slot.starts_at or viewing.starts_at),
                    "endsAt": _wall_clock(slot.ends_at or viewing.ends_at),
                    "isRegistrationAvailable": not (self._is_full((viewing_id, slot_id)) or self._is_closed(slot)),
                }
                for slot_id, slot in slots
            ],
        }

    def _viewing_with(self, estate_id: str, time_slot_id: str) -> str:
        if self.slots is None:
            return "ANY"
        for viewing_id, slot_id in self.slots:
            viewing = self.viewings.get(viewing_id)
            if slot_id == time_slot_id and viewing and viewing.estate_id == estate_id:
                return viewing_id
        raise RefusedError(404, f"Visningstiden {time_slot_id} finns inte.")

    def _check_slot(self, slot_key: tuple[str, str], *, deadline: bool, limit: bool) -> None:
        slot = self._slot(*slot_key)
        if slot.contested:
            self.lost_slots.add(slot_key)
        if deadline and self._is_closed(slot):
            raise RefusedError(400, "Anmälningstiden har gått ut.")
        if limit and self._is_full(slot_key):
            raise RefusedError(400, "Visningstiden är fullbokad.")

    def _is_closed(self, slot: Slot) -> bool:
        return slot.deadline_at is not None and self.now() > slot.deadline_at

    def _is_full(self, slot_key: tuple[str, str]) -> bool:
        capacity = self._slot(*slot_key).capacity
        taken = sum((booking.viewing_id, booking.time_slot_id) == slot_key for booking in self.bookings)
        return slot_key in self.lost_slots or (capacity is not None and taken >= capacity)

    def _slot(self, viewing_id: str, time_slot_id: str) -> Slot:
        if self.slots is None and _exists(viewing_id, None) and _exists(time_slot_id, None):
            return Slot()
        slot = (self.slots or {}).get((viewing_id, time_slot_id))
        if slot is None:
            raise RefusedError(404, f"Visningstiden {viewing_id}/{time_slot_id} finns inte.")
        return slot

    def _contact(self, customer_id: str, contact_id: str) -> Contact:
        if (customer_id, contact_id) not in self.contacts:
            raise RefusedError(404, f"Kontakten {contact_id} finns inte.")
        return self.contacts[customer_id, contact_id]

    def _find_or_add(self, newcomer: Person) -> Person:
        """The person that the duplicate check finds, unchanged; otherwise the newcomer, who is added."""
        persons = (contact for contact in self.contacts.values() if isinstance(contact, Person))
        person = find_duplicate(newcomer, persons) or newcomer
        self.contacts[person.customer_id, person.id] = person
        return person

    def _next_contact_id(self) -> str:
        taken = {contact_id for _, contact_id in self.contacts}
        return next(id_ for number in count(1001 + len(taken)) if (id_ := f"C{number}") not in taken)

    def _add_lead(
        self,
        contact: Contact,
        made_by: Operation,
        content: LeadContent,
    ) -> str:
        number = f"L{len(self.leads) + 1}"
        self.leads.append(RecordedLead(number, contact.customer_id, contact.id, made_by, content))
        return number


def _exists(id_: str, known: frozenset[str] | None) -> bool:
    return _WELL_FORMED_ID.fullmatch(id_) is not None and (known is None or id_ in known)


def _wall_clock(moment: datetime | None) -> str | None:
    return moment.astimezone(STOCKHOLM).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def person_of_interest(
    application: AdvertisingInterestApplication | FinalPricePerson, customer_id: str, contact_id: str, at: datetime
) -> Person:
    phones = application.telephone
    return Person(
        id=contact_id,
        customer_id=customer_id,
        first_name=application.first_name,
        last_name=application.last_name,
        social_security_number=application.social_security_number,
        is_foreign_social_security_number=application.is_foreign_social_security_number or False,
        telephone=ContactTelephone(**phones.model_dump()) if phones else None,
        email=_email(application.email),
        address=_address(application.address),
        gdpr_approval_date=getattr(application, "gdpr_approval_date", None),
        created_at=at,
        changed_at=at,
    )


def person_of_valuation(form: ValuationForm, customer_id: str, contact_id: str, at: datetime) -> Person:
    return Person(
        id=contact_id,
        customer_id=customer_id,
        agent_id=form.receiver.user_id if form.receiver else None,
        first_name=form.first_name,
        last_name=form.last_name,
        telephone=ContactTelephone(cell=form.cell_phone),
        email=ContactEmail(email_address=form.email),
        address=_address(form.address),
        gdpr_approval_date=at if form.gdpr and form.gdpr.has_approved else None,
        created_at=at,
        changed_at=at,
    )


def person_of_booking(visitor: UpdatePerson, customer_id: str, contact_id: str, at: datetime) -> Person:
    return Person(
        id=contact_id,
        customer_id=customer_id,
        agent_id=visitor.user_id,
        first_name=visitor.first_name,
        last_name=visitor.last_name,
        social_security_number=visitor.social_security_number,
        is_foreign_social_security_number=visitor.is_foreign_social_security_number or False,
        telephone=ContactTelephone(
            home=visitor.tele_phone, work=visitor.work_phone, cell=visitor.cell_phone, other=visitor.other_phone
        ),
        email=_email(visitor.email),
        address=_address(visitor.address),
        advertising_enabled=visitor.wish_advertising or False,
        note=visitor.note,
        lead_score=visitor.lead_score or 0,
        gdpr_approval_date=visitor.gdpr_approval_date,
        created_at=at,
        changed_at=at,
    )


def person_of_attendance(attendance: ViewingAttendance, customer_id: str, contact_id: str, at: datetime) -> Person:
    return Person(
        id=contact_id,
        customer_id=customer_id,
        first_name=attendance.first_name,
        last_name=attendance.last_name,
        telephone=ContactTelephone(cell=attendance.cell_phone),
        email=ContactEmail(email_address=attendance.email),
        address=_address(attendance.address),
        gdpr_approval_date=at if attendance.gdpr and attendance.gdpr.has_approved else None,
        created_at=at,
        changed_at=at,
    )


def _email(email: Email | None) -> ContactEmail | None:
    return ContactEmail(**email.model_dump()) if email else None


def _address(address: Address | None) -> ContactAddress | None:
    return ContactAddress(**address.model_dump()) if address else None
