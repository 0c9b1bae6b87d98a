"""Validation: all errors of a submission are reported at once."""

from typing import Any

import pytest

from tests.acceptance.bodies import SITE, Members, interest_path, key, viewing_path
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService


@pytest.mark.parametrize("caller", [SITE, key()])
def test_all_errors_of_an_interest_are_reported_at_once(service: RunningService, caller: dict[str, str]) -> None:
    body = {
        "firstName": "",
        "lastName": "x" * 31,
        "address": {"streetAddress": "x" * 69, "zipCode": "x" * 16, "city": "x" * 26},
        "telephone": {"home": "1", "cell": "2", "fax": "3"},
        "email": {"emailAddress": "x", "emailAddress2": "y"},
        "gdprApprovalDate": "z",
        "presentAccommodation": {"estateType": "z", "livingSpace": -1, "coordinate": {"longitud": 181}},
        "status": "z",
        "contactMessage": 5,
        "fax": "1",
    }
    assert set(service.faults(interest_path(), body, caller)) == {
        "firstName",
        "lastName",
        "address.streetAddress",
        "address.zipCode",
        "address.city",
        "telephone.home",
        "telephone.cell",
        "telephone.fax",
        "email.emailAddress",
        "email.emailAddress2",
        "gdprApprovalDate",
        "presentAccommodation.estateType",
        "presentAccommodation.livingSpace",
        "presentAccommodation.coordinate.longitud",
        "status",
        "contactMessage",
        "fax",
    }


def test_all_errors_of_a_booking_are_reported_at_once(service: RunningService) -> None:
    person = {
        "customerId": "M99999",
        "lastName": "x" * 31,
        "address": {"countryCode": "XX"},
        "email": {"emailAddress2": "y"},
        "otherPhone": "1",
        "fax": "1",
    }
    faults = set(service.faults(viewing_path(), {"updatePerson": person, "reminderTime": -1, "smsReminder": "x"}, SITE))
    assert faults >= {
        "updatePerson.customerId",
        "updatePerson.firstName",
        "updatePerson.lastName",
        "updatePerson.address.countryCode",
        "updatePerson.email.emailAddress2",
        "updatePerson.otherPhone",
        "updatePerson.fax",
        "reminderTime",
        "smsReminder",
        "consent",
    }
    assert faults & {"updatePerson.email.emailAddress", "updatePerson.email", "updatePerson.cellPhone"}


EVERYTHING_WRONG = {
    "firstName": "",
    "lastName": "x" * 31,
    "email.emailAddress": "x",
    "address.city": "x" * 26,
}


@pytest.mark.parametrize(("make", "phone"), [(interest_path, "telephone.cell"), (viewing_path, "cellPhone")])
def test_all_errors_of_a_form_are_shown_at_once_each_at_its_field(
    service: RunningService, make: Any, phone: str
) -> None:
    typed = EVERYTHING_WRONG | {phone: "1"}
    answer = service.client.post(make(), data=typed, headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.faulty == {*typed, "consent"}
    for name in page.faulty:
        element_id = name.replace(".", "-")
        assert f"#{element_id}" in page.links
        assert page.messages[f"{element_id}-fault"].strip()
    assert {name: page.values[name] for name in typed} == typed


@pytest.mark.parametrize("make", [interest_path, viewing_path])
@pytest.mark.parametrize("typed", [{}, {"consent": "true"}, {"contactMessage": "Hej"}])
def test_an_empty_form_says_at_each_field_what_is_missing(
    service: RunningService, make: Any, typed: dict[str, str]
) -> None:
    page = page_of(service.client.post(make(), data={"ticks": "1"} | typed, headers=SITE))
    assert {"firstName", "lastName"} <= page.faulty
    assert {"email.emailAddress", "telephone.cell", "cellPhone"} & page.faulty
    assert "updatePerson" not in page.text


def test_the_answer_to_an_empty_json_booking_names_what_is_missing(service: RunningService) -> None:
    missing: list[Members] = [{}, {"updatePerson": {}}, {"updatePerson": None}]
    for body in missing:
        faults = service.faults(viewing_path(), body, SITE)
        assert any(name.startswith("updatePerson") for name in faults)
        assert "consent" in faults
    wrong: list[Any] = ["x", 5, [], True]
    for value in wrong:
        assert "updatePerson" in service.faults(viewing_path(), {"updatePerson": value, "consent": True}, SITE)
