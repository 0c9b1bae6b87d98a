"""Request bodies: no value of any member causes an error on our side."""

import json
import time
from typing import Any

import pytest

from tests.acceptance.bodies import (
    JSON,
    SITE,
    booking,
    faults_of,
    fields,
    final_price,
    final_price_path,
    interest,
    interest_path,
    key,
    valuation,
    valuation_path,
    viewing_path,
    with_member,
)
from tests.acceptance.running_service import RunningService
from tests.acceptance.single_member import BOOKING_MEMBERS, FINAL_PRICE_MEMBERS, INTEREST_MEMBERS, VALUATION_MEMBERS

ODD_VALUES: list[Any] = [
    [],
    [[]],
    {"x": 1},
    [None],
    1.5,
    -1,
    10**400,
    -(10**400),
    1e308,
    "\u0000",
    "a\u0000b",
    "9" * 5000,
    "\U0001f600" * 1000,
    [{"name": "a"}],
    [1, "x", {}],
    {"": {"": {}}},
]


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: repr(value)[:20])
def test_no_value_of_any_member_causes_a_500_or_is_left_to_vitec_to_refuse(service: RunningService, value: Any) -> None:
    for make, body, names in (
        (interest_path, interest(), INTEREST_MEMBERS),
        (viewing_path, booking(), BOOKING_MEMBERS),
        (valuation_path, valuation(), VALUATION_MEMBERS),
        (final_price_path, final_price(), FINAL_PRICE_MEMBERS),
    ):
        for name in names:
            path = make()
            content = json.dumps(with_member(body, name, value))
            answer = service.client.post(path, content=content, headers=key() | JSON)
            if answer.status_code != 200:
                assert faults_of(answer), name
            else:
                assert b"\\u0000" not in json.dumps(service.delivered(path).body).encode(), name


@pytest.mark.parametrize("digits", [4300, 6000])
def test_an_integer_with_thousands_of_digits_is_a_validation_error(service: RunningService, digits: int) -> None:
    for name in ("status", "presentAccommodation.price", "presentAccommodation.estateType"):
        body = json.dumps(with_member(interest(), name, 0)).replace(": 0", ": " + "9" * digits)
        assert faults_of(service.client.post(interest_path(), content=body, headers=key() | JSON))


@pytest.mark.parametrize("number", ["1e300000", "1E+300000", "9" * 30000, "-1e-300000", "1" + " 000" * 10000])
def test_a_number_with_a_huge_exponent_costs_no_time(service: RunningService, number: str) -> None:
    for path, name in ((interest_path(), "presentAccommodation.price"), (viewing_path(), "reminderTime")):
        began = time.process_time()  # of the service too: it runs in this process
        typed = fields(interest() if "." in name else booking()) | {name: number}
        assert service.client.post(path, data=typed, headers=SITE).status_code in {303, 400}
        assert time.process_time() - began < 1


@pytest.mark.parametrize("value", ["true", 1, 0, "on", "", [], {}, "false"], ids=lambda value: json.dumps(value))
def test_in_json_only_true_is_a_consent(service: RunningService, value: Any) -> None:
    faults = service.faults(interest_path(), interest(consent=value), SITE)
    assert "consent" in faults


def test_a_member_given_twice_in_json_causes_no_500(service: RunningService) -> None:
    body = json.dumps(interest())[:-1] + ', "firstName": "Bea", "address": {"city": "A"}, "address": {"city": "B"}}'
    answer = service.client.post(interest_path(), content=body, headers=key() | JSON)
    assert answer.status_code in {200, 400}
