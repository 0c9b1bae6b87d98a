"""Request bodies that can't be read are reported as such, and never as a 500."""

from typing import Any

import pytest

from tests.acceptance.bodies import FORM, JSON, SITE, faults_of, interest_path, key, viewing_path
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService

BROKEN_JSON = [
    b"",
    b" ",
    b"{",
    b'{"firstName": "Anna"',
    b"{'firstName': 'Anna'}",
    b'{"firstName": Anna}',
    b'{"firstName": "Anna",}',
    b"[]",
    b"[{}]",
    b'"firstName"',
    b"1",
    b"null",
    b"true",
    b"NaN",
    b'{"firstName": NaN}',
    b'{"presentAccommodation": {"price": Infinity}}',
    b'{"presentAccommodation": {"price": 1e999}}',
    b"\xff\xfe{}",
    b'{"firstName": "\xff"}',
    b'{"firstName": "\xed\xa0\x80"}',
    b'{"firstName": "\\ud800"}',
    b'{"\\ud800": "x"}',
    b'{"firstName": "\\x"}',
    b'{"firstName": "a\nb"}',
    b"firstName=Anna",
    b"[" * 30000,
    b'{"a":' * 10000 + b"1" + b"}" * 10000,
    b'{"address":' * 200 + b"{}" + b"}" * 200,
    b'{"address":' * 700 + b'"\\ud800"' + b"}" * 700,  # Python functions call each other some 1,000 times at most
    b'{"\\u0000": 1}',
]


@pytest.mark.parametrize("body", BROKEN_JSON, ids=lambda body: repr(body[:30]))
@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_unreadable_json_is_a_problem_and_never_a_500(service: RunningService, make: Any, body: bytes) -> None:
    for caller in (SITE, key()):
        answer = service.client.post(make(), content=body, headers=caller | JSON)
        assert faults_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"%ff=%ff&firstName=%ff",
        b"firstName=\xff\xfe",
        b"firstName=%00",
        b"firstName=a%00b&lastName=%0d%0a",
        b"&&&&====",
        b"firstName",
        b"=",
        b"firstName=%",
        b"firstName=%zz",
        b"firstName=%ED%A0%80",
        b"&".join(b"x%d=1" % i for i in range(501)),
        b"&".join(b"firstName=1" for _ in range(5000)),
        b"&" * 60000,
        b"a" + b".a" * 30000 + b"=1",
        b"updatePerson.categoryIds=1&updatePerson.categoryIds=2&categoryIds=3",
        b"firstName=Anna&firstName=Bea&consent=on&consent=off",
        b"status=%F0%9F%98%80&presentAccommodation.price=%E2%82%AC",
        b"presentAccommodation.price=" + b"9" * 5000,
        b"presentAccommodation.price=1e400&presentAccommodation.livingSpace=NaN&presentAccommodation.numberOfRooms=inf",
        b"presentAccommodation.coordinate.longitud=0x10",
        b"presentAccommodation.livingSpace=1e99999999999&presentAccommodation.price=-0",
        b"reminderTime=1e400&leadScore=1e99",
        b"gdprApprovalDate=9999-12-31T23:59:59-23:59",
        b"token=%00&ticks=x&marketing.referrer=%00",
        b"return_url=https://" + b"%D0%B6" * 70 + b".granne.se/",  # below the customer's wildcard, and no host's name
    ],
    ids=lambda body: repr(body[:30]),
)
@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_an_unreadable_form_is_shown_again_and_never_a_500(service: RunningService, make: Any, body: bytes) -> None:
    for caller in (SITE, key()):
        answer = service.client.post(make(), content=body, headers=caller | FORM)
        assert answer.status_code == 400
        assert page_of(answer).alert.strip()


MULTIPART = [
    (b"", "multipart/form-data"),
    (b"", "multipart/form-data; boundary=x"),
    (b"junk", "multipart/form-data; boundary=x"),
    (b"--x", "multipart/form-data; boundary=x"),
    (b'--x\r\nContent-Disposition: form-data; name="firstName"\r\n\r\nAnna', "multipart/form-data; boundary=x"),
    (b"--x\r\n\r\nAnna\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data\r\n\r\nAnna\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    (b'--x\r\nContent-Disposition: x; name="\xff"\r\n\r\n\xff\r\n--x--\r\n', "multipart/form-data; boundary=x"),
    (
        b'--x\r\nContent-Disposition: form-data; name="firstName"\r\n\r\n\xff\r\n--x--\r\n',
        "multipart/form-data; boundary=x",
    ),
    (b"--x--", 'multipart/form-data; boundary="'),
    (b"--x--", "multipart/form-data; boundary=" + "x" * 300),
    (b"--x--", "multipart/form-data; boundary=x; charset=nonsense"),
    (
        b'--x\r\nContent-Disposition: form-data; name="firstName"\r\n\r\nAnna\r\n--x--\r\n',
        "multipart/form-data; boundary=x; charset=nonsense",
    ),
    (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % i for i in range(150))
        + b"--x--\r\n",
        "multipart/form-data; boundary=x",
    ),
    (
        b"".join(
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="b%d"\r\n\r\n1\r\n' % i for i in range(150)
        )
        + b"--x--\r\n",
        "multipart/form-data; boundary=x",
    ),
]


@pytest.mark.parametrize(("body", "content_type"), MULTIPART, ids=range(len(MULTIPART)))
def test_a_truncated_multipart_form_is_shown_again_and_never_a_500(
    service: RunningService, body: bytes, content_type: str
) -> None:
    answer = service.client.post(interest_path(), content=body, headers=SITE | {"Content-Type": content_type})
    assert answer.status_code == 400
    assert page_of(answer).alert.strip()


@pytest.mark.parametrize("name", ["x" * 60000, "\x00", "å" * 100, "<script>"])
def test_a_file_under_any_name_causes_no_500(service: RunningService, name: str) -> None:
    parts: Any = {name: ("f", b"x", "text/plain")}
    assert service.client.post(interest_path(), files=parts, headers=SITE).status_code in {400, 413}
