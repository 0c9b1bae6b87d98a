"""The body of a later step, once the earlier steps have been answered."""

from typing import Any

import pytest

from app.domain.submission import Operation
from app.operations.lead import CONTACT_AGENT, FALLBACK
from app.operations.registry import OPERATIONS
from app.operations.specification import Call, Progress, StepBlockedError, StepSkipped

BODY = {"leadSourceId": "LS1", "assignedToId": "U1"}
OWN_AGENT = {"leadSourceId": "LS1", "assignedToId": CONTACT_AGENT}


def prepared(step: Operation, call: Call, after: Operation, **answered: str | None) -> Call:
    results = {Operation(name): answer for name, answer in answered.items()}
    return OPERATIONS[step].prepare(call, Progress(OPERATIONS[after], results))


@pytest.mark.parametrize("step", [Operation.LEAD, Operation.CONTACT])
def test_a_step_uses_the_contact_that_vitec_answered(step: Operation) -> None:
    call = prepared(step, Call((), BODY), Operation.VIEWING, viewing="C7")
    assert (call.resource, call.body.get("contactId")) == ((("C7",), None) if step is Operation.CONTACT else ((), "C7"))


def test_a_contact_named_by_the_caller_is_used() -> None:
    assert prepared(Operation.CONTACT, Call(("C1",), {}), Operation.LEAD) == Call(("C1",), {})
    assert prepared(Operation.LEAD, Call((), BODY | {"contactId": "C1"}), Operation.LEAD).body["contactId"] == "C1"


@pytest.mark.parametrize("step", [Operation.LEAD, Operation.CONTACT])
@pytest.mark.parametrize("answer", [None, ""])
def test_without_an_answer_a_booking_stops_and_an_interest_is_done(step: Operation, answer: str | None) -> None:
    with pytest.raises(StepBlockedError):
        prepared(step, Call((), BODY), Operation.VIEWING, viewing=answer)
    with pytest.raises(StepSkipped):
        prepared(step, Call((), BODY), Operation.INTEREST, interest=answer)


@pytest.mark.parametrize(
    ("body", "agent", "assigned"),
    [(OWN_AGENT, "A1", "A1"), (OWN_AGENT | {FALLBACK: "U9"}, None, "U9"), (OWN_AGENT | {FALLBACK: "U9"}, "A1", "A1")],
)
def test_a_lead_goes_to_the_contacts_own_agent_else_to_the_fallback(
    body: dict[str, Any], agent: str | None, assigned: str
) -> None:
    call = prepared(Operation.LEAD, Call((), body), Operation.VIEWING, viewing="C7", contact=agent)
    assert call.body["assignedToId"] == assigned
    assert FALLBACK not in call.body


def test_a_lead_without_agent_and_fallback_stops() -> None:
    with pytest.raises(StepBlockedError):
        prepared(Operation.LEAD, Call((), OWN_AGENT), Operation.VIEWING, viewing="C7", contact=None)


@pytest.mark.parametrize("operation", [Operation.INTEREST, Operation.VIEWING, Operation.LOAN_PROMISE])
def test_other_operations_send_the_planned_body(operation: Operation) -> None:
    call = Call(("X1",), {"a": 1})
    assert prepared(operation, call, operation) == call
