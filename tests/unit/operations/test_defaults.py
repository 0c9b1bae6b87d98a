"""The configuration completes what the visitor did not send, and limits what a visitor may request."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from app.domain.fields import ReadContext
from app.domain.marketing import Marketing
from app.domain.submission import Operation
from app.operations.final_price import FinalPrice, FinalPriceDefaults
from app.operations.interest import Interest, InterestDefaults
from app.operations.planning import Defaults, DeliveryRequest, SubmissionContext
from app.operations.registry import plan
from app.operations.valuation import Valuation, ValuationDefaults
from app.operations.viewing import ViewingBooking, ViewingDefaults
from app.operations.viewing_attend import ViewingAttendance
from app.sandbox import schemas

PERSON: dict[str, Any] = {"firstName": "Anna", "lastName": "Å"}
REACHABLE = PERSON | {"email": {"emailAddress": "anna@example.se"}}
CONSENTED_AT = datetime(2026, 6, 1, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
NOTHING = Marketing()
TAGS = Marketing(tags=(("utm_source", "google"),))
VISITOR = SubmissionContext(with_key=False, consented_at=None, marketing=NOTHING)
CALLER = replace(VISITOR, with_key=True)
IN_JSON = ReadContext(form=False, now=datetime(2026, 6, 1, 12, tzinfo=UTC))


def interest(
    context: SubmissionContext = VISITOR, defaults: InterestDefaults | None = None, **members: Any
) -> dict[str, Any]:
    application = Interest.model_validate(PERSON | members, context=IN_JSON)
    request = DeliveryRequest("M12345", Operation.INTEREST, ("OBJ1",), application, context)
    return dict(plan(request, Defaults(*([defaults] if defaults else [])))[0].body)


def viewing(
    context: SubmissionContext = VISITOR, defaults: ViewingDefaults | None = None, person: Any = None, **members: Any
) -> dict[str, Any]:
    whole = {"updatePerson": PERSON | (person or {}), **members}
    application = ViewingBooking.model_validate(whole, context=IN_JSON)
    request = DeliveryRequest("M12345", Operation.VIEWING, ("VIS1", "SLOT1"), application, context)
    return dict(plan(request, Defaults(*([defaults] if defaults else [])))[0].body)


def attendance(context: SubmissionContext, **members: Any) -> dict[str, Any]:
    application = ViewingAttendance.model_validate(PERSON | {"timeSlotId": "SLOT1"} | members, context=IN_JSON)
    request = DeliveryRequest("M12345", Operation.VIEWING, ("OBJ1",), application, context)
    return dict(plan(request, Defaults())[0].body)


def test_an_interest_gets_its_sources_and_status_from_the_configuration() -> None:
    defaults = InterestDefaults(lead_source_id="LS1", assignment_source_id="AS1", status="VeryInterested")
    assert interest(defaults=defaults) == PERSON | {
        "leadSourceId": "LS1",
        "assignmentSourceId": "AS1",
        "status": "VeryInterested",
    }


def test_values_that_are_neither_sent_nor_configured_are_left_to_vitec() -> None:
    assert interest() == PERSON | {"status": "Interested"}


def test_a_callers_values_with_a_key_win() -> None:
    defaults = InterestDefaults(lead_source_id="LS1", assignment_source_id="AS1", status="VeryInterested")
    members: dict[str, Any] = {"leadSourceId": "LS2", "assignmentSourceId": "AS2", "status": "NotInterested"}
    assert interest(CALLER, defaults, **members) == PERSON | members


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        ("Interested", "Interested"),
        ("VeryInterested", "VeryInterested"),
        ("Assigned", "Interested"),
        ("NotInterested", "Interested"),
    ],
)
def test_a_visitor_is_interested_or_very_interested(status: str, sent: str) -> None:
    assert interest(VISITOR, status=status)["status"] == sent


def test_a_ticked_consent_sets_the_time_of_approval() -> None:
    context = replace(VISITOR, consented_at=CONSENTED_AT)
    assert interest(context)["gdprApprovalDate"] == "2026-06-01T14:00:00+02:00"
    assert viewing(context)["updatePerson"]["gdprApprovalDate"] == "2026-06-01T14:00:00+02:00"


def test_a_submitted_time_of_approval_is_kept() -> None:
    context = replace(VISITOR, consented_at=CONSENTED_AT)
    approval: dict[str, Any] = {"gdprApprovalDate": "2026-05-01T10:00:00+02:00"}
    assert interest(context, **approval)["gdprApprovalDate"] == approval["gdprApprovalDate"]
    assert viewing(context, person=approval)["updatePerson"]["gdprApprovalDate"] == approval["gdprApprovalDate"]


@pytest.mark.parametrize(
    ("marketing", "sent"), [(NOTHING, None), (TAGS, {"utmTags": [{"name": "utm_source", "value": "google"}]})]
)
def test_the_marketing_goes_inline_in_an_interest(marketing: Marketing, sent: Any) -> None:
    body = interest(replace(VISITOR, marketing=marketing), marketing={"referrer": "untidied"})
    assert body.get("marketing") == sent


def test_a_booking_never_carries_marketing() -> None:
    body = viewing(replace(VISITOR, marketing=TAGS), marketing={"referrer": "https://a.se/"})
    assert "marketing" not in body


def test_a_booking_is_filled_in_from_the_configuration() -> None:
    defaults = ViewingDefaults(
        lead_source_id="LS1",
        reminder_minutes=120,
        sms_reminder=True,
        mail_confirmation=False,
        sms_confirmation=True,
        validate_deadline=False,
        validate_booking_limit=True,
    )
    assert viewing(defaults=defaults) == {
        "updatePerson": PERSON | {"customerId": "M12345", "obtainThrough": "Interest"},
        "participated": False,
        "reminderTime": 120,
        "smsReminder": True,
        "mailConfirmation": False,
        "smsConfirmation": True,
        "leadSourceId": "LS1",
        "options": {"isDeadlineValidationEnabled": False, "enableBookingLimitValidation": True},
    }


OFFERED = {
    "smsReminder": "sms_reminder",
    "mailConfirmation": "mail_confirmation",
    "smsConfirmation": "sms_confirmation",
}


def offering(member: str, offered: bool) -> ViewingDefaults:
    changed: dict[str, Any] = {OFFERED[member]: offered}
    return ViewingDefaults(**changed)


@pytest.mark.parametrize("member", OFFERED)
@pytest.mark.parametrize(
    ("offered", "ordered", "sent"),
    [
        (True, True, True),
        (True, False, False),
        (True, None, True),
        (False, True, False),
        (False, False, False),
        (False, None, False),
    ],
)
def test_a_visitor_may_decline_offered_options_and_never_request_others(
    member: str, offered: bool, ordered: bool | None, sent: bool
) -> None:
    defaults = offering(member, offered)
    assert viewing(VISITOR, defaults, **{member: ordered})[member] is sent


@pytest.mark.parametrize("member", OFFERED)
@pytest.mark.parametrize("ordered", [True, False])
def test_a_caller_with_a_key_may_request_any_option(member: str, ordered: bool) -> None:
    defaults = offering(member, not ordered)
    assert viewing(CALLER, defaults, **{member: ordered})[member] is ordered


@pytest.mark.parametrize(("offered", "sent"), [(True, 15), (False, 60)])
def test_a_visitor_chooses_when_to_be_reminded_where_reminders_are_offered(offered: bool, sent: int) -> None:
    assert viewing(VISITOR, ViewingDefaults(sms_reminder=offered), reminderTime=15)["reminderTime"] == sent


def test_a_callers_options_are_completed_by_the_configuration() -> None:
    body = viewing(CALLER, options={"isDeadlineValidationEnabled": False}, participated=True, leadSourceId="LS2")
    assert body["options"] == {"isDeadlineValidationEnabled": False, "enableBookingLimitValidation": True}
    assert (body["participated"], body["leadSourceId"]) == (True, "LS2")


def test_the_customer_id_of_a_booking_is_always_the_paths() -> None:
    assert viewing(CALLER, person={"customerId": "M1"})["updatePerson"]["customerId"] == "M12345"


def test_how_the_contact_was_obtained_is_a_web_form_unless_a_caller_says_otherwise() -> None:
    assert viewing()["updatePerson"]["obtainThrough"] == "Interest"
    assert viewing(CALLER, person={"obtainThrough": "Phone"})["updatePerson"]["obtainThrough"] == "Phone"


def test_the_completed_bodies_are_accepted_by_vitec() -> None:
    context = replace(VISITOR, consented_at=CONSENTED_AT, marketing=TAGS)
    schemas.AdvertisingInterestApplication.model_validate(interest(context, email=REACHABLE["email"]))
    schemas.AddNewViewingParticipant.model_validate(viewing(context, person={"email": REACHABLE["email"]}))


def valuation(
    context: SubmissionContext = VISITOR, defaults: ValuationDefaults | None = None, **members: Any
) -> dict[str, Any]:
    application = Valuation.model_validate(PERSON | members, context=IN_JSON)
    request = DeliveryRequest("M12345", Operation.VALUATION, (), application, context)
    return dict(plan(request, Defaults(*([defaults] if defaults else [])))[0].body)


def final_price(
    context: SubmissionContext = VISITOR, defaults: FinalPriceDefaults | None = None, **members: Any
) -> dict[str, Any]:
    application = FinalPrice.model_validate({"person": PERSON, **members}, context=IN_JSON)
    request = DeliveryRequest("M12345", Operation.FINAL_PRICE, ("OBJ1",), application, context)
    return dict(plan(request, Defaults(*([defaults] if defaults else [])))[0].body)


def test_a_valuation_gets_its_sources_and_its_receiver_from_the_configuration() -> None:
    defaults = ValuationDefaults(lead_source_id="LS1", assignment_source_id="AS1", receiver_user_id="U1")
    assert valuation(defaults=defaults, lead={"message": "Hej"}) == PERSON | {
        "lead": {"leadSourceId": "LS1", "assignmentSourceId": "AS1", "message": "Hej"},
        "receiver": {"userId": "U1"},
    }
    assert valuation() == PERSON


def test_a_callers_values_of_a_valuation_with_a_key_win_and_the_rest_is_configured() -> None:
    defaults = ValuationDefaults(lead_source_id="LS1", assignment_source_id="AS1", receiver_user_id="U1")
    members = {"lead": {"leadSourceId": "LS2"}, "receiver": {"userId": "U2"}, "gdpr": {"hasApproved": False}}
    assert valuation(CALLER, defaults, **members) == PERSON | members | {
        "lead": {"leadSourceId": "LS2", "assignmentSourceId": "AS1"}
    }


@pytest.mark.parametrize("members", [{}, {"gdpr": {}}, {"gdpr": {"hasApproved": None}}], ids=str)
def test_a_ticked_consent_is_sent_with_a_valuation_and_a_booking_by_home(members: dict[str, Any]) -> None:
    context = replace(VISITOR, consented_at=CONSENTED_AT)
    assert valuation(context, **members)["gdpr"] == {"hasApproved": True}
    assert attendance(context, **members)["gdpr"] == {"hasApproved": True}


def test_a_final_price_gets_its_source_and_status_from_the_configuration() -> None:
    assert final_price() == {"person": PERSON, "prospectiveBuyerStatus": "Interested"}
    defaults = FinalPriceDefaults(lead_source_id="LS1", status="Assigned")
    assert final_price(defaults=defaults) == {
        "person": PERSON,
        "leadSourceId": "LS1",
        "prospectiveBuyerStatus": "Assigned",
    }
    members = {"leadSourceId": "LS2", "prospectiveBuyerStatus": "NotInterested"}
    assert final_price(CALLER, defaults, **members) == {"person": PERSON} | members
