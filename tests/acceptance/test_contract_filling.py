"""What the configuration fills in, and what a caller may set with and without an API key."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.answers import EACH
from tests.acceptance.bodies import (
    CUSTOMER,
    FULL,
    PLAIN,
    SITE,
    Members,
    booking,
    faults_of,
    fields,
    final_price_path,
    interest,
    interest_path,
    key,
    member,
    viewing_path,
    with_member,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService
from tests.servers import eventually

ANNA = {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}}
PERSONNUMMER = "811228-9874"


def is_now(text: str) -> bool:
    """Whether it is a datetime with offset, at most half a minute ago."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo
    return timedelta(seconds=-2) < datetime.now(UTC) - moment < timedelta(seconds=30)


def test_an_interest_is_filled_in_by_the_configuration(service: RunningService) -> None:
    body = service.published(interest_path(FULL), interest(consent=None))
    assert body == ANNA | {"leadSourceId": "LS1", "assignmentSourceId": "AS1", "status": "VeryInterested"}


def test_an_interest_without_configuration_has_the_submitted_values_the_default_status_and_the_time_of_consent(
    service: RunningService,
) -> None:
    body = service.published(interest_path(), interest())
    assert is_now(body.pop("gdprApprovalDate"))
    assert body == ANNA | {"status": "Interested"}


def test_a_booking_is_filled_in_by_the_configuration(service: RunningService) -> None:
    body = service.published(viewing_path(FULL), booking(consent=None))
    assert body == {
        "updatePerson": ANNA | {"customerId": FULL, "obtainThrough": "Interest"},
        "participated": False,
        "reminderTime": 90,
        "smsReminder": False,
        "mailConfirmation": False,
        "smsConfirmation": True,
        "leadSourceId": "LS2",
        "options": {"isDeadlineValidationEnabled": False, "enableBookingLimitValidation": False},
    }


def test_a_booking_without_configuration_has_the_contracts_defaults(service: RunningService) -> None:
    body = service.published(viewing_path(), booking())
    assert is_now(body["updatePerson"].pop("gdprApprovalDate"))
    assert body == {
        "updatePerson": ANNA | {"customerId": CUSTOMER, "obtainThrough": "Interest"},
        "participated": False,
        "reminderTime": 60,
        "smsReminder": True,
        "mailConfirmation": True,
        "smsConfirmation": False,
        "options": {"isDeadlineValidationEnabled": True, "enableBookingLimitValidation": True},
    }


def test_the_form_as_it_is_served_books_with_the_configured_ticks(service: RunningService) -> None:
    path = viewing_path()
    typed = fields({k: v for k, v in booking().items() if k != "consent"}) | {"consent": "true"}
    assert service.page(path).submit(service.client, typed, **SITE).status_code == 303
    body = service.delivered(path).body
    assert (body["smsReminder"], body["mailConfirmation"], body["smsConfirmation"]) == (True, True, False)


def test_a_tick_that_the_visitor_removed_is_sent_as_false(service: RunningService) -> None:
    path = viewing_path()
    page = service.page(path)
    del page.values["smsReminder"]
    assert page.submit(service.client, fields(booking()), **SITE).status_code == 303
    body = service.delivered(path).body
    assert (body["smsReminder"], body["mailConfirmation"]) == (False, True)


# What a caller without a key may set, each with what Vitec gets.
OPEN_INTEREST: Members = {
    "firstName": "Anna",
    "lastName": "Ek",
    "address": {"streetAddress": "Storgatan 1", "zipCode": "123 45", "city": "Ort"},
    "email": {"emailAddress": "anna@example.se", "emailAddress2": "ek@example.se"},
    "telephone": {
        "home": "+46812345678",
        "work": "+46812345679",
        "cell": "+46701740605",
        "other": "+46701740606",
    },
    "gdprApprovalDate": "2024-05-01T10:00:00+02:00",
    "presentAccommodation": {
        "estateType": "Tenancy",
        "livingSpace": 50.5,
        "numberOfRooms": 2,
        "price": 0,
        "other": "Balkong",
        "coordinate": {"longitud": 18.06, "latitud": 59.33},
    },
    "contactMessage": "Hej",
    "status": "VeryInterested",
}
OPEN_PERSON: Members = {
    "firstName": "Anna",
    "lastName": "Ek",
    "address": {"streetAddress": "Storgata 1", "zipCode": "0150", "city": "Oslo", "countryCode": "NO"},
    "email": {"emailAddress": "anna@example.se", "emailAddress2": "ek@example.se"},
    "telePhone": "+46812345678",
    "workPhone": "+46812345679",
    "cellPhone": "+46701740605",
    "otherPhone": "+46701740606",
    "gdprApprovalDate": "2024-05-01T10:00:00+02:00",
}
# What Vitec knows and only a caller with a key may set.
CLOSED_INTEREST: Members = {"leadSourceId": "MINE", "assignmentSourceId": "MINE2"}
CLOSED_PERSON: Members = {
    "contactId": "C1",
    "categoryIds": ["K1", "K2"],
    "userId": "U1",
    "wishAdvertising": True,
    "note": "Anteckning",
    "coordinate": {"longitud": 18.06, "latitud": 59.33},
    "task": {"predefinedTaskId": "T1", "note": "Ring", "estateId": "OBJ1", "assignedTo": "U1"},
    "customField": {"name": "Skor", "value": "42"},
    "approval": True,
    "approvalDate": "2024-05-01T10:00:00+02:00",
    "obtainThrough": "Phone",
    "leadScore": 7,
}
CLOSED_BOOKING: Members = {
    "participated": True,
    "returnBookingId": True,
    "leadSourceId": "MINE",
    "options": {"isDeadlineValidationEnabled": False, "enableBookingLimitValidation": False},
}


def without_contact(person: Members) -> Members:
    return {name: value for name, value in person.items() if name != "contactId"}


def test_what_a_caller_without_a_key_may_set_on_an_interest_gets_through(service: RunningService) -> None:
    body = service.published(interest_path(), OPEN_INTEREST)
    assert body == OPEN_INTEREST


def test_what_a_caller_without_a_key_may_set_on_a_booking_gets_through(service: RunningService) -> None:
    sent = {"reminderTime": 30, "smsReminder": False, "mailConfirmation": False, "contactMessage": "Hej"}
    body = service.published(viewing_path(), {"updatePerson": OPEN_PERSON} | sent)
    assert body == sent | {
        "updatePerson": OPEN_PERSON | {"customerId": CUSTOMER, "obtainThrough": "Interest"},
        "participated": False,
        "smsConfirmation": False,
        "options": {"isDeadlineValidationEnabled": True, "enableBookingLimitValidation": True},
    }


def test_an_interests_other_members_are_ignored_without_a_key_and_never_sent(service: RunningService) -> None:
    assert service.published(interest_path(FULL), interest(**CLOSED_INTEREST, consent=None)) == ANNA | {
        "leadSourceId": "LS1",
        "assignmentSourceId": "AS1",
        "status": "VeryInterested",
    }
    body = service.published(interest_path(), interest(**CLOSED_INTEREST))
    assert not set(CLOSED_INTEREST) & set(body)
    body = service.submitted(interest_path(), fields(interest()) | fields(CLOSED_INTEREST))
    assert not set(CLOSED_INTEREST) & set(body)


def test_a_bookings_other_members_are_ignored_without_a_key_and_never_sent(service: RunningService) -> None:
    plain = service.published(viewing_path(FULL), booking(consent=None))
    full = booking(CLOSED_PERSON, **CLOSED_BOOKING, consent=None)
    assert service.published(viewing_path(FULL), full) == plain
    typed = fields(full | {"updatePerson": full["updatePerson"] | {"categoryIds": "K1"}})
    assert service.submitted(viewing_path(FULL), typed) == plain
    prefixed = {f"updatePerson.{name}": value for name, value in typed.items()}
    assert service.submitted(viewing_path(FULL), typed | prefixed) == plain


@pytest.mark.parametrize("name", [f"updatePerson.{name}" for name in CLOSED_PERSON] + list(CLOSED_BOOKING))
@pytest.mark.parametrize("junk", ["nonsense" * 10, 5, [], {"fax": 1}], ids=repr)
def test_ignored_members_are_not_validated_either(service: RunningService, name: str, junk: Any) -> None:
    body = service.published(viewing_path(FULL), with_member(booking(consent=None), name, junk))
    assert body["updatePerson"] == ANNA | {"customerId": FULL, "obtainThrough": "Interest"}


@pytest.mark.parametrize("status", ["Assigned", "NotInterested", 2, 3])
def test_without_a_key_no_other_status_than_the_two_is_sent(service: RunningService, status: str | int) -> None:
    path = interest_path()
    service.client.post(path, json=interest(status=status), headers=SITE)
    path_of_form = interest_path()
    service.client.post(path_of_form, data=fields(interest(status=status)), headers=SITE)
    assert service.nothing_at("/none")
    for call in service.received(path) + service.received(path_of_form):
        assert call.body["status"] == "Interested"


@pytest.mark.parametrize("status", ["Interested", "VeryInterested"])
def test_without_a_key_either_status_may_be_sent(service: RunningService, status: str) -> None:
    assert service.published(interest_path(FULL), interest(status=status, consent=None))["status"] == status
    assert service.submitted(interest_path(), fields(interest(status=status)))["status"] == status


def test_a_visitor_cannot_request_reminders_and_confirmations_that_the_configuration_does_not_allow(
    service: RunningService,
) -> None:
    wanted: Members = {"smsReminder": True, "mailConfirmation": True, "smsConfirmation": True}
    full = service.published(viewing_path(FULL), booking(**wanted, consent=None))
    assert (full["smsReminder"], full["mailConfirmation"], full["smsConfirmation"]) == (False, False, True)
    plain = service.submitted(viewing_path(), fields(booking(**wanted)))
    assert (plain["smsReminder"], plain["mailConfirmation"], plain["smsConfirmation"]) == (True, True, False)


def test_with_a_key_the_callers_members_win_over_the_configuration(service: RunningService) -> None:
    sent = OPEN_INTEREST | CLOSED_INTEREST | {"status": "NotInterested"}
    assert service.sent(interest_path(FULL), sent) == sent


def test_with_a_key_every_member_of_a_booking_gets_through(service: RunningService) -> None:
    person = OPEN_PERSON | without_contact(CLOSED_PERSON)
    sent = CLOSED_BOOKING | {
        "reminderTime": 15,
        "smsReminder": True,
        "mailConfirmation": True,
        "smsConfirmation": False,
        "contactMessage": "Hej",
    }
    assert service.sent(viewing_path(FULL), sent | {"updatePerson": person}) == sent | {
        "updatePerson": person | {"customerId": FULL}
    }


def test_with_a_key_a_contact_id_goes_to_vitec(service: RunningService) -> None:
    path = viewing_path()
    service.client.post(path, json=booking({"contactId": "C77"}), headers=key() | {"Prefer": "respond-async"})
    assert eventually(lambda: service.received(path))[0].body["updatePerson"]["contactId"] == "C77"


def test_with_a_key_some_options_may_be_sent_and_the_rest_come_from_the_configuration(service: RunningService) -> None:
    body = service.sent(viewing_path(), booking(options={"enableBookingLimitValidation": False}))
    assert body["options"] == {"isDeadlineValidationEnabled": True, "enableBookingLimitValidation": False}


def test_with_a_key_a_form_may_set_the_same_as_json(service: RunningService) -> None:
    path = interest_path()
    posted = fields(interest(**CLOSED_INTEREST, status="Assigned"))
    assert service.client.post(path, data=posted, headers=key()).status_code == 303
    body = service.delivered(path).body
    assert (body["leadSourceId"], body["status"]) == ("MINE", "Assigned")


@pytest.mark.parametrize("headers", [SITE, key()])
@pytest.mark.parametrize("other", [PLAIN, "M99999", CUSTOMER.lower(), "x" * 41, 12345])
def test_another_customer_id_than_the_paths_is_400(
    service: RunningService, headers: dict[str, str], other: Any
) -> None:
    path = viewing_path()
    faults = service.faults(path, booking({"customerId": other}), headers)
    assert "updatePerson.customerId" in faults
    answer = service.client.post(path, data=fields(booking({"customerId": other})), headers=headers)
    assert answer.status_code == 400
    assert page_of(answer).alert.strip()
    assert service.nothing_at(path)


@pytest.mark.parametrize("headers", [SITE, key()])
def test_the_paths_customer_id_may_be_repeated_in_the_body_and_is_always_sent(
    service: RunningService, headers: dict[str, str]
) -> None:
    for body in (booking({"customerId": CUSTOMER}), booking()):
        path = viewing_path()
        assert service.client.post(path, json=body, headers=headers).status_code == 200
        assert service.delivered(path).body["updatePerson"]["customerId"] == CUSTOMER


PREFIXES: dict[Any, str] = {interest_path: "", viewing_path: "updatePerson.", final_price_path: "person."}
BOTH = pytest.mark.parametrize(("make", "body"), [(interest_path, interest()), (viewing_path, booking())])


@EACH
def test_consent_is_required_without_a_key_when_there_is_a_privacy_page(
    service: RunningService, make: Callable[..., str], body: Members
) -> None:
    silent = {name: value for name, value in body.items() if name != "consent"}
    for members in (silent, silent | {"consent": False}):
        assert set(service.faults(make(), members, SITE)) == {"consent"}
        answer = service.client.post(make(), data=fields(members), headers=SITE)
        assert answer.status_code == 400
        page = page_of(answer)
        assert page.faulty == {"consent"}
        assert "#consent" in page.links


@BOTH
@pytest.mark.parametrize("tick", ["on", "true", "1"])
def test_a_ticked_consent_is_enough_and_its_time_is_sent(
    service: RunningService, make: Callable[..., str], body: Members, tick: str
) -> None:
    sent = service.submitted(make(), fields(body) | {"consent": tick})
    assert is_now(member(sent, "gdprApprovalDate") or member(sent, "updatePerson.gdprApprovalDate"))


@BOTH
def test_in_json_a_gdpr_approval_date_is_a_consent_too_and_is_sent_unchanged(
    service: RunningService, make: Callable[..., str], body: Members
) -> None:
    silent = {name: value for name, value in body.items() if name != "consent"}
    name = "gdprApprovalDate" if make is interest_path else "updatePerson.gdprApprovalDate"
    sent = service.published(make(), with_member(silent, name, "2024-05-01T10:00:00+02:00"))
    assert member(sent, name) == "2024-05-01T10:00:00+02:00"


@BOTH
def test_in_a_form_a_gdpr_approval_date_is_no_ticked_consent(
    service: RunningService, make: Callable[..., str], body: Members
) -> None:
    silent = {name: value for name, value in body.items() if name != "consent"}
    typed = fields(silent) | {"gdprApprovalDate": "2024-05-01T10:00:00+02:00"}
    assert service.client.post(make(), data=typed, headers=SITE).status_code == 400


@EACH
def test_with_a_key_asking_is_the_callers_duty(
    service: RunningService, make: Callable[..., str], body: Members
) -> None:
    silent = {name: value for name, value in body.items() if name != "consent"}
    sent = service.sent(make(), silent)
    assert member(sent, "gdprApprovalDate") is None
    assert member(sent, "updatePerson.gdprApprovalDate") is None


@BOTH
def test_without_a_privacy_page_no_consent_is_required(
    service: RunningService, make: Callable[..., str], body: Members
) -> None:
    silent = {name: value for name, value in body.items() if name != "consent"}
    assert service.published(make(PLAIN), silent)
    assert service.submitted(make(PLAIN), fields(silent))


@EACH
def test_a_personnummer_that_is_not_collected_never_reaches_vitec(
    service: RunningService, make: Callable[..., str], body: Members
) -> None:
    prefix = PREFIXES[make]
    with_number = with_member(body, f"{prefix}socialSecurityNumber", PERSONNUMMER)
    path = make()
    assert f"{prefix}socialSecurityNumber" in service.faults(path, with_number, SITE)
    assert service.nothing_at(path)
    foreign = with_member(with_number, f"{prefix}isForeignSocialSecurityNumber", True)
    sent = service.submitted(make(), fields(foreign))
    assert "socialsecuritynumber" not in str(sent).lower()


@EACH
def test_a_personnummer_that_is_collected_or_sent_with_a_key_reaches_vitec(
    service: RunningService, make: Callable[..., str], body: Members
) -> None:
    name = f"{PREFIXES[make]}socialSecurityNumber"
    with_number = with_member(body, name, PERSONNUMMER)
    for sent in (
        service.published(make(FULL), with_number),
        service.submitted(make(FULL), fields(with_number)),
        service.sent(make(), with_number),
    ):
        assert str(member(sent, name)).replace("-", "").endswith("8112289874")


def test_the_form_asks_for_a_personnummer_only_where_it_is_collected(service: RunningService) -> None:
    for make in (interest_path, viewing_path, final_price_path):
        assert "socialSecurityNumber" in service.page(make(FULL)).values
        assert "socialSecurityNumber" not in service.page(make()).values


def test_null_in_json_counts_as_absent(service: RunningService) -> None:
    body = interest(address=None, telephone={"cell": None}, status=None, leadSourceId=None)
    sent = service.sent(interest_path(FULL), body)
    assert sent["leadSourceId"] == "LS1"
    assert sent["status"] == "VeryInterested"
    assert faults_of(service.client.post(interest_path(), json=interest(firstName=None), headers=key()))
