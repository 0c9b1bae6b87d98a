"""Contract, section 3, "Bodies": JSON and both kinds of form; what can't be read is told, and never a 500."""

import json
import time
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.bodies import (
    CUSTOMER,
    FORM,
    JSON,
    SITE,
    Members,
    booking,
    faults_of,
    fields,
    interest,
    interest_path,
    key,
    problem,
    viewing_path,
    with_member,
)
from tests.acceptance.desk import Desk
from tests.acceptance.html_page import page_of

INTEREST: Members = {
    "firstName": "Anna",
    "lastName": "Ek",
    "email": {"emailAddress": "anna@example.se", "emailAddress2": "ek@example.se"},
    "telephone": {"home": "08-123 456 78", "cell": "070-174 06 05"},
    "address": {"streetAddress": "Storgatan 1", "zipCode": "12345", "city": "Ort"},
    "presentAccommodation": {
        "estateType": "House",
        "livingSpace": 75,
        "numberOfRooms": 3,
        "price": 2500000,
        "other": "Trädgård",
        "coordinate": {"longitud": 18, "latitud": 59},
    },
    "contactMessage": "Hej",
    "status": "VeryInterested",
    "consent": True,
}
BOOKING: Members = {
    "updatePerson": {
        "firstName": "Anna",
        "lastName": "Ek",
        "email": {"emailAddress": "anna@example.se"},
        "telePhone": "08-123 456 78",
        "cellPhone": "070-174 06 05",
        "address": {"streetAddress": "Storgata 1", "zipCode": "0150", "city": "Oslo", "countryCode": "NO"},
    },
    "contactMessage": "Hej",
    "smsReminder": False,
    "consent": True,
}


def without_moment(body: Members) -> Members:
    """With the moment of consent, which differs from post to post, only said to be there."""
    return {
        name: None if name == "gdprApprovalDate" else without_moment(value) if isinstance(value, dict) else value
        for name, value in body.items()
    }


def files(body: dict[str, str]) -> dict[str, tuple[None, str]]:
    return {name: (None, value) for name, value in body.items()}


def test_an_interest_reads_the_same_as_json_as_urlencoded_and_as_multipart(desk: Desk) -> None:
    by_json = desk.published(interest_path(), INTEREST)
    by_form = desk.submitted(interest_path(), fields(INTEREST))
    path = interest_path()
    assert desk.client.post(path, files=files(fields(INTEREST)), headers=SITE).status_code == 303
    assert without_moment(by_form) == without_moment(by_json)
    assert without_moment(dict(desk.delivered(path).body)) == without_moment(by_json)


def test_a_booking_reads_the_same_as_json_and_as_a_form_with_or_without_the_persons_prefix(desk: Desk) -> None:
    by_json = desk.published(viewing_path(), BOOKING)
    short = fields(BOOKING)
    long = fields(BOOKING["updatePerson"], prefix="updatePerson.") | fields(BOOKING | {"updatePerson": {}})
    mixed = long | {"lastName": "Ek"}
    del mixed["updatePerson.lastName"]
    for typed in (short, long, mixed):
        assert without_moment(desk.submitted(viewing_path(), typed)) == without_moment(by_json)
        path = viewing_path()
        assert desk.client.post(path, files=files(typed), headers=SITE).status_code == 303
        assert without_moment(dict(desk.delivered(path).body)) == without_moment(by_json)


def test_in_json_the_persons_members_stand_under_their_own(desk: Desk) -> None:
    faults = desk.faults(viewing_path(), booking() | {"firstName": "Anna"})
    assert set(faults) == {"firstName"}


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r\n"])
def test_an_empty_form_value_counts_as_absent(desk: Desk, blank: str) -> None:
    empty = dict.fromkeys(
        [
            "telephone.home",
            "address.city",
            "status",
            "contactMessage",
            "presentAccommodation.price",
            "gdprApprovalDate",
        ],
        blank,
    )
    path = interest_path()
    assert desk.client.post(path, data=fields(interest()) | empty, headers=SITE).status_code == 303
    body = dict(desk.delivered(path).body)
    assert set(body) == {"firstName", "lastName", "email", "status", "gdprApprovalDate"}


def test_an_empty_form_value_does_not_satisfy_what_is_required(desk: Desk) -> None:
    answer = desk.client.post(interest_path(), data=fields(interest()) | {"firstName": " "}, headers=SITE)
    assert answer.status_code == 400
    assert "firstName" in page_of(answer).faulty


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        (interest_path, "fax", "1"),
        (interest_path, "FirstName", "Anna"),
        (interest_path, "first_name", "Anna"),
        (interest_path, "telephone.fax", "1"),
        (interest_path, "email.address", "x"),
        (interest_path, "address.countryCode", "NO"),
        (interest_path, "presentAccommodation.rooms", 3),
        (interest_path, "presentAccommodation.coordinate.longitude", 18),
        (interest_path, "marketing.campaign", "x"),
        (interest_path, "updatePerson", {}),
        (interest_path, "", "x"),
        (interest_path, "__proto__", {}),
        (viewing_path, "firstName", "Anna"),
        (viewing_path, "updatePerson.fax", "1"),
        (viewing_path, "updatePerson.email.address", "x"),
        (viewing_path, "updatePerson.telephone", {"cell": "070-1740605"}),
        (viewing_path, "updatePerson.address.country", "NO"),
    ],
)
def test_an_unknown_member_is_refused_by_name_in_json(
    desk: Desk, path: Any, name: str, value: Any, with_key: bool
) -> None:
    body = with_member(interest() if path is interest_path else booking(), name, value)
    at = path()
    faults = desk.faults(at, body, key() if with_key else SITE)
    assert name in faults
    assert desk.nothing_at(at)


def test_unknown_members_are_ignored_in_forms(desk: Desk) -> None:
    junk = {
        "fax": "1",
        "g-recaptcha-response": "x",
        "telephone.fax": "2",
        "telephone": "3",
        "firstName.x": "4",
        "email.emailAddress.y.z": "5",
        "..": "6",
        "": "7",
        "a.b.c": "8",
        "updatePerson.firstName": "9",
        "marketing.utmTags": "10",
        "consent.x": "11",
        "presentAccommodation": "12",
    }
    body = desk.submitted(interest_path(), junk | fields(interest()) | junk)
    assert set(body) == {"firstName", "lastName", "email", "status", "gdprApprovalDate"}
    assert body["firstName"] == "Anna"
    person = desk.submitted(viewing_path(), fields(booking()) | {"nonsense": "1", "updatePerson": "2", "options": "3"})
    assert person["updatePerson"]["firstName"] == "Anna"


@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_a_file_is_refused_and_what_was_typed_kept(desk: Desk, make: Any) -> None:
    typed = fields(interest(contactMessage="Se bilagan") if make is interest_path else booking(contactMessage="Se"))
    path = make()
    parts: Any = files(typed) | {"attachment": ("cv.pdf", b"%PDF", "application/pdf")}
    answer = desk.client.post(path, files=parts, headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    assert {name: page.values.get(name) for name in ("firstName", "contactMessage")} == {
        "firstName": "Anna",
        "contactMessage": typed["contactMessage"],
    }
    assert page.alert.strip()
    assert desk.nothing_at(path)


def test_a_file_in_the_place_of_a_member_is_refused(desk: Desk) -> None:
    parts: Any = files(fields(interest())) | {"firstName": ("name.txt", b"Anna", "text/plain")}
    assert desk.client.post(interest_path(), files=parts, headers=SITE).status_code == 400


def test_a_file_input_that_nobody_used_is_no_file(desk: Desk) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="'
    body = b"".join(head + f'{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields(interest()).items())
    body += head + b'photo"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n'
    headers = SITE | {"Content-Type": "multipart/form-data; boundary=x"}
    assert desk.client.post(interest_path(), content=body, headers=headers).status_code == 303


LIMIT = 64 * 1024


def of_size(size: int, kind: str) -> tuple[bytes, dict[str, str]]:
    """A right body of so many bytes, and its headers."""
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
def test_a_body_may_be_64_kib_and_one_byte_more_is_413(desk: Desk, kind: str, chunked: bool) -> None:
    for size, wanted in ((LIMIT, {200, 303}), (LIMIT + 1, {413})):
        body, headers = of_size(size, kind)
        assert len(body) == size
        content = iter([body[:1000], body[1000:]]) if chunked else body
        answer = desk.client.post(interest_path(), content=content, headers=SITE | headers)
        assert answer.status_code in wanted, answer.text[:500]
    assert answer.status_code == 413
    problem(answer, 413)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/xml",
        "text/xml",
        "application/octet-stream",
        "application/problem+json",
        "application/jsonp",
        "text/json",
        "multipart/mixed; boundary=x",
        "json",
        ";",
        "application/json, text/plain",
    ],
)
def test_another_content_type_is_415(desk: Desk, content_type: str | None) -> None:
    headers = SITE | ({} if content_type is None else {"Content-Type": content_type})
    problem(desk.client.post(interest_path(), content=json.dumps(interest()), headers=headers), 415)
    problem(desk.client.post(viewing_path(), content=json.dumps(booking()), headers=headers), 415)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8;x=y"]
)
def test_parameters_and_case_of_a_content_type_do_not_matter(desk: Desk, content_type: str) -> None:
    headers = SITE | {"Content-Type": content_type}
    answer = desk.client.post(interest_path(), content=json.dumps(interest()), headers=headers)
    assert answer.status_code == 200


def utf8(text: str) -> bytes:
    return text.encode()


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
    b'{"\\u0000": 1}',
]


@pytest.mark.parametrize("body", BROKEN_JSON, ids=lambda body: repr(body[:30]))
@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_json_that_cannot_be_read_is_a_problem_and_not_a_fault_of_ours(desk: Desk, make: Any, body: bytes) -> None:
    for caller in (SITE, key()):
        answer = desk.client.post(make(), content=body, headers=caller | JSON)
        assert faults_of(answer)


INTEREST_MEMBERS = [
    "leadSourceId",
    "firstName",
    "lastName",
    "isForeignSocialSecurityNumber",
    "socialSecurityNumber",
    "address",
    "address.city",
    "telephone",
    "telephone.cell",
    "email",
    "email.emailAddress",
    "gdprApprovalDate",
    "presentAccommodation",
    "presentAccommodation.estateType",
    "presentAccommodation.livingSpace",
    "presentAccommodation.coordinate",
    "presentAccommodation.coordinate.longitud",
    "contactMessage",
    "status",
    "marketing",
    "marketing.referrer",
    "marketing.utmTags",
    "consent",
]
BOOKING_MEMBERS = [
    "updatePerson",
    "updatePerson.customerId",
    "updatePerson.categoryIds",
    "updatePerson.leadScore",
    "updatePerson.wishAdvertising",
    "updatePerson.task",
    "updatePerson.customField",
    "updatePerson.approvalDate",
    "updatePerson.obtainThrough",
    "updatePerson.email",
    "updatePerson.cellPhone",
    "participated",
    "reminderTime",
    "smsReminder",
    "options",
    "contactMessage",
]
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
def test_no_value_in_any_member_is_a_fault_of_ours_or_reaches_vitec_to_be_refused(desk: Desk, value: Any) -> None:
    for make, body, names in (
        (interest_path, interest(), INTEREST_MEMBERS),
        (viewing_path, booking(), BOOKING_MEMBERS),
    ):
        for name in names:
            path = make()
            content = json.dumps(with_member(body, name, value))
            answer = desk.client.post(path, content=content, headers=key() | JSON)
            if answer.status_code != 200:
                assert faults_of(answer), name
            else:
                assert b"\\u0000" not in json.dumps(desk.delivered(path).body).encode(), name


@pytest.mark.parametrize("digits", [4300, 6000])
def test_a_whole_number_of_thousands_of_digits_is_told_as_a_fault(desk: Desk, digits: int) -> None:
    for name in ("status", "presentAccommodation.price", "presentAccommodation.estateType"):
        body = json.dumps(with_member(interest(), name, 0)).replace(": 0", ": " + "9" * digits)
        assert faults_of(desk.client.post(interest_path(), content=body, headers=key() | JSON))


@pytest.mark.parametrize("number", ["1e300000", "1E+300000", "9" * 30000, "-1e-300000", "1" + " 000" * 10000])
def test_a_number_that_is_short_to_write_and_long_to_count_holds_nobody_up(desk: Desk, number: str) -> None:
    for path, name in ((interest_path(), "presentAccommodation.price"), (viewing_path(), "reminderTime")):
        began = time.monotonic()
        typed = fields(interest() if "." in name else booking()) | {name: number}
        assert desk.client.post(path, data=typed, headers=SITE).status_code in {303, 400}
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("value", ["true", 1, 0, "on", "", [], {}, "false"], ids=lambda value: json.dumps(value))
def test_in_json_a_consent_is_true_or_it_is_none(desk: Desk, value: Any) -> None:
    faults = desk.faults(interest_path(), interest(consent=value), SITE)
    assert "consent" in faults


def test_a_member_given_twice_in_json_is_no_fault_of_ours(desk: Desk) -> None:
    body = json.dumps(interest())[:-1] + ', "firstName": "Bea", "address": {"city": "A"}, "address": {"city": "B"}}'
    answer = desk.client.post(interest_path(), content=body, headers=key() | JSON)
    assert answer.status_code in {200, 400}


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
        b"&".join(b"x%d=1" % i for i in range(101)),
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
    ],
    ids=lambda body: repr(body[:30]),
)
@pytest.mark.parametrize("make", [interest_path, viewing_path])
def test_a_form_that_cannot_be_read_comes_again_and_is_no_fault_of_ours(desk: Desk, make: Any, body: bytes) -> None:
    for caller in (SITE, key()):
        answer = desk.client.post(make(), content=body, headers=caller | FORM)
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
def test_a_torn_multipart_form_comes_again_and_is_no_fault_of_ours(desk: Desk, body: bytes, content_type: str) -> None:
    answer = desk.client.post(interest_path(), content=body, headers=SITE | {"Content-Type": content_type})
    assert answer.status_code == 400
    assert page_of(answer).alert.strip()


@pytest.mark.parametrize("name", ["x" * 60000, "\x00", "å" * 100, "<script>"])
def test_a_file_under_any_name_is_no_fault_of_ours(desk: Desk, name: str) -> None:
    parts: Any = {name: ("f", b"x", "text/plain")}
    assert desk.client.post(interest_path(), files=parts, headers=SITE).status_code in {400, 413}


MULTIPART_X = {"Content-Type": "multipart/form-data; boundary=x"}
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


def refused(answer: httpx.Response) -> bool:
    return answer.status_code in {400, 413, 415}


@FUZZ
@given(body=st.binary(max_size=300), content_type=st.sampled_from([JSON, FORM, MULTIPART_X]))
def test_random_bytes_are_refused(desk: Desk, body: bytes, content_type: dict[str, str]) -> None:
    assert refused(desk.client.post(interest_path(), content=body, headers=SITE | content_type))


@FUZZ
@given(name=st.sampled_from(INTEREST_MEMBERS), value=ANY_JSON)
def test_random_json_in_a_member_is_accepted_by_vitec_too_or_refused(desk: Desk, name: str, value: Any) -> None:
    path = interest_path()
    content = json.dumps(with_member(interest(), name, value))
    answer = desk.client.post(path, content=content, headers=key() | JSON)
    if answer.status_code == 200:
        assert desk.delivered(path)
    else:
        assert faults_of(answer)


@FUZZ
@given(
    typed=st.dictionaries(
        st.sampled_from([*fields(INTEREST), "token", "ticks", "utm_source", "gdprApprovalDate"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        max_size=5,
    )
)
def test_random_text_in_a_form_is_kept_or_accepted(desk: Desk, typed: dict[str, str]) -> None:
    path = interest_path(CUSTOMER)
    answer = desk.client.post(path, data=fields(interest()) | typed, headers=SITE)
    if answer.status_code == 303:
        assert desk.delivered(path)
    else:
        assert answer.status_code == 400
        kept = page_of(answer).values
        shown = {n: v for n, v in typed.items() if n in kept and n not in {"token", "ticks", "status", "consent"}}
        for name, value in shown.items():
            if value.strip() and "estateType" not in name:
                assert normal(kept[name]) == normal(value), name


def normal(text: str) -> str:
    """As HTML keeps it: what a page can't hold is left aside, and line breaks are one."""
    return "".join(text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").split("\ufffd"))
