"""Contact lookup (vitec-connect.md, section 4): a step before a lead, and a read for programs with an API key.

The step's result is the contact's own agent. The step also checks that the contact exists: that the id in a booking's
answer is a contact's is only inferred.
"""

import re

from app.domain.submission import Operation
from app.i18n import N_
from app.operations.lead import answered_contact
from app.operations.members import VitecModel
from app.operations.specification import Call, OperationSpec, PostSpec, Progress

PATH = "/CRM/Contact/{customerId}/{contactIds}"
MAX_CONTACTS = 20  # per call (S)


def prepare(call: Call, progress: Progress) -> Call:
    """The contact in the step's path, else the one in Vitec's answer. Raises `StepSkipped`, `StepBlockedError`."""
    return call if call.resource else Call((answered_contact(progress),), {})


# One path segment may have several ids; the handler splits them.
READ = PostSpec(operation=Operation.CONTACT, model=VitecModel, paths=(PATH,), id_pattern=re.compile(r".+"))
CONTACT = OperationSpec(
    operation=Operation.CONTACT,
    method="GET",
    path=PATH,
    label=N_("Contact lookup"),
    plural="",  # never more than a step
    summary="Look up 1–20 contacts; separate their ids by commas",
    prepare=prepare,
    names_contact=True,
)
