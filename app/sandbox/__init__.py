"""The Vitec Connect sandbox: a strict stand-in for Vitec's HTTP API, with fault injection.

It imports nothing of Intresse's own validation or client, because those are tested against it.

    office = demo_office()
    with serve_sandbox(office) as url: ...      # over HTTP, in a thread
    app = create_sandbox(office)                # or as an ASGI app
    office.inject(Fault(status=503, times=1)); office.received; office.clear_faults(); office.reset()

The same is available over HTTP under `/_sandbox` (`control_api`).
"""

from app.sandbox.api import create_sandbox
from app.sandbox.auth import Customer
from app.sandbox.contact_records import Company, DeceasedEstate, Person
from app.sandbox.demo_data import demo_contacts, demo_office
from app.sandbox.faults import Fault
from app.sandbox.records import Booking, Operation, Received, RecordedLead, RecordedLoanPromise, Slot, Viewing
from app.sandbox.server import serve_sandbox
from app.sandbox.state import Office

__all__ = [
    "Booking",
    "Company",
    "Customer",
    "DeceasedEstate",
    "Fault",
    "Office",
    "Operation",
    "Person",
    "Received",
    "RecordedLead",
    "RecordedLoanPromise",
    "Slot",
    "Viewing",
    "create_sandbox",
    "demo_contacts",
    "demo_office",
    "serve_sandbox",
]
