"""Number fields: the values that each accepts, their result, and the error codes."""

import json
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain import numbers
from app.sandbox.schemas import AdvertisingInterestApplication
from tests.unit.domain.field_validation import IN_FORM, IN_JSON, read


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("75", 75),
        ("2,5", 2.5),
        ("2.5", 2.5),
        ("1 250 000", 1250000),
        ("\u200e1\u200b250\u00ad000", 1250000),
        ("1\u00a0250\u00a0000,5", 1250000.5),
        ("2.500.000", 2500000),
        ("2,500,000.5", 2500000.5),
        ("2'500'000", 2500000),
        ("850,125", 850.125),
        ("\uff17\uff15", 75),
        ("\u0667\u0665", 75),  # Arabic digits
        ("\u06f7\u06f5", 75),  # Persian ones
        ("\u0661\u066c\u0662\u0665\u0660\u066b\u0665", 1250.5),  # with Arabic separators
        ("½", 0.5),
        ("2½", 2.5),
        ("2 ¾", 2.75),
        ("0", 0),
        ("-1", ["greater_than_equal"]),
        ("\u22121", ["greater_than_equal"]),
        ("1e4", ["invalid_number"]),
        ("9" * 40, ["invalid_number"]),
        ("9" * 101, ["invalid_number"]),
        ("nan", ["invalid_number"]),
        ("inf", ["invalid_number"]),
        ("75 kvm", ["invalid_number"]),
        ("70-80", ["invalid_number"]),
        ("70 80", ["invalid_number"]),
        ("1,2,3", ["invalid_number"]),
        ("1.2.3", ["invalid_number"]),
        ("ungefär 70", ["invalid_number"]),
        ("1/2", ["invalid_number"]),
        ("--", ["invalid_number"]),
        ("", ["invalid_number"]),
    ],
)
def test_a_quantity_in_a_form_is_written_as_people_write_numbers(typed: str, read_as: Any) -> None:
    assert read(numbers.Rooms, typed, IN_FORM) == read_as


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("2 500 000 kr", 2500000),
        ("2.500.000", 2500000),
        ("2,500,000", 2500000),
        ("850,000", 850000),
        ("850.000", 850000),
        ("2 500,000", 2500000),
        ("850,00", 850),
        ("0,850", 0.85),
        ("850000,50", 850000.5),
        ("1.250.000,50 kr", 1250000.5),
        ("2 500 000:-", 2500000),
        ("2 500 000,-", 2500000),
        ("2 500 000:\u2013", 2500000),
        ("SEK 850,000", 850000),
        ("kr 850 000", 850000),
        ("850 tkr", 850000),
        ("2,5 mkr", 2500000),
        ("2,5 miljoner kr", 2500000),
        ("2½ miljon", 2500000),
        ("850 000 kr/mån", ["invalid_number"]),
        ("2,5 milj. kr", 2500000),
        ("2,5 mill.", 2500000),
        ("2,5 mio", 2500000),
        ("4.500 tkr", 4500000),
        ("4,5 tkr", 4500),
        ("1,250 mkr", 1250000),
        ("3 000 000,--", 3000000),
        ("3 000 000;-", 3000000),
        ("3.000.000:\u2013 kr", 3000000),
        ("3\t000\u2009000", 3000000),
        ("2  500  000", 2500000),
        ("850'", ["invalid_number"]),  # may be thousands
        ("850\u00b4", ["invalid_number"]),
        ("2-3 mkr", ["invalid_number"]),
        ("3 rok", ["invalid_number"]),
    ],
)
def test_what_is_ambiguous_in_kronor_is_thousands(typed: str, read_as: Any) -> None:
    assert read(numbers.Price, typed, IN_FORM) == read_as


@pytest.mark.parametrize(
    ("kind", "typed", "read_as"),
    [
        (numbers.LivingSpace, "72,5 m²", 72.5),
        (numbers.LivingSpace, "72 kvm", 72),
        (numbers.LivingSpace, "72 Kvadratmeter", 72),
        (numbers.LivingSpace, "72.5m2", 72.5),
        (numbers.LivingSpace, "1 200 kvm.", 1200),
        (numbers.LivingSpace, "3 rok", ["invalid_number"]),
        (numbers.LivingSpace, "72 m^2", 72),
        (numbers.LivingSpace, "72 kv. m.", 72),
        (numbers.LivingSpace, "72 square meters", 72),
        (numbers.LivingSpace, "72'", ["invalid_number"]),
        (numbers.LivingSpace, "72 m² + 20 m²", ["invalid_number"]),
        (numbers.Rooms, "3 rok", 3),
        (numbers.Rooms, "3 rum", 3),
        (numbers.Rooms, "3 rum och kök", 3),
        (numbers.Rooms, "2½ r.o.k.", 2.5),
        (numbers.Rooms, "3,5 rooms", 3.5),
        (numbers.Rooms, "3 rum + kök", 3),
        (numbers.Rooms, "1 rum och kokvrå", 1),
        (numbers.Rooms, "3:a", 3),
        (numbers.Rooms, "3 st", 3),
        (numbers.Rooms, "2 1/2 rok", 2.5),
        (numbers.Rooms, "2 1/23", ["invalid_number"]),
        (numbers.Rooms, "fyra", ["invalid_number"]),
        (numbers.Rooms, "3 m²", ["invalid_number"]),
        (numbers.Longitude, "18,0686", 18.0686),
        (numbers.Latitude, "59.329°", 59.329),
        (numbers.Latitude, "59° 19'", ["invalid_number"]),
    ],
)
def test_a_number_may_have_its_unit_behind_it(kind: Any, typed: str, read_as: Any) -> None:
    assert read(kind, typed, IN_FORM) == read_as


def test_a_visitors_script_may_send_what_was_typed_and_a_caller_with_a_key_sends_a_number() -> None:
    assert read(numbers.Price, "850,000 kr", replace(IN_JSON, visitor=True)) == 850000
    assert read(numbers.Price, "850,000 kr", IN_JSON) == ["wrong_type"]


@given(st.integers(0, 10**15))
@pytest.mark.parametrize("mark", [" ", "\u00a0", "\u202f", "\u2009", "'", "\u2019", ".", ",", ""])
def test_thousands_may_be_separated_in_any_usual_way(mark: str, number: int) -> None:
    written = f"{number:,}".replace(",", mark)
    assert read(numbers.Price, written, IN_FORM) == number
    assert read(numbers.Price, f"{written} kr", IN_FORM) == number


@given(st.decimals(0, 10**9, places=2))
@pytest.mark.parametrize("mark", [",", "."])
def test_decimals_are_separated_by_a_comma_or_a_point(mark: str, number: Decimal) -> None:
    assert read(numbers.LivingSpace, str(number).replace(".", mark), IN_FORM) == float(number)


@pytest.mark.parametrize("filler", ["1", " ", "1 ", "1,", "½", ".", "-", "\u3000", "m²"])
def test_no_text_in_the_field_of_a_number_takes_long(filler: str) -> None:
    began = time.process_time()
    for text in ((filler * numbers.MAX_NUMBER_TEXT)[: numbers.MAX_NUMBER_TEXT], filler * 30_000):
        numbers.typed_number(text, numbers.KRONOR)
    assert time.process_time() - began < 0.1


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
    assert read(numbers.Rooms, value) == read_as


@given(st.floats(0, 2**96, exclude_max=True) | st.integers(0, 2**96 - 1))
@example(7.9228e28)
@example(2**96 - 1)
def test_numbers_of_any_size_are_sent_in_a_form_that_vitec_reads(number: float) -> None:
    sent = json.dumps({"presentAccommodation": {"price": read(numbers.Rooms, number)}})
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
