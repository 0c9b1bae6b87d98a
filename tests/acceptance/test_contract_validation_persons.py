"""Validation of personnummer and postcodes."""

import pytest

from tests.acceptance.bodies import (
    FULL,
    SITE,
    booking,
    fields,
    interest,
    interest_path,
    member,
    viewing_path,
    with_member,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService
from tests.acceptance.single_member import accepted, at, refused

BOTH_NUMBERS = ["socialSecurityNumber", "updatePerson.socialSecurityNumber"]


@pytest.mark.parametrize("name", BOTH_NUMBERS)
@pytest.mark.parametrize(
    "number",
    [
        "811228-9874",
        "8112289874",
        "19811228-9874",
        "198112289874",
        "191212121212",
        "121212+1212",
        "701063-2391",  # samordningsnummer
        "197010632391",
    ],
)
def test_a_personnummer_or_samordningsnummer_with_the_right_check_digit_is_taken(
    service: RunningService, name: str, number: str
) -> None:
    assert (
        str(accepted(service, name, number)).replace("-", "").replace("+", "")[-10:]
        == "".join(c for c in number if c.isdigit())[-10:]
    )


@pytest.mark.parametrize("name", BOTH_NUMBERS)
@pytest.mark.parametrize(
    "number",
    [
        "811228-9873",
        "198112289870",
        "701063-2392",
        "811328-9874",
        "810229-0001",
        "811228",
        "811228-987",
        "811228-98744",
        "0000000000",
        "abcdef-ghij",
    ],
)
def test_another_number_is_refused_unless_it_is_marked_as_foreign(
    service: RunningService, name: str, number: str
) -> None:
    refused(service, name, number)
    marker = name.replace("socialSecurityNumber", "isForeignSocialSecurityNumber")
    path, body = at(name, number)
    assert set(service.faults(path, with_member(body, marker, False))) == {name}
    assert member(service.sent(path, with_member(body, marker, True)), name) == number


def test_a_personnummer_is_judged_in_a_form_too(service: RunningService) -> None:
    for make, body in ((interest_path, fields(interest())), (viewing_path, fields(booking()))):
        answer = service.client.post(make(FULL), data=body | {"socialSecurityNumber": "811228-9873"}, headers=SITE)
        assert answer.status_code == 400
        assert "socialSecurityNumber" in page_of(answer).faulty


@pytest.mark.parametrize("name", ["address.zipCode", "updatePerson.address.zipCode"])
@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("12345", "123 45"),
        ("123 45", "123 45"),
        (" 12345 ", "123 45"),
        ("1234", "1234"),
        ("0150", "0150"),
        ("123456", "123456"),
        ("SE-123 45", "SE-123 45"),
        ("SW1A 1AA", "SW1A 1AA"),
        ("12-345", "12-345"),
        ("D-10115", "D-10115"),
    ],
)
def test_five_digits_as_postcode_get_their_space_and_anything_else_goes_as_typed(
    service: RunningService, name: str, typed: str, sent: str
) -> None:
    assert accepted(service, name, typed) == sent
