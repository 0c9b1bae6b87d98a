"""Datetime fields: the values that each accepts, their result, and the error codes."""

import re
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.domain import datetimes
from tests.unit.domain.field_validation import IN_FORM, IN_JSON, read


def iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("2026-05-01", "2026-05-01T00:00:00+02:00"),
        ("2026-01-01", "2026-01-01T00:00:00+01:00"),
        ("2026-05-01T10:00", "2026-05-01T10:00:00+02:00"),
        (" 2026-05-01 10:00:01 ", "2026-05-01T10:00:01+02:00"),
        ("\ufeff2026-05\u200b-01\u00a010:00", "2026-05-01T10:00:00+02:00"),
        ("2026-05-01T10:00:00.999", "2026-05-01T10:00:00+02:00"),
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00+00:00"),
        ("2026-05-01T10:00:00-05:00", "2026-05-01T10:00:00-05:00"),
        ("\u0662\u0660\u0662\u0666-05-01", "2026-05-01T00:00:00+02:00"),  # Arabic digits
        ("2026-02-30", ["invalid_datetime"]),
        ("2026-05-01T24:01", ["invalid_datetime"]),
        ("0001-01-01", ["too_early"]),
        ("0027-03-31", ["too_early"]),
        ("1899-12-31T23:59:59", ["too_early"]),
        ("1900-01-01", "1900-01-01T00:00:00+01:00"),
        ("2026-05-01T10:00:00.1234567+02:00", "2026-05-01T10:00:00+02:00"),  # as .NET writes it
        ("/Date(1777622400000)/", "2026-05-01T10:00:00+02:00"),  # as older .NET serializers write it
        ("/Date(1777622400999-0500)/", "2026-05-01T10:00:00+02:00"),
        ("/Date(-62135596800000)/", ["too_early"]),
        ("/Date(-999999999999999)/", ["invalid_datetime"]),
        ("/Date()/", ["invalid_datetime"]),
        ("9999-12-31T23:59:59-23:00", ["invalid_datetime"]),
        ("1 maj", ["invalid_datetime"]),
        ("", ["invalid_datetime"]),
        (20260501, ["wrong_type"]),
    ],
)
def test_a_datetime_without_offset_is_swedish_time(typed: Any, read_as: Any) -> None:
    assert iso(read(datetimes.Moment, typed)) == read_as


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("2026-05-01", "2026-05-01T23:59:59+02:00"),
        ("2026-12-31", "2026-12-31T23:59:59+01:00"),
        ("2026-05-01T00:00", "2026-05-01T00:00:00+02:00"),
        ("20260501", "2026-05-01T23:59:59+02:00"),  # ISO 8601 in its short form is a bare date too
    ],
)
def test_a_bare_date_until_which_something_is_valid_is_its_last_second(typed: str, read_as: str) -> None:
    assert iso(read(datetimes.LastMoment, typed)) == read_as


@pytest.mark.parametrize(
    "typed",
    [
        "27 mars 2027",
        "den 27 Mars 2027",
        "27:e mars 2027",
        "27. mar. 2027",
        "27 March 2027",
        "den 27:a mars 2027",
        "27th of March, 2027",
        "March 27, 2027",
        "27/3 2027",
        "27/3/2027",
        "27.3.2027",
        "27-03-2027",
        "2027/3/27",
        "2027.03.27",
        "2027 03 27",
        "2027-3-27",
        "2027\u201103\u201127",
        "2027\u22123\u221227",
        "\u200e27/\u200e3/\u200e2027",
        "\uff12\uff10\uff12\uff17-3-27",
        "2027-03-27.",
    ],
    ids=ascii,
)
def test_a_date_in_a_form_is_written_as_people_write_dates(typed: str) -> None:
    for context in (IN_FORM, replace(IN_JSON, visitor=True)):
        assert iso(read(datetimes.Moment, typed, context)) == "2027-03-27T00:00:00+01:00"


@pytest.mark.parametrize(
    "typed",
    ["27.3.28", "27-03-28", "3/27/2027", "31 april 2027", "30/2 2027", "27 mars", "mars 2027", "27 mar 27", "imorgon"],
)
def test_a_date_that_could_be_another_day_or_is_none_is_refused(typed: str) -> None:
    assert read(datetimes.Moment, typed, IN_FORM) == ["invalid_datetime"]


def test_a_caller_with_a_key_sends_dates_as_vitec_documents_them() -> None:
    assert read(datetimes.Moment, "27 mars 2027", IN_JSON) == ["invalid_datetime"]


def test_no_text_in_the_field_of_a_date_takes_long() -> None:
    began = time.process_time()
    for filler in ("27 ", "a", "2027-", "\u0301", ". "):
        read(datetimes.Moment, filler * 20_000, IN_FORM)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(
    ("typed", "visitor", "with_key"),
    [
        ("2026-05-31", ["has_passed"], "2026-05-31T23:59:59+02:00"),
        ("2026-06-01T13:59:59", ["has_passed"], "2026-06-01T13:59:59+02:00"),
        ("2026-06-01", "2026-06-01T23:59:59+02:00", "2026-06-01T23:59:59+02:00"),
        ("0027-03-31", ["too_early"], ["too_early"]),
    ],
)
def test_a_visitor_may_not_send_an_expired_loan_promise(typed: str, visitor: Any, with_key: Any) -> None:
    assert iso(read(datetimes.LastMoment, typed, replace(IN_FORM, visitor=True))) == visitor
    assert iso(read(datetimes.LastMoment, typed, IN_JSON)) == with_key


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("2026-05-01", "2026-05-01T00:00:00+02:00"),
        ("2026-06-01T14:00:00", "2026-06-01T14:00:00+02:00"),
        ("2026-06-01T14:00:01", "2026-06-01T14:00:00+02:00"),
        ("2027-01-01", "2026-06-01T14:00:00+02:00"),
        ("2026-06-01T12:00:01Z", "2026-06-01T14:00:00+02:00"),
    ],
)
def test_an_approval_in_the_future_becomes_now(typed: str, read_as: str) -> None:
    assert iso(read(datetimes.ApprovalMoment, typed)) == read_as


@given(st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(9990, 1, 1)))
def test_a_datetime_is_sent_with_an_offset_that_vitec_reads(moment: datetime) -> None:
    sent = TypeAdapter(datetimes.Moment).dump_json(read(datetimes.Moment, moment.isoformat())).decode()
    assert re.fullmatch(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"', sent)
