"""What each kind of number takes, what it makes of it, and with which code it refuses."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import numbers
from app.sandbox.schemas import AdvertisingInterestApplication
from tests.unit.domain.field_validation import IN_FORM, read


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("75", 75),
        ("2,5", 2.5),
        ("2.5", 2.5),
        ("1 250 000", 1250000),
        ("1\u00a0250\u00a0000,5", 1250000.5),
        ("0", 0),
        ("-1", ["greater_than_equal"]),
        ("1e40", ["invalid_number"]),
        ("nan", ["invalid_number"]),
        ("inf", ["invalid_number"]),
        ("75 kvm", ["invalid_number"]),
        ("½", ["invalid_number"]),
    ],
)
def test_a_quantity_in_a_form_is_written_the_swedish_way(typed: str, read_as: Any) -> None:
    assert read(numbers.Quantity, typed, IN_FORM) == read_as


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        (75, 75),
        (2.5, 2.5),
        (0, 0),
        (-0.1, ["greater_than_equal"]),
        (79228162514264337593543950335, 79228162514264337593543950335),
        (79228162514264337593543950336, ["too_large"]),
        (7.922816251426433e28, 7.922816251426433e28),
        (7.922816251426434e28, ["too_large"]),
        (float("nan"), ["invalid_number"]),
        (float("inf"), ["invalid_number"]),
        ("75", ["wrong_type"]),
        (True, ["wrong_type"]),
    ],
)
def test_a_quantity_in_json_is_a_number(value: Any, read_as: Any) -> None:
    assert read(numbers.Quantity, value) == read_as


@given(st.floats(0, 2**96, exclude_max=True) | st.integers(0, 2**96 - 1))
@example(7.9228e28)
@example(2**96 - 1)
def test_a_number_of_any_size_is_one_that_vitec_reads(number: float) -> None:
    sent = json.dumps({"presentAccommodation": {"price": read(numbers.Quantity, number)}})
    AdvertisingInterestApplication.model_validate(
        {"firstName": "A", "lastName": "B", "email": {"emailAddress": "a@b.se"}} | json.loads(sent)
    )
    assert json.loads(sent)["presentAccommodation"]["price"] == number


@pytest.mark.parametrize(
    ("kind", "most"), [(numbers.Longitude, 180), (numbers.Latitude, 90)], ids=["longitude", "latitude"]
)
def test_a_coordinate_is_on_the_globe(kind: Any, most: int) -> None:
    assert [read(kind, value) for value in (-most, most)] == [-most, most]
    assert read(kind, -most - 0.001) == ["greater_than_equal"]
    assert read(kind, most + 0.001) == ["less_than_equal"]


@pytest.mark.parametrize(
    ("kind", "value", "read_as"),
    [
        (numbers.Minutes, 0, 0),
        (numbers.Minutes, 60.0, 60),
        (numbers.Minutes, -1, ["greater_than_equal"]),
        (numbers.Minutes, 2**31, ["less_than_equal"]),
        (numbers.Minutes, 1.5, ["invalid_number"]),
        (numbers.Minutes, "60", ["wrong_type"]),
        (numbers.Int32, -(2**31), -(2**31)),
        (numbers.Int32, -(2**31) - 1, ["greater_than_equal"]),
        (numbers.Int32, 2**31 - 1, 2**31 - 1),
        (numbers.Int32, 2**31, ["less_than_equal"]),
    ],
)
def test_a_whole_number_fits_in_32_bits(kind: Any, value: Any, read_as: Any) -> None:
    assert read(kind, value) == read_as
