"""The planned steps of each post, their order and bodies, and that a stored plan's input can be read again."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.consent import ConsentRecord
from app.domain.fields import ReadContext
from app.domain.ids import new_id
from app.domain.marketing import Marketing
from app.domain.submission import Operation, Status, Submission
from app.operations.interest import InterestDefaults
from app.operations.lead import CONTACT_AGENT, FALLBACK, LeadDefaults
from app.operations.members import VitecModel
from app.operations.planning import Defaults, DeliveryRequest, SubmissionContext
from app.operations.registry import OPERATIONS, POSTED, POSTS, plan
from app.operations.stored_application import StoredApplication
from app.operations.viewing import ViewingDefaults

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ANNA = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "anna@example.se"}}
TAGS = Marketing("https://a.se/1", (("utm_source", "google"),))
VISITOR = SubmissionContext(with_key=False, consented_at=None, marketing=Marketing())
TAGGED = replace(VISITOR, marketing=TAGS)
LEAD = LeadDefaults(lead_source_id="LS1", assigned_to_id="U1")
IN_A_LEAD = InterestDefaults(marketing="lead")
PLAIN = Defaults(InterestDefaults(), ViewingDefaults())
WITH_LEAD = Defaults(InterestDefaults(), ViewingDefaults(), LEAD)
AS_LEAD = Defaults(IN_A_LEAD, ViewingDefaults(), LEAD)


def with_lead(**changed: Any) -> Defaults:
    return Defaults(LEAD.model_copy(update=changed))


SPOKEN: dict[Operation, dict[str, Any]] = {
    Operation.INTEREST: ANNA,
    Operation.VIEWING: {"updatePerson": ANNA},
    Operation.VALUATION: {"firstName": "Anna", "lastName": "Å", "email": "anna@example.se"},
    Operation.FINAL_PRICE: {"person": ANNA},
    Operation.LEAD: {"contactId": "C1", "message": "Hej"},
    Operation.LOAN_PROMISE: {"bank": "SBAB", "validUntil": "2026-12-31T23:59:59+01:00"},
}
RESOURCES = {
    Operation.INTEREST: ("OBJ1",),
    Operation.VIEWING: ("VIS1", "SLOT1"),
    Operation.FINAL_PRICE: ("OBJ1",),
    Operation.LOAN_PROMISE: ("C1",),
}


def order(operation: Operation, context: SubmissionContext = VISITOR, **members: Any) -> DeliveryRequest:
    reading = ReadContext(form=False, now=NOW)
    application = OPERATIONS[operation].posts[0].model.model_validate(SPOKEN[operation] | members, context=reading)
    return DeliveryRequest("M12345", operation, RESOURCES.get(operation, ()), application, context)


def steps(request: DeliveryRequest, defaults: Defaults) -> list[str]:
    return [step.operation.value for step in plan(request, defaults)]


@pytest.mark.parametrize(
    ("operation", "context", "defaults", "expected"),
    [
        (Operation.INTEREST, VISITOR, PLAIN, ["interest"]),
        (Operation.INTEREST, TAGGED, WITH_LEAD, ["interest"]),
        (Operation.INTEREST, TAGGED, AS_LEAD, ["interest", "contact", "lead"]),
        (Operation.INTEREST, VISITOR, AS_LEAD, ["interest"]),
        (Operation.INTEREST, TAGGED, Defaults(IN_A_LEAD), ["interest"]),
        (Operation.VIEWING, TAGGED, PLAIN, ["viewing"]),
        (Operation.VIEWING, VISITOR, WITH_LEAD, ["viewing"]),
        (Operation.VIEWING, TAGGED, WITH_LEAD, ["viewing", "contact", "lead"]),
        (Operation.VIEWING, VISITOR, with_lead(when="always"), ["viewing", "contact", "lead"]),
        (Operation.VALUATION, TAGGED, with_lead(when="always"), ["valuation"]),
        (Operation.FINAL_PRICE, TAGGED, with_lead(when="always"), ["final-price"]),
        (Operation.LEAD, VISITOR, WITH_LEAD, ["lead"]),
        (
            Operation.LEAD,
            VISITOR,
            with_lead(assigned_to_id=CONTACT_AGENT),
            ["contact", "lead"],
        ),
        (Operation.LOAN_PROMISE, TAGGED, WITH_LEAD, ["loan-promise"]),
    ],
)
def test_each_operation_has_its_steps(
    operation: Operation, context: SubmissionContext, defaults: Defaults, expected: list[str]
) -> None:
    assert steps(order(operation, context), defaults) == expected


def test_a_page_without_tags_makes_no_lead() -> None:
    context = replace(VISITOR, marketing=Marketing("https://a.se/1"))
    assert steps(order(Operation.VIEWING, context), WITH_LEAD) == ["viewing"]


@pytest.mark.parametrize(
    ("with_key", "asked", "sent", "follows"),
    [(False, True, False, True), (True, True, True, False), (True, False, False, True), (True, None, False, True)],
)
def test_a_lead_follows_unless_a_caller_with_a_key_wants_the_bookings_id(
    with_key: bool, asked: bool | None, sent: bool, follows: bool
) -> None:
    booking = order(Operation.VIEWING, replace(TAGGED, with_key=with_key), returnBookingId=asked)
    planned = plan(booking, WITH_LEAD)
    assert planned[0].body["returnBookingId"] is sent
    assert (len(planned) == 3) is follows


def test_marketing_is_sent_once_inline_or_in_the_lead() -> None:
    marketing = {"referrer": "https://a.se/1", "utmTags": [{"name": "utm_source", "value": "google"}]}
    for operation in (Operation.INTEREST, Operation.VALUATION, Operation.FINAL_PRICE):
        (inline,) = plan(order(operation, TAGGED), WITH_LEAD)
        assert inline.body["marketing"] == marketing
    own, _, lead = plan(order(Operation.INTEREST, TAGGED), AS_LEAD)
    assert "marketing" not in own.body
    assert lead.body == {"leadSourceId": "LS1", "assignedToId": "U1", "marketing": marketing}


def test_a_lookup_and_the_lead_after_a_booking_name_no_contact_yet() -> None:
    _, contact, lead = plan(order(Operation.VIEWING, TAGGED), WITH_LEAD)
    assert (contact.resource, contact.body, lead.resource) == ((), {}, ())
    assert "contactId" not in lead.body


def test_a_callers_values_of_a_lead_win_over_the_configuration() -> None:
    full = with_lead(office_id="O1", assignment_source_id="AS1")
    (step,) = plan(order(Operation.LEAD, assignedToId="U2"), full)
    configured = {"leadSourceId": "LS1", "officeId": "O1", "assignmentSourceId": "AS1"}
    assert step.body == {"contactId": "C1", "message": "Hej", "assignedToId": "U2"} | configured


def test_a_fallback_is_kept_where_the_contacts_own_agent_is_asked_for_and_never_else() -> None:
    defaults = with_lead(assigned_to_id=CONTACT_AGENT, fallback_assigned_to_id="U9")
    contact, lead = plan(order(Operation.LEAD), defaults)
    assert (contact.resource, lead.body[FALLBACK], lead.body["assignedToId"]) == (("C1",), "U9", CONTACT_AGENT)
    (lead,) = plan(order(Operation.LEAD, assignedToId="U2"), defaults)
    assert FALLBACK not in lead.body
    assert FALLBACK not in LEAD.model_copy(update={"fallback_assigned_to_id": "U9"}).members()


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("lead", [None, LEAD])
def test_only_a_leads_members_are_filled_in_for_a_caller(operation: Operation, lead: LeadDefaults | None) -> None:
    filled = {"leadSourceId", "assignedToId"} if lead and operation is Operation.LEAD else set()
    assert OPERATIONS[operation].filled(Defaults(*filter(None, [lead]))) == filled


def test_the_submitted_application_excludes_marketing() -> None:
    assert order(Operation.INTEREST, marketing={"referrer": "https://a.se/"}).submitted == ANNA


SAID = [
    VISITOR,
    TAGGED,
    replace(TAGGED, with_key=True, consented_at=datetime(2026, 6, 1, 14, 0, 5, tzinfo=UTC)),
]


@pytest.mark.parametrize("context", SAID)
@pytest.mark.parametrize("operation", SPOKEN)
def test_stored_plan_input_is_read_back_unchanged_and_gives_the_same_plan(
    operation: Operation, context: SubmissionContext
) -> None:
    accepted = order(operation, context)
    consent = ConsentRecord(1, "sv", "Mäklarhuset", None)
    stored = StoredApplication.of(accepted, plan(accepted, AS_LEAD), consent, "OBJ1")
    restored = StoredApplication.from_json(json.loads(json.dumps(stored.to_json())))
    kept = Submission(new_id(NOW), "M12345", operation, accepted.resource, Status.FAILED, "sv", NOW, None, ())
    read = restored.request(kept)
    assert read == accepted
    assert plan(read, AS_LEAD) == plan(accepted, AS_LEAD)
    assert (restored.consent, restored.estate) == (consent, "OBJ1")


def test_every_operation_has_its_module_in_the_registry() -> None:
    assert set(OPERATIONS) == set(Operation)
    assert {spec.operation for spec in POSTED} == set(Operation) - {Operation.CONTACT}
    assert all(issubclass(post.model, VitecModel) for post in POSTS)
    assert all(post.operation is spec.operation for spec in POSTED for post in spec.posts)
    assert len({path for post in POSTS for path in post.paths}) == sum(len(post.paths) for post in POSTS)
