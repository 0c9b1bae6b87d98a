"""Datetime fields: the values that each accepts, their result, and the error codes."""

import re
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
        ("2026-02-30", ["invalid_datetime"]),
        ("2026-05-01T24:01", ["invalid_datetime"]),
        ("0001-01-01", ["invalid_datetime"]),
        ("0027-03-31", ["invalid_datetime"]),
        ("1899-12-31T23:59:59", ["invalid_datetime"]),
        ("1900-01-01", "1900-01-01T00:00:00+01:00"),
        ("2026-05-01T10:00:00.1234567+02:00", "2026-05-01T10:00:00+02:00"),  # as .NET writes it
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
    ("typed", "visitor", "with_key"),
    [
        ("2026-05-31", ["has_passed"], "2026-05-31T23:59:59+02:00"),
        ("2026-06-01T13:59:59", ["has_passed"], "2026-06-01T13:59:59+02:00"),
        ("2026-06-01", "2026-06-01T23:59:59+02:00", "2026-06-01T23:59:59+02:00"),
        ("0027-03-31", ["invalid_datetime"], ["invalid_datetime"]),
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
