"""A retry fills in the current configuration and nothing else: marketing is sent once, sent steps stay unchanged."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.fields import ReadContext
from app.domain.ids import new_id
from app.domain.marketing import Marketing
from app.domain.submission import Operation, Status, Step, StepStatus, Submission
from app.operations.interest import InterestDefaults
from app.operations.lead import LeadDefaults
from app.operations.planning import Defaults, DeliveryRequest, SubmissionContext
from app.operations.registry import OPERATIONS, plan
from app.operations.stored_application import StoredApplication

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TAGS = {"utmTags": [{"name": "utm_source", "value": "google"}]}
PERSON = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "anna@example.se"}}


def configured(marketing: str, source: str, user: str = "U1") -> Defaults:
    interest = InterestDefaults.model_validate({"marketing": marketing, "lead_source_id": source})
    return Defaults(interest, LeadDefaults(lead_source_id=source, assigned_to_id=user))


def accepted(defaults: Defaults) -> tuple[StoredApplication, Submission]:
    model = OPERATIONS[Operation.INTEREST].posts[0].model
    application = model.model_validate(PERSON, context=ReadContext(form=False, now=NOW))
    context = SubmissionContext(False, NOW, Marketing.of_member(TAGS))
    request = DeliveryRequest("M1", Operation.INTEREST, ("OBJ1",), application, context)
    planned = plan(request, defaults)
    steps = tuple(
        Step(position, step.operation, step.resource, StepStatus.WAITING, 0) for position, step in enumerate(planned)
    )
    submission = Submission(new_id(NOW), "M1", Operation.INTEREST, ("OBJ1",), Status.FAILED, "sv", NOW, NOW, steps)
    return StoredApplication.of(request, planned), submission


def carries_marketing(bodies: tuple[Any, ...]) -> list[bool]:
    return [body.get("marketing") == TAGS for body in bodies]


@pytest.mark.parametrize(
    ("before", "now"), [("inline", "lead"), ("lead", "inline"), ("inline", "inline"), ("lead", "lead")]
)
def test_a_changed_marketing_setting_sends_the_campaign_only_once(before: str, now: str) -> None:
    stored, submission = accepted(configured(before, "LS1"))
    todo = range(len(submission.steps))
    refilled = stored.refilled(submission, configured(now, "LS2", "U2"), todo)
    assert carries_marketing(refilled.bodies) == carries_marketing(stored.bodies)
    assert sum(carries_marketing(refilled.bodies)) == 1
    assert refilled.bodies[0]["leadSourceId"] == "LS2"
    if before == "lead":
        assert refilled.bodies[-1]["assignedToId"] == "U2"


def test_without_the_table_of_leads_the_lead_goes_as_it_was_accepted() -> None:
    stored, submission = accepted(configured("lead", "LS1"))
    refilled = stored.refilled(submission, Defaults(InterestDefaults(lead_source_id="LS2")), range(3))
    assert carries_marketing(refilled.bodies) == [False, False, True]
    assert refilled.bodies[-1] == stored.bodies[-1]


def test_steps_that_were_sent_stay_unchanged() -> None:
    stored, submission = accepted(configured("lead", "LS1"))
    refilled = stored.refilled(submission, configured("lead", "LS2", "U2"), [2])
    assert refilled.bodies[:2] == stored.bodies[:2]
    assert (refilled.bodies[2]["leadSourceId"], refilled.bodies[2]["assignedToId"]) == ("LS2", "U2")
