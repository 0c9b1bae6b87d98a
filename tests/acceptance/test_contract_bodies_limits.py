"""Request bodies: size limit and content types."""

import json

import pytest

from tests.acceptance.bodies import FORM, JSON, SITE, booking, fields, interest, interest_path, problem, viewing_path
from tests.acceptance.running_service import RunningService

LIMIT = 64 * 1024


def of_size(size: int, kind: str) -> tuple[bytes, dict[str, str]]:
    """A valid body of that many bytes, and its headers."""
    if kind == "json":
        shell = json.dumps(interest(contactMessage="")).encode()
        return shell.replace(b'"contactMessage": ""', b'"contactMessage": "%s"' % (b"a" * (size - len(shell)))), JSON
    start = b"firstName=Anna&lastName=Ek&email.emailAddress=anna%40example.se&consent=on&contactMessage="
    if kind == "urlencoded":
        return start + b"a" * (size - len(start)), FORM
    head = b'--x\r\nContent-Disposition: form-data; name="'
    body = b"".join(head + f'{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields(interest()).items())
    body += head + b'contactMessage"\r\n\r\n'
    end = b"\r\n--x--\r\n"
    return body + b"a" * (size - len(body) - len(end)) + end, {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize("kind", ["json", "urlencoded", "multipart"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_may_be_64_kib_and_one_byte_more_is_413(service: RunningService, kind: str, chunked: bool) -> None:
    for size, wanted in ((LIMIT, {200, 303}), (LIMIT + 1, {413})):
        body, headers = of_size(size, kind)
        assert len(body) == size
        content = iter([body[:1000], body[1000:]]) if chunked else body
        answer = service.client.post(interest_path(), content=content, headers=SITE | headers)
        assert answer.status_code in wanted, answer.text[:500]
    assert answer.status_code == 413
    problem(answer, 413)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/html",
        "application/xml",
        "text/xml",
        "application/octet-stream",
        "application/problem+json",
        "application/jsonp",
        "multipart/mixed; boundary=x",
        "json",
        ";",
        "application/json, text/plain",
    ],
)
def test_another_content_type_is_415(service: RunningService, content_type: str | None) -> None:
    headers = SITE | ({} if content_type is None else {"Content-Type": content_type})
    problem(service.client.post(interest_path(), content=json.dumps(interest()), headers=headers), 415)
    problem(service.client.post(viewing_path(), content=json.dumps(booking()), headers=headers), 415)


@pytest.mark.parametrize("content", ["hej", "", "[]", '"x"', "firstName=Anna", "{"])
def test_plain_text_that_is_no_json_object_is_415(service: RunningService, content: str) -> None:
    problem(service.client.post(interest_path(), content=content, headers=SITE | {"Content-Type": "text/plain"}), 415)


@pytest.mark.parametrize(
    "content_type",
    [
        *("application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8;x=y"),
        *("text/json", "Text/JSON; charset=utf-8", "text/plain", "text/plain;charset=UTF-8"),
        "application/x-www-form-urlencoded",  # as curl's -d labels everything
    ],
)
def test_parameters_and_case_of_a_content_type_do_not_matter(service: RunningService, content_type: str) -> None:
    headers = SITE | {"Content-Type": content_type}
    answer = service.client.post(interest_path(), content=json.dumps(interest()), headers=headers)
    assert answer.status_code == 200
