"""Vitec's answers, each status and each body -> a result or an error of the taxonomy."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vitec.errors import Ambiguous, Forbidden, NotFound, RefusedLogin, Rejected, Unavailable, VitecError
from app.vitec.responses import LONGEST_WORDS, VitecResponse, read, upstream

# vitec-connect.md, "Status codes"; what stands between them is read by its class.
READINGS: dict[type[VitecError], list[int]] = {
    Rejected: [400, 402, 405, 406, 409, 410, 411, 413, 414, 415, 422, 428, 431, 451],
    NotFound: [404],
    RefusedLogin: [401],
    Forbidden: [403],
    Unavailable: [300, 301, 302, 303, 304, 307, 308, 408, 425, 429, 503],
    Ambiguous: [500, 501, 502, 504, 505, 507, 520, 599],
}


def refusal(status: int, content: bytes = b"", retry_after: str | None = None) -> VitecError:
    headers = [] if retry_after is None else [(b"Retry-After", retry_after.encode())]
    with pytest.raises(VitecError) as refused:
        read(httpx.Response(status, content=content, headers=headers))
    return refused.value


@pytest.mark.parametrize(
    ("status", "error"), [(status, error) for error, statuses in READINGS.items() for status in statuses]
)
def test_each_status_has_its_reading(status: int, error: type[VitecError]) -> None:
    found = refusal(status, b'{"message": "Anna"}')
    assert type(found) is error
    assert found.status == status
    assert str(found) == f"Vitec answered {status}"  # nothing of the body, which may repeat what was sent


@given(st.integers(200, 599), st.binary(max_size=50))
def test_any_answer_is_a_result_or_in_the_taxonomy(status: int, content: bytes) -> None:
    if 200 <= status < 300:
        assert read(httpx.Response(status, content=content)).status == status
    else:
        assert refusal(status, content).status == status


@pytest.mark.parametrize("status", [200, 201, 204])
@pytest.mark.parametrize(
    ("content", "result"),
    [
        (b'"C1001"', "C1001"),
        (b' "\\u00e5" ', "å"),
        ('"å"'.encode(), "å"),
        (b"", None),
        (b"null", None),
        (b"{}", None),
        (b"17", None),
        (b'{"id": ', None),
        (b'"C1001', None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (b"<html>", None),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_done_request_is_done_whatever_its_body(status: int, content: bytes, result: str | None) -> None:
    assert read(httpx.Response(status, content=content)) == VitecResponse(status, result)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"message": "Fullbokad"}', {"message": "Fullbokad"}),
        ('{"Message": "Fullbokad"}', {"message": "Fullbokad"}),
        ('"Fullbokad"', {"message": "Fullbokad"}),
        (
            '{"message": "Fel", "modelState": {"a.firstName": ["För långt"]}}',
            {"message": "Fel", "modelState": {"a.firstName": ["För långt"]}},
        ),
        ('{"MESSAGE": "Fel", "ModelState": {}}', {"message": "Fel", "modelState": {}}),
        ('{"message": null, "modelState": "x", "more": 1}', {}),
        ('{"message": ["Fel"]}', {}),
        ('["Fel"]', {}),
        ("", {}),
        ("<html>Fel</html>", {}),
        ('{"message": "Fel"', {}),
        (f'{{"message": "{"å" * 3000}"}}', {"message": "å" * LONGEST_WORDS}),
        (f'"{"å" * 3000}"', {"message": "å" * LONGEST_WORDS}),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 409])
def test_vitecs_words_are_kept_whatever_their_form(status: int, content: str, words: dict[str, Any]) -> None:
    error = refusal(status, content.encode())
    assert isinstance(error, Rejected)
    assert error.upstream == {"status": status} | words


def test_words_in_utf_8_are_read_without_being_told_so() -> None:
    assert upstream(httpx.Response(400, content='{"message": "Å"}'.encode()))["message"] == "Å"


def in_two_minutes() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)


@pytest.mark.parametrize("status", [408, 425, 429, 503])
@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 120),
        (" 120 ", 120, 120),
        ("0", 0, 0),
        ("99999999999999999999", 10**6, 10**6),
        (in_two_minutes, 110, 120),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0, 0),
        ("Sun, 06 Nov 1994 08:49:37 -0000", 0, 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 10**6, 10**12),
    ],
)
def test_when_to_come_back_is_said_in_seconds_or_as_a_date(status: int, value: Any, least: int, most: int) -> None:
    error = refusal(status, retry_after=value() if callable(value) else value)
    assert isinstance(error, Unavailable)
    assert error.retry_after is not None
    assert timedelta(seconds=least) <= error.retry_after <= timedelta(seconds=most)


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT", "٣", "Fri, 31 Dec"])
def test_a_wish_that_cannot_be_read_is_none(value: str | None) -> None:
    error = refusal(503, retry_after=value)
    assert isinstance(error, Unavailable)
    assert error.retry_after is None


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=40))
def test_any_wish_is_read_or_passed_over(value: str) -> None:
    assert isinstance(refusal(503, retry_after=value), Unavailable)


@pytest.mark.parametrize(
    "value", ["Fri, 31 Dec 9999 23:59:59 -2359", "Sat, 01 Jan 0001 00:00:00 +2359", "1 Jan 2026 0:0:0 +9999"]
)
def test_a_date_at_the_end_of_the_calendar_is_passed_over_like_any_other(value: str) -> None:
    assert isinstance(refusal(503, retry_after=value), Unavailable)
