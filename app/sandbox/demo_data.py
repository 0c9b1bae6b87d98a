"""A fictitious office for the demo: homes, viewings from next Sunday on, and three contacts."""

from datetime import UTC, datetime, timedelta

from app.sandbox.auth import Customer
from app.sandbox.contact_records import Company, ContactAddress, ContactEmail, ContactTelephone, DeceasedEstate, Person
from app.sandbox.field_types import STOCKHOLM
from app.sandbox.records import Slot, Viewing
from app.sandbox.state import Office

DEMO_CUSTOMER = Customer("M00000", password="demo", crm_password="demo-crm")  # noqa: S106 - opens nothing real


def demo_office() -> Office:
    """Username `partner`; customer M00000; estates OBJ1 (with open times), OBJ2, OBJ3; viewings VIS1 and VIS2, and
    VIS0, VISX and VISY, which visitors must not see; contacts C1 (person), C2, C3."""
    now = datetime.now(UTC)
    viewings = _demo_viewings(now)
    return Office(
        [DEMO_CUSTOMER],
        estates=frozenset({"OBJ1", "OBJ2", "OBJ3"}),
        slots=_demo_slots(now) | _later_slots(viewings),
        viewings=viewings,
        contacts=demo_contacts(DEMO_CUSTOMER.customer_id, now),
    )


def next_sunday_at_one(now: datetime) -> datetime:
    """13.00 in Stockholm on the first Sunday after today's date there."""
    today = now.astimezone(STOCKHOLM)
    sunday = today.date() + timedelta(days=7 - today.isoweekday() % 7)
    return datetime(sunday.year, sunday.month, sunday.day, 13, tzinfo=STOCKHOLM)


def _demo_slots(now: datetime) -> dict[tuple[str, str], Slot]:
    """Slots of a quarter of an hour. The open ones have no deadline, so that they stay open in a demo left running."""
    start, quarter = next_sunday_at_one(now), timedelta(minutes=15)
    limits: dict[str, tuple[int | None, datetime | None]] = {
        "SLOT1": (None, None),
        "SLOT2": (None, None),
        "FULL": (0, None),
        "PASSED": (None, now - timedelta(days=1)),
    }
    return {
        ("VIS1", slot_id): Slot(capacity, deadline_at, start + index * quarter, start + (index + 1) * quarter)
        for index, (slot_id, (capacity, deadline_at)) in enumerate(limits.items())
    }


def _demo_viewings(now: datetime) -> dict[str, Viewing]:
    """Viewings of OBJ1: on Sunday and the Tuesday after; one last year, one that is hidden, one by invitation."""
    sunday = next_sunday_at_one(now)
    tuesday = _at(sunday + timedelta(days=2), 17, 30)
    last_year, hour = _at(sunday - timedelta(days=364), 13, 0), timedelta(hours=1)
    return {
        "VIS1": Viewing("OBJ1", sunday, sunday + hour),
        "VIS2": Viewing("OBJ1", tuesday, tuesday + hour, deadline_at=tuesday, comment="Samling vid porten."),
        "VIS0": Viewing("OBJ1", last_year, last_year + hour),
        "VISX": Viewing("OBJ1", tuesday, tuesday + hour, is_visible=False),
        "VISY": Viewing("OBJ1", tuesday, tuesday + hour, is_self_registration_enabled=False),
    }


def _later_slots(viewings: dict[str, Viewing]) -> dict[tuple[str, str], Slot]:
    """Two slots of half an hour on Tuesday, the second of which somebody else takes while the visitor types; one slot
    for each viewing that visitors must not see."""
    start, end, half = viewings["VIS2"].starts_at, viewings["VIS2"].ends_at, timedelta(minutes=30)
    slots = {
        ("VIS2", "SLOT3"): Slot(starts_at=start, ends_at=start + half),
        ("VIS2", "LAST"): Slot(starts_at=start + half, ends_at=end, contested=True),
    }
    unseen = {(name, f"OF-{name}"): viewings[name] for name in ("VIS0", "VISX", "VISY")}
    return slots | {key: _whole(viewing) for key, viewing in unseen.items()}


def _whole(viewing: Viewing) -> Slot:
    return Slot(starts_at=viewing.starts_at, ends_at=viewing.ends_at)


def _at(day: datetime, hour: int, minute: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=STOCKHOLM)


def demo_contacts(customer_id: str, now: datetime) -> tuple[Person, Company, DeceasedEstate]:
    """A customer's contacts C1, C2 and C3, added a month ago."""
    at = now - timedelta(days=30)
    home = ContactAddress(street_address="Storgatan 1", zip_code="123 45", city="Ankeborg")
    anna = Person(
        id="C1",
        customer_id=customer_id,
        agent_id="A1",
        first_name="Anna",
        last_name="Andersson",
        address=home,
        telephone=ContactTelephone(cell="070-174 06 05"),  # from the series reserved for fiction
        email=ContactEmail(email_address="anna.andersson@example.se"),
        created_at=at,
        changed_at=at,
    )
    company = Company(
        id="C2",
        customer_id=customer_id,
        agent_id="A1",
        name="Exempel Bygg AB",
        created_at=at,
        changed_at=at,
    )
    estate = DeceasedEstate(
        id="C3",
        customer_id=customer_id,
        agent_id="A1",
        name="Karl Karlssons dödsbo",
        created_at=at,
        changed_at=at,
    )
    return anna, company, estate
