"""Contract, section 3, "Answers": every row of the table, for forms and for JSON, interests and bookings."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from pysqlite3 import dbapi2 as sqlite3  # the service's own: two SQLites in a process don't see each other's locks

from app.vitec.sandbox import Fault
from tests.acceptance.bodies import (
    CUSTOMER,
    PHONE,
    PUBLIC_URL,
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
)
from tests.acceptance.desk import Desk, open_desk
from tests.acceptance.html_page import page_of
from tests.serving import eventually

BOTH = pytest.mark.parametrize(("make", "body"), [(interest_path, interest()), (viewing_path, booking())])
Make = Callable[..., str]


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A service that waits for Vitec half a second."""
    with open_desk(tmp_path_factory.mktemp("hasty"), delivery={"wait_seconds": 0.5}) as desk:
        yield desk
        desk.office.lift()


def is_pending(answer: httpx.Response) -> Members:
    assert answer.status_code == 202, answer.text
    content: Members = answer.json()
    assert set(content) == {"id", "status", "statusUrl"}
    assert content["status"] == "pending"
    assert content["statusUrl"].startswith(f"{PUBLIC_URL}/submissions/{content['id']}")
    return content


def is_delivered(answer: httpx.Response) -> str:
    """The submission's id."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    identity = answer.headers["submission-id"]
    assert answer.headers["location"] == f"/submissions/{identity}"
    return identity


def receipt_of(desk: Desk, answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 303, answer.text
    receipt = desk.client.get(answer.headers["location"])
    assert receipt.status_code == 200
    return receipt


@BOTH
def test_a_form_post_is_answered_303_to_its_receipt(desk: Desk, make: Make, body: Members) -> None:
    path = make()
    answer = desk.client.post(path, data=fields(body | {"contactMessage": "Hemligt"}), headers=SITE)
    receipt = receipt_of(desk, answer)
    page = page_of(receipt)
    assert PHONE in page.text
    for personal in ("Anna", "Ek ", "anna@example.se", "Hemligt"):
        assert personal not in receipt.text
    assert desk.delivered(path)


def test_the_id_in_a_receipts_address_opens_no_receipt_alone(desk: Desk) -> None:
    answer = desk.client.post(interest_path(), data=fields(interest()), headers=SITE)
    bare = answer.headers["location"].partition("?")[0]
    assert desk.client.get(bare).status_code in {401, 403, 404}


def test_a_booking_as_json_with_a_key_is_answered_as_vitec_answers(desk: Desk) -> None:
    for body in (booking(), booking(returnBookingId=True)):
        path = viewing_path()
        answer = desk.client.post(path, json=body, headers=key())
        is_delivered(answer)
        assert answer.json() == desk.delivered(path).answer
        assert isinstance(answer.json(), str)


def test_an_interest_as_json_is_answered_null_where_vitec_sends_no_body(desk: Desk) -> None:
    for caller in (key(), SITE):
        answer = desk.client.post(interest_path(), json=interest(), headers=caller)
        is_delivered(answer)
        assert answer.json() is None


@BOTH
def test_without_a_key_the_answer_is_always_null(tmp_path: Path, make: Make, body: Members) -> None:
    with open_desk(tmp_path) as desk:
        desk.office.answer_interest_with_contact_id = True
        path = make()
        answer = desk.client.post(path, json=body, headers=SITE)
        is_delivered(answer)
        assert answer.text == "null"
        result = desk.delivered(path).answer
        assert isinstance(result, str)
        assert all(result not in value for value in answer.headers.values())
        with_key = desk.client.post(make(), json=body, headers=key())
        assert isinstance(with_key.json(), str)


@BOTH
def test_json_that_prefers_not_to_wait_is_answered_202_at_once(desk: Desk, make: Make, body: Members) -> None:
    for preference in ("respond-async", "Respond-Async", "wait=10, respond-async", "respond-async,return=minimal"):
        path = make()
        answer = desk.client.post(path, json=body, headers=key() | {"Prefer": preference})
        assert set(answer.json()) == {"id", "status", "statusUrl"}, preference
        assert answer.status_code == 202
        assert desk.delivered(path)


def test_a_preference_may_have_parameters(desk: Desk) -> None:
    """RFC 7240, section 2."""
    headers = key() | {"Prefer": 'respond-async; foo="bar, baz"'}
    assert desk.client.post(interest_path(), json=interest(), headers=headers).status_code == 202


def test_another_preference_changes_nothing(desk: Desk) -> None:
    for preference in ("return=minimal", "wait=0", "handling=lenient", "respond-asynchronously", ""):
        is_delivered(desk.client.post(interest_path(), json=interest(), headers=key() | {"Prefer": preference}))


def test_respond_async_is_always_202_with_the_status_as_it_is(desk: Desk) -> None:
    path = viewing_path()
    headers = key() | {"Idempotency-Key": "once"}
    identity = is_delivered(desk.client.post(path, json=booking(), headers=headers))
    again = desk.client.post(path, json=booking(), headers=headers | {"Prefer": "respond-async"})
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["status"]) == (identity, "delivered")


@BOTH
def test_a_json_post_waits_so_long_and_no_longer(hasty: Desk, make: Make, body: Members) -> None:
    hasty.office.order(Fault(delay_seconds=2, times=1))
    path, began = make(), time.monotonic()
    told = is_pending(hasty.client.post(path, json=body, headers=key()))
    assert 0.4 < time.monotonic() - began < 1.8
    assert hasty.client.get(told["statusUrl"].removeprefix(PUBLIC_URL)).status_code == 200
    assert hasty.delivered(path)


def test_a_booking_form_waits_so_long_and_then_gets_its_receipt(hasty: Desk) -> None:
    hasty.office.order(Fault(delay_seconds=2, times=1))
    began = time.monotonic()
    answer = hasty.client.post(viewing_path(), data=fields(booking()), headers=SITE)
    assert 0.4 < time.monotonic() - began < 1.8
    assert receipt_of(hasty, answer)


def test_an_interest_form_does_not_wait_for_vitec(desk: Desk) -> None:
    desk.office.order(Fault(delay_seconds=2, times=1))
    path, began = interest_path(), time.monotonic()
    answer = desk.client.post(path, data=fields(interest()), headers=SITE)
    assert time.monotonic() - began < 1
    assert receipt_of(desk, answer)
    assert desk.delivered(path)


def test_a_slow_answer_within_the_wait_is_the_answer(desk: Desk) -> None:
    desk.office.order(Fault(delay_seconds=0.7, times=1))
    is_delivered(desk.client.post(viewing_path(), json=booking(), headers=key()))


def at_the_second(desk: Desk, path: str) -> bool:
    """Whether the CRM was called twice, and did it the second time."""
    return [call.carried_out for call in desk.received(path)] == [False, True]


def test_when_vitec_fails_for_a_while_a_post_is_accepted_and_delivered_later(hasty: Desk) -> None:
    retry_after = {"Retry-After": "1"}
    for fault in ({"status": 503, "headers": retry_after}, {"status": 429}, {"status": 500}, {"cut": True}):
        hasty.office.order(Fault.model_validate(fault | {"times": 4}))
    programs, visitors = (
        {interest_path(): interest() for _ in range(4)} | {viewing_path(): booking() for _ in range(4)}
        for _ in range(2)
    )

    def post(path: str) -> httpx.Response:
        content: Any = {"json": programs[path]} if path in programs else {"data": fields(visitors[path])}
        return httpx.post(f"{hasty.url}{path}", headers=SITE, timeout=30, **content)

    with ThreadPoolExecutor(16) as threads:
        answers = dict(zip([*programs, *visitors], threads.map(post, [*programs, *visitors]), strict=True))
    for path in programs:
        is_pending(answers[path])
    for path in visitors:
        assert receipt_of(hasty, answers[path])
    assert eventually(lambda: all(at_the_second(hasty, path) for path in answers))


def test_when_vitec_refuses_our_login_nothing_is_lost_and_no_one_is_told(tmp_path: Path) -> None:
    with open_desk(tmp_path, delivery={"wait_seconds": 0.5}, vitec={"paused_probe_seconds": 1}) as desk:
        desk.office.order(Fault(status=401))
        posts = {interest_path(): interest(), viewing_path(): booking()}
        for path, body in posts.items():
            is_pending(desk.client.post(path, json=body, headers=SITE))
        desk.office.lift()
        assert eventually(lambda: all(any(call.carried_out for call in desk.received(path)) for path in posts))


@BOTH
def test_faults_of_json_are_a_problem_with_each_field(desk: Desk, make: Make, body: Members) -> None:
    answer = desk.client.post(make(), json=body | {"contactMessage": 5, "fax": "1"}, headers=SITE)
    assert set(faults_of(answer)) == {"contactMessage", "fax"}
    content = answer.json()
    assert content["status"] == 400
    assert "upstream" not in content
    assert all(error["message"] != error["code"] for error in content["errors"])


TYPED = {
    "firstName": "  Anna ",
    "lastName": "",
    "email.emailAddress": 'anna"@',
    "contactMessage": "Rad ett\nRad två <b>&amp;</b>\n\n  sist ",
    "address.streetAddress": "Storgatan 1",
    "address.zipCode": "12345",
    "address.city": "Ort's",
}
TYPED_INTEREST = TYPED | {
    "telephone.cell": "070 - 1",
    "status": "VeryInterested",
    "presentAccommodation.estateType": "Cottage",
    "presentAccommodation.livingSpace": "75,5 m2",
    "presentAccommodation.numberOfRooms": "3",
    "presentAccommodation.price": "2 500 000",
    "presentAccommodation.other": "Pool",
}
TYPED_BOOKING = TYPED | {"cellPhone": "070 - 1", "address.countryCode": "NO", "mailConfirmation": "true"}


def kept(page: Any, typed: dict[str, str]) -> None:
    values = {name: page.values.get(name, "").replace("\r\n", "\n") for name in typed}
    assert {name: value.strip() for name, value in values.items()} == {n: v.strip() for n, v in typed.items()}


@pytest.mark.parametrize(("make", "typed"), [(interest_path, TYPED_INTEREST), (viewing_path, TYPED_BOOKING)])
@pytest.mark.parametrize("multipart", [False, True])
def test_a_faulty_form_comes_again_with_every_value_a_summary_and_each_fault_at_its_field(
    desk: Desk, make: Make, typed: dict[str, str], multipart: bool
) -> None:
    path = make()
    data: Any = {"files": {n: (None, v) for n, v in typed.items()}} if multipart else {"data": typed}
    answer = desk.client.post(path, headers=SITE, **data)
    assert answer.status_code == 400
    page = page_of(answer)
    kept(page, typed)
    if make is viewing_path:
        assert "smsReminder" in page.values or "ticks" not in typed
    assert {"lastName", "email.emailAddress"} <= page.faulty
    for name in page.faulty:
        assert f"#{name.replace('.', '-')}" in page.links
        assert page.messages[f"{name.replace('.', '-')}-fault"]
    assert page.title.startswith(("Fel:", "Error:"))
    assert desk.nothing_at(path)


def test_a_tick_taken_away_stays_away_when_the_form_comes_again(desk: Desk) -> None:
    page = desk.page(viewing_path())
    del page.values["smsReminder"]
    again = page_of(page.submit(desk.client, {"firstName": ""}, **SITE))
    assert "smsReminder" not in again.values
    assert "mailConfirmation" in again.values


SLOT_IS_FULL = Fault(status=400, body='{"message": "Visningstiden är fullbokad."}')


@pytest.fixture(scope="module")
def sullen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A service whose CRM is told by each test how to refuse."""
    with open_desk(tmp_path_factory.mktemp("sullen")) as desk:
        yield desk


@pytest.fixture
def full(sullen: Desk) -> Iterator[Desk]:
    """Vitec refuses everything, in its own words."""
    sullen.office.order(SLOT_IS_FULL)
    yield sullen
    sullen.office.lift()


def test_a_booking_that_vitec_refuses_comes_again_as_form_with_vitecs_words(full: Desk) -> None:
    typed = fields(booking({"address": {"city": "Ort"}}, contactMessage="Två rader\nhär"))
    path = viewing_path()
    answer = full.client.post(path, data=typed, headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    kept(page, typed)
    assert "Visningstiden är fullbokad." in page.alert
    assert not page.faulty
    full.office.lift()
    assert page.submit(full.client, {}, **SITE).status_code == 303


def test_an_interest_that_vitec_refuses_has_its_receipt_all_the_same(full: Desk) -> None:
    path = interest_path()
    answer = full.client.post(path, data=fields(interest()), headers=SITE)
    assert receipt_of(full, answer)
    assert eventually(lambda: full.received(path))
    assert "fullbokad" not in receipt_of(full, answer).text


@BOTH
@pytest.mark.parametrize("caller", [SITE, key()])
def test_json_that_vitec_refuses_is_a_problem_with_vitecs_words(
    full: Desk, make: Make, body: Members, caller: dict[str, str]
) -> None:
    content = problem(full.client.post(make(), json=body, headers=caller), 400)
    assert "Visningstiden är fullbokad." in str(content["upstream"])
    assert not content.get("errors")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ('{"Message": "Fullt.", "ModelState": {"participant.updatePerson": ["Fel"]}}', "Fullt."),
        ('"Fullt."', "Fullt."),
        ('{"message": "<script>alert(1)</script>"}', "<script>alert(1)</script>"),
        ("not json", ""),
        ("", ""),
        ("[1]", ""),
        ('{"message": {"a": 1}, "modelState": 5}', ""),
        ("null", ""),
        ('{"message": "' + "x" * 100_000 + '"}', "xxx"),
    ],
    ids=range(9),
)
def test_whatever_words_vitec_refuses_with_are_shown_as_text(sullen: Desk, words: str, shown: str) -> None:
    sullen.office.order(Fault(status=400, body=words, times=2))
    content = problem(sullen.client.post(viewing_path(), json=booking(), headers=key()), 400)
    assert isinstance(content["upstream"], dict)
    assert shown in str(content["upstream"])
    answer = sullen.client.post(viewing_path(), data=fields(booking()), headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.alert.strip()
    assert shown in page.alert
    assert "<script>alert" not in answer.text


def test_an_unknown_estate_is_asked_for_once_more_and_then_refused(tmp_path: Path) -> None:
    with open_desk(tmp_path) as desk:
        desk.office.estates = frozenset()
        path = interest_path()
        headers = key() | {"Idempotency-Key": "1"}
        told = is_pending(desk.client.post(path, json=interest(), headers=headers | {"Prefer": "respond-async"}))
        status = f"/submissions/{told['id']}"
        assert eventually(lambda: desk.client.get(status, headers=key()).json()["status"] == "rejected")
        assert len(desk.received(path)) == 2


@BOTH
def test_vitecs_answer_that_cannot_be_read_is_an_answer(tmp_path: Path, make: Make, body: Members) -> None:
    with open_desk(tmp_path) as desk:
        desk.office.order(Fault(status=200, body='{"id": ', carried_out=True, times=1))
        path = make()
        answer = desk.client.post(path, json=body, headers=key())
        is_delivered(answer)
        assert answer.json() is None
        assert len(desk.received(path)) == 1


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Desk]:
    """Two posts an hour from an address; the addresses are told by a proxy."""
    customer = {"id": CUSTOMER, "rate_limit": "2/hour"}
    with open_desk(tmp_path, customers=[customer], trusted_proxies=["127.0.0.1"]) as desk:
        yield desk


def from_address(address: str) -> dict[str, str]:
    return SITE | {"X-Forwarded-For": address}


@BOTH
def test_too_many_from_one_address_are_429_with_everything_kept(limited: Desk, make: Make, body: Members) -> None:
    caller = from_address("192.0.2.1")
    for _ in range(2):
        assert limited.client.post(make(), data=fields(body), headers=caller).status_code == 303
    path = make()
    typed = fields(body | {"contactMessage": "Kvar"})
    answer = limited.client.post(path, data=typed, headers=caller)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    page = page_of(answer)
    kept(page, typed)
    assert page.alert.strip()
    refused = limited.client.post(path, json=body, headers=caller)
    problem(refused, 429)
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert limited.nothing_at(path)
    assert limited.client.post(path, data=typed, headers=from_address("192.0.2.2")).status_code == 303


def test_an_ipv6_visitor_is_counted_by_its_64(limited: Desk) -> None:
    def post(address: str) -> int:
        answer = limited.client.post(interest_path(), data=fields(interest()), headers=from_address(address))
        return answer.status_code

    assert [post(f"2001:db8:1:2:{n}::1") for n in range(3)] == [303, 303, 429]
    assert post("2001:db8:1:3::1") == 303
    assert post("192.0.2.1") == 303


def test_api_key_calls_have_no_such_limit(limited: Desk) -> None:
    for _ in range(5):
        answer = limited.client.post(interest_path(), json=interest(), headers=key() | {"X-Forwarded-For": "192.0.2.9"})
        assert answer.status_code == 200


def test_an_address_is_believed_from_a_trusted_proxy_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' server would believe this machine by itself; `intresse serve` starts it with proxy_headers=False.
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "")
    with open_desk(tmp_path, customers=[{"id": CUSTOMER, "rate_limit": "2/hour"}]) as desk:
        statuses = [
            desk.client.post(interest_path(), data=fields(interest()), headers=from_address(f"192.0.2.{n}")).status_code
            for n in range(3)
        ]
    assert statuses == [303, 303, 429]


def test_when_it_cannot_be_stored_nobody_is_told_that_it_was(tmp_path: Path) -> None:
    """Somebody else holds SQLite's one write lock for longer than we wait for it."""
    with open_desk(tmp_path, deliver=False) as desk, ThreadPoolExecutor(4) as threads:
        locker = sqlite3.connect(str(tmp_path / "intresse.db"), isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        typed = {path: fields(body) for path, body in ((interest_path(), interest()), (viewing_path(), booking()))}
        forms = [threads.submit(desk.client.post, path, data=data, headers=SITE) for path, data in typed.items()]
        programs = [
            threads.submit(desk.client.post, interest_path(), json=interest(), headers=SITE),
            threads.submit(desk.client.post, viewing_path(), json=booking(), headers=key()),
        ]
        answers = [form.result() for form in forms], [program.result() for program in programs]
        locker.execute("ROLLBACK")
        locker.close()
        for answer, data in zip(answers[0], typed.values(), strict=True):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            page = page_of(answer)
            kept(page, data)
            assert PHONE in page.text
        for answer in answers[1]:
            problem(answer, 503)
            assert int(answer.headers["retry-after"]) > 0
        assert page_of(answers[0][0]).submit(desk.client, {}, **SITE).status_code == 303


def test_what_was_accepted_is_on_disk_before_anyone_is_answered(tmp_path: Path) -> None:
    with open_desk(tmp_path, deliver=False) as desk:
        answer = desk.client.post(interest_path(), json=interest(), headers=key() | {"Prefer": "respond-async"})
        told = is_pending(answer)
        with sqlite3.connect(str(tmp_path / "intresse.db")) as reader:
            tables = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [str(row) for table in tables for row in reader.execute(f"SELECT * FROM {table}")]
        assert any(told["id"] in row for row in rows)
        assert not any("anna@example.se" in row for row in rows)


def test_what_was_accepted_before_a_restart_is_delivered_after_it(tmp_path: Path) -> None:
    path = interest_path()
    with open_desk(tmp_path, deliver=False) as desk:
        assert desk.client.post(path, data=fields(interest()), headers=SITE).status_code == 303
    with open_desk(tmp_path) as desk:
        assert desk.delivered(path).body["firstName"] == "Anna"
