"""Vitec's answers: each status and body becomes a result or an error of the taxonomy."""

import contextlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vitec.errors import (
    AccessDeniedError,
    AmbiguousError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
    UnreadableAnswerError,
    VitecError,
)
from app.vitec.responses import MAX_MESSAGE, VitecResponse, read_contacts_response, read_response, upstream

# The status codes that Vitec documents or has been seen to answer; others are read by their class.
READINGS: dict[type[VitecError], list[int]] = {
    RejectedError: [400, 409, 422],
    NotFoundError: [404],
    LoginRefusedError: [401],
    AccessDeniedError: [403],
    UnavailableError: [
        *(300, 301, 302, 303, 304, 307, 308, 402, 405, 406, 407, 408, 410, 411, 413, 414, 415, 417, 418),
        *(421, 423, 425, 428, 429, 431, 451, 499, 503),
    ],
    AmbiguousError: [500, 501, 502, 504, 505, 507, 520, 599],
}


def refusal(status: int, content: bytes = b"", retry_after: str | None = None) -> VitecError:
    headers = [] if retry_after is None else [(b"Retry-After", retry_after.encode())]
    with pytest.raises(VitecError) as refused:
        read_response(httpx.Response(status, content=content, headers=headers))
    return refused.value


@pytest.mark.parametrize(
    ("status", "error"), [(status, error) for error, statuses in READINGS.items() for status in statuses]
)
def test_each_status_maps_to_its_error(status: int, error: type[VitecError]) -> None:
    found = refusal(status, b'{"message": "Anna"}')
    assert type(found) is error
    assert found.status == status
    assert str(found) == f"Vitec answered {status}"  # nothing of the body, which may repeat what was sent


@given(st.integers(200, 599), st.binary(max_size=50))
def test_any_answer_is_a_result_or_in_the_taxonomy(status: int, content: bytes) -> None:
    if 200 <= status < 300:
        with contextlib.suppress(AmbiguousError):
            assert read_response(httpx.Response(status, content=content)).status == status
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
        (b'{"message": null, "id": 1}', None),
        (b"nothing of JSON", None),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_done_request_is_done_whatever_its_body(status: int, content: bytes, result: str | None) -> None:
    assert read_response(httpx.Response(status, content=content)) == VitecResponse(status, result)


PAGES = [
    (b"<!DOCTYPE html><html>Strax tillbaka</html>", None),
    (b"\r\n  <HTML>", None),
    (b"\xef\xbb\xbf<html>", None),
    (b"<!-- nginx --><center>Maintenance</center>", None),
    (b'<?xml version="1.0"?><Error/>', None),
    ("<html>".encode("utf-16"), None),
    (b"<html><head><tit", "text/html"),
    (b"Maintenance", "text/html; charset=utf-8"),
    (b"Maintenance", "Application/XHTML+XML"),
]


def answer(status: int, content: bytes, kind: str | None = None) -> httpx.Response:
    return httpx.Response(status, content=content, headers={"Content-Type": kind} if kind else {})


@pytest.mark.parametrize(("content", "kind"), PAGES)
def test_an_html_page_does_not_count_as_vitecs_answer(content: bytes, kind: str | None) -> None:
    for status, error in (
        (200, AmbiguousError),
        (201, AmbiguousError),
        (401, LoginRefusedError),
        (500, AmbiguousError),
        (503, UnavailableError),
    ):
        with pytest.raises(VitecError) as refused:
            read_response(answer(status, content, kind))
        assert type(refused.value) is error, status
    for status in (400, 403, 404, 405, 407, 409, 413, 422, 429):
        with pytest.raises(VitecError) as refused:
            read_response(answer(status, content, kind))
        assert type(refused.value) is UnavailableError, status
    with pytest.raises(UnreadableAnswerError) as unreadable:
        read_contacts_response(answer(200, content, kind))
    assert unreadable.value.is_foreign


@pytest.mark.parametrize(
    "content",
    [
        b'{"message": "An error has occurred."}',
        b'{"Message": "An error has occurred.", "ExceptionMessage": "x"}',
        b'{"modelState": {}}',
        b'{"ModelState": {"a": ["b"]}}',
        b'{"error": {"code": 17}}',
        b'{"ERROR": "unavailable", "contactId": "C1"}',
    ],
)
@pytest.mark.parametrize("status", [200, 202])
def test_a_success_that_contains_an_error_is_not_a_success(content: bytes, status: int) -> None:
    assert type(refusal(status, content)) is AmbiguousError


def test_json_counts_as_vitecs_answer_whatever_its_content_type() -> None:
    assert read_response(answer(200, b'"C1"', "text/html")) == VitecResponse(200, "C1")
    assert read_response(answer(200, b"", "text/html")) == VitecResponse(200, None)
    with pytest.raises(RejectedError):
        read_response(answer(400, b'{"message": "Nej"}', "text/html"))
    with pytest.raises(NotFoundError):
        read_response(answer(404, b"", "text/html"))


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
        ("Fel", {}),
        ('{"message": "Fel"', {}),
        (f'{{"message": "{"å" * 3000}"}}', {"message": "å" * MAX_MESSAGE}),
        (f'"{"å" * 3000}"', {"message": "å" * MAX_MESSAGE}),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 409])
def test_vitecs_message_is_kept_whatever_its_format(status: int, content: str, words: dict[str, Any]) -> None:
    error = refusal(status, content.encode())
    assert isinstance(error, RejectedError)
    assert error.upstream == {"status": status} | words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_an_answer_is_read_in_its_encoding_without_a_declared_charset(encoding: str) -> None:
    error = '{"message": "Å"}'.encode(encoding)
    assert upstream(httpx.Response(400, content=error))["message"] == "Å"
    assert type(refusal(200, error)) is AmbiguousError
    assert read_response(httpx.Response(200, content='"Å1001"'.encode(encoding))) == VitecResponse(200, "Å1001")


def in_two_minutes() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)


@pytest.mark.parametrize("status", [408, 425, 429, 503])
@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 120),
        (" 120 ", 120, 120),
        ("0", 0, 0),
        ("99999999999999999999", 864_000, 864_000),
        ("9" * 5000, 864_000, 864_000),
        (in_two_minutes, 110, 120),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0, 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0, 0),
        ("Sun, 06 Nov 1994 08:49:37 -0000", 0, 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 864_000, 864_000),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(status: int, value: Any, least: int, most: int) -> None:
    error = refusal(status, retry_after=value() if callable(value) else value)
    assert isinstance(error, UnavailableError)
    assert error.retry_after is not None
    assert timedelta(seconds=least) <= error.retry_after <= timedelta(seconds=most)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "-5",
        "1.5",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "٣",
        "Fri, 31 Dec",
        f"1 Jan {'9' * 20} 0:0:0 GMT",
        "1 Jan 2026 0:0:0 +99999999999999999999",
    ],
)
def test_an_unreadable_retry_after_is_ignored(value: str | None) -> None:
    error = refusal(503, retry_after=value)
    assert isinstance(error, UnavailableError)
    assert error.retry_after is None


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=40))
def test_any_retry_after_is_read_or_ignored(value: str) -> None:
    assert isinstance(refusal(503, retry_after=value), UnavailableError)


@pytest.mark.parametrize(
    "value",
    [
        "Fri, 31 Dec 9999 23:59:59 -2359",
        f"{'9' * 30} Jan 2026 00:00:00 GMT",
        "Sat, 01 Jan 0001 00:00:00 +2359",
        "1 Jan 2026 0:0:0 +9999",
    ],
)
def test_a_retry_after_at_the_end_of_the_calendar_is_ignored(value: str) -> None:
    assert isinstance(refusal(503, retry_after=value), UnavailableError)
