"""Contact lookup (vitec-connect.md, section 4): a step before a lead, and a read for programs with an API key.

As a step it answers the contact's own agent. That the contact is there at all is the other thing to know: the id in a
booking's answer is only inferred to be a contact's.
"""

import re

from app.domain.submission import FunctionGroup, Operation
from app.i18n import N_
from app.operations.lead import answered_contact
from app.operations.members import VitecModel
from app.operations.specification import Call, OperationSpec, PostSpec, Progress

PATH = "/CRM/Contact/{customerId}/{contactIds}"
MAX_CONTACTS = 20  # per call (S)


def prepare(call: Call, progress: Progress) -> Call:
    """The contact named in the step, else the one that Vitec answered. Raises `StepSkipped`, `StepBlockedError`."""
    return call if call.resource else Call((answered_contact(progress),), {})


# Several ids in one segment of the path: its handler tells them apart.
READ = PostSpec(operation=Operation.CONTACT, model=VitecModel, paths=(PATH,), id=re.compile(r".+"))
CONTACT = OperationSpec(
    operation=Operation.CONTACT,
    method="GET",
    path=PATH,
    group=FunctionGroup.CRM,
    label=N_("Contact lookup"),
    plural="",  # never more than a step
    summary="Look up 1–20 contacts; separate their ids by commas",
    prepare=prepare,
    names_contact=True,
)
