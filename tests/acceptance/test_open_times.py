"""A home's open times over HTTP: one read for all callers, what is shown, and a booking by home and slot alone."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox import Fault, Office, Slot, Viewing
from app.statistics.page_views import PageViews
from tests.acceptance.html_page import page_of
from tests.conftest import API_KEY, CUSTOMER, ORIGIN
from tests.servers import eventually, serve

Start = Callable[..., httpx.Client]
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SOON, HOUR = NOW + timedelta(days=3), timedelta(hours=1)
HOME = f"/v2/Advertising/Form/{CUSTOMER}/Estate/OBJ1"
FORM = f"/forms/{CUSTOMER}/viewing/OBJ1"
ATTEND = f"{HOME}/Viewing/Attend"
JSON = {"Accept": "application/json"}
KEY = {"Authorization": f"Bearer {API_KEY}"}
PERSON = {"firstName": "Anna", "lastName": "Åkesson", "cellPhone": "070-174 06 05"}
TYPED = PERSON | {"consent": "true", "lead.message": "Vi kommer två"}


@pytest.fixture(autouse=True)
def _homes(office: Office) -> None:
    office.estates = frozenset({"OBJ1", "OBJ2"})
    office.viewings = {
        "VIS1": Viewing("OBJ1", SOON, SOON + HOUR, comment="Porten <b>till</b> vänster"),
        "VIS2": Viewing("OBJ1", SOON + 24 * HOUR, SOON + 25 * HOUR, deadline_at=NOW - HOUR),
        "OLD": Viewing("OBJ1", NOW - 300 * HOUR, NOW - 299 * HOUR),
        "HIDDEN": Viewing("OBJ1", SOON, SOON + HOUR, is_visible=False),
        "CLOSED": Viewing("OBJ1", SOON, SOON + HOUR, is_self_registration_enabled=False),
        "ELSE": Viewing("OBJ2", SOON, SOON + HOUR, is_visible=False),
    }
    office.slots = {
        ("VIS1", "T1"): Slot(capacity=1, starts_at=SOON, ends_at=SOON + HOUR / 2),
        ("VIS1", "T2"): Slot(capacity=0, starts_at=SOON + HOUR / 2, ends_at=SOON + HOUR),
        ("VIS2", "LATE"): Slot(deadline_at=NOW - HOUR),
        **{(name, f"OF-{name}"): Slot() for name in ("OLD", "HIDDEN", "CLOSED", "ELSE")},
    }


def reads(office: Office) -> int:
    return sum(call.operation == "estate" for call in office.received)


def attended(office: Office) -> list[Any]:
    return [call for call in office.received if call.operation in {"attend", "viewing"}]


def booked(client: httpx.Client, slot: str = "T1", **more: str) -> httpx.Response:
    return page_of(client.get(FORM)).submit(client, TYPED | {"timeSlotId": slot} | more)


@pytest.mark.parametrize("path", [FORM, HOME, HOME.lower().replace(CUSTOMER.lower(), CUSTOMER).replace("obj1", "OBJ1")])
def test_only_what_can_be_booked_is_shown(client: httpx.Client, path: str) -> None:
    answer = client.get(path, params={"lang": "sv"})
    assert answer.status_code == 200
    page = page_of(answer)
    assert "Storgatan 1, Ankeborg" in page.text
    assert re.findall(r'<input type="radio" name="timeSlotId" value="(\w+)"( disabled)?', answer.text) == [
        *(("T1", ""), ("T2", " disabled"), ("LATE", " disabled")),
    ]
    assert "fullbokad" in page.text
    assert "anmälan är stängd" in page.text
    assert "Porten <b>till</b> vänster" in page.text
    assert page.values["timeSlotId"] == "T1"  # the only one left


def test_json_omits_the_agents_and_with_a_key_it_is_vitecs_own(client: httpx.Client, office: Office) -> None:
    answer = client.get(HOME, headers=JSON | {"Origin": ORIGIN})
    home = answer.json()
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert set(home) == {"id", "address", "viewings"}
    assert home["address"]["streetAddress"] == "Storgatan 1"
    assert [viewing["id"] for viewing in home["viewings"]] == ["VIS1", "VIS2"]
    begins = SOON.astimezone(ZoneInfo("Europe/Stockholm")).isoformat()
    assert home["viewings"][0] == {
        "id": "VIS1",
        "startsAt": begins,
        "endsAt": (SOON + HOUR).astimezone(ZoneInfo("Europe/Stockholm")).isoformat(),
        "deadlineAt": None,
        "comment": "Porten <b>till</b> vänster",
        "timeSlots": home["viewings"][0]["timeSlots"],
    }
    assert [slot["isRegistrationAvailable"] for slot in home["viewings"][0]["timeSlots"]] == [True, False]
    for accept in ({}, JSON, {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}):  # Java's default
        assert client.get(HOME, headers=KEY | accept).json() == office.received[0].answer
    assert client.get(FORM, headers=JSON).json() == home
    preferring_json = {"Accept": "Application/JSON, text/html;q=0.5"}
    assert client.get(HOME, headers=preferring_json).json() == home


@pytest.mark.parametrize("headers", [JSON, {"Accept": "text/html"}, {}])
def test_an_unknown_home_is_not_found_and_asked_for_once(
    client: httpx.Client, office: Office, headers: dict[str, str]
) -> None:
    for _ in range(3):
        answer = client.get(HOME.replace("OBJ1", "OBJ9"), headers=headers)
        assert answer.status_code == 404
        assert ("08-123 456 78" in answer.text) == (headers != JSON)
    assert reads(office) == 1


def test_another_customers_home_is_not_found(client: httpx.Client, office: Office) -> None:
    office.inject(Fault(status=403))
    assert client.get(FORM).status_code == 404
    assert client.get("/forms/M99999/viewing/OBJ1").status_code == 404


def test_simultaneous_requests_cause_one_read(client: httpx.Client, office: Office) -> None:
    office.inject(Fault(delay_seconds=0.3, operation="estate"))
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: client.get(FORM), range(60)))
    assert {answer.status_code for answer in answers} == {200}
    assert all('value="T1"' in answer.text for answer in answers)
    assert reads(office) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503),
        Fault(status=500),
        Fault(status=401),
        Fault(status=404, body="<html>Underhåll</html>"),
        Fault(status=200, body="[]"),
        Fault(status=200, body='{"viewings": '),
        Fault(status=200, body="<html>Underhåll</html>"),
        Fault(status=200, body='{"message": "Fel"}'),
        Fault(status=200, body=json.dumps({"x": "y" * 3_000_000})),
        Fault(cut=True),
        Fault(truncated=True),
    ],
    ids=lambda fault: str(fault)[:60],
)
def test_a_form_that_cannot_show_the_times_says_so_and_offers_an_interest(
    start: Start, office: Office, fault: Fault
) -> None:
    client = start()
    office.inject(fault)
    answer = client.get(FORM, params={"utm_source": "google", "title": "Storgatan 1", "lang": "sv"})
    page = page_of(answer)
    assert answer.status_code == 200
    assert "Tiderna kan inte visas just nu" in page.text
    assert "08-123 456 78" in page.text
    [link] = re.findall(r'class="second" href="([^"]+)"', answer.text)
    interest = client.get(link.replace("&amp;", "&"))
    assert "Storgatan 1" in interest.text
    assert "utm_source=google" in link
    assert client.get(FORM, headers=JSON).status_code in {502, 503}


@pytest.mark.parametrize(
    "body",
    [
        '{"viewings": null, "address": 7}',
        '{"viewings": [null, 1, {}, {"id": {}, "isVisible": true, "isSelfRegistrationEnabled": true, "timeSlots": 3}]}',
        '{"viewings": [{"id": "V", "isVisible": true, "isSelfRegistrationEnabled": true, "startsAt": "x", "timeSlots": '
        '[{"id": "T", "startsAt": "9999-12-31T23:59:59-23:59"}, {"id": "../x", "startsAt": "2999-01-01T10:00"}]}]}',
    ],
)
def test_a_home_without_times_says_so_kindly_and_offers_an_interest(start: Start, office: Office, body: str) -> None:
    client = start()
    office.inject(Fault(status=200, body=body))
    answer = client.get(FORM, params={"lang": "sv"})
    assert "Det finns inga tider att boka just nu" in page_of(answer).text
    assert f"/forms/{CUSTOMER}/interest/OBJ1" in answer.text
    assert client.get(FORM, headers=JSON).json()["viewings"] == []


def test_a_full_viewing_is_shown_as_full_with_its_times(client: httpx.Client, office: Office) -> None:
    office.slots = {("VIS1", "T2"): Slot(capacity=0)}
    page = page_of(client.get(FORM, params={"lang": "sv"}))
    assert "Alla tider är tagna" in page.text
    assert not page.has_form


@pytest.mark.parametrize("call", ["participant", "attend"])
def test_a_booking_by_home_goes_by_the_call_of_the_configuration(start: Start, office: Office, call: str) -> None:
    client = start(customer={"viewing": {"call": call, "lead_source_id": "L1"}})
    page = page_of(client.get(FORM, params={"utm_source": "google", "lang": "sv"}))
    answer = page.submit(client, TYPED | {"timeSlotId": "T1", "email": "anna@example.se"})
    assert answer.status_code == 303
    receipt = client.get(answer.headers["location"])
    assert "Din plats är bokad" in receipt.text
    assert "viewing.ics" in receipt.text
    assert "Storgatan 1, Ankeborg" in receipt.text
    [received] = attended(office)
    assert received.unknown_members == ()
    if call == "participant":
        assert received.path == f"/Viewing/{CUSTOMER}/VIS1/T1/Participant"
        assert received.body["updatePerson"]["email"] == {"emailAddress": "anna@example.se"}
        assert received.body["updatePerson"]["gdprApprovalDate"]
        assert received.body["contactMessage"] == "Vi kommer två"
        assert (received.body["smsReminder"], received.body["reminderTime"]) == (True, 60)
    else:
        assert received.path == ATTEND
        assert received.body == {
            "timeSlotId": "T1",
            "firstName": "Anna",
            "lastName": "Åkesson",
            "cellPhone": "+46701740605",
            "email": "anna@example.se",
            "gdpr": {"hasApproved": True},
            "lead": {"leadSourceId": "L1", "message": "Vi kommer två"},
            "confirmation": {"isEmailEnabled": True, "isSmsEnabled": False},
            "validation": {"isBookingLimitEnabled": True, "isDeadLineEnabled": True},
            "reminderTime": 60,
            "marketing": {"utmTags": [{"name": "utm_source", "value": "google"}]},
        }


@pytest.mark.parametrize(("call", "leads"), [("participant", 1), ("attend", 0)])
def test_no_lead_follows_a_booking_that_carries_its_marketing(
    start: Start, office: Office, call: str, leads: int
) -> None:
    lead = {"lead_source_id": "L", "assigned_to_id": "A1"}
    client = start(customer={"viewing": {"call": call}, "lead": lead})
    page_of(client.get(FORM, params={"utm_source": "x"})).submit(client, TYPED | {"timeSlotId": "T1"})
    eventually(lambda: office.bookings)
    if leads:
        eventually(lambda: [call for call in office.received if call.operation == "lead"])
    assert sum(call.operation == "lead" for call in office.received) == leads


@pytest.mark.parametrize("call", ["participant", "attend"])
def test_options_that_a_visitor_declines_are_sent_as_declined(start: Start, office: Office, call: str) -> None:
    client = start(customer={"viewing": {"call": call}})
    page = page_of(client.get(FORM))
    del page.values["reminderTime"], page.values["confirmation.isEmailEnabled"]
    assert page.submit(client, TYPED | {"timeSlotId": "T1"}).status_code == 303
    body = attended(office)[0].body
    if call == "participant":
        assert (body["smsReminder"], body["mailConfirmation"]) == (False, False)
    else:
        assert "reminderTime" not in body
        assert body["confirmation"]["isEmailEnabled"] is False


@pytest.mark.parametrize("call", ["participant", "attend"])
def test_options_that_cost_money_are_not_sent_on_without_a_key(start: Start, office: Office, call: str) -> None:
    client = start(customer={"viewing": {"call": call, "sms_reminder": False}})
    body = PERSON | {
        "timeSlotId": "T1",
        "reminderTime": 5,
        "confirmation": {"isSmsEnabled": True},
        "lead": {"leadSourceId": "MINE", "message": "Hej"},
        "validation": {"isBookingLimitEnabled": False},
        "gdpr": {"hasApproved": True},
    }
    assert client.post(ATTEND, json=body, headers={"Origin": ORIGIN}).json() is None
    text = json.dumps(attended(office)[0].body)
    assert "MINE" not in text
    sent = attended(office)[0].body
    if call == "attend":
        assert "reminderTime" not in sent
        assert (sent["confirmation"]["isSmsEnabled"], sent["validation"]["isBookingLimitEnabled"]) == (False, True)
    else:
        assert (sent["smsReminder"], sent["smsConfirmation"]) == (False, False)
        assert sent["options"]["enableBookingLimitValidation"] is True


@pytest.mark.parametrize("call", ["participant", "attend"])
def test_a_program_with_a_key_gets_what_attend_answers(start: Start, office: Office, call: str) -> None:
    client = start(customer={"viewing": {"call": call}})
    body = PERSON | {"timeSlotId": "T1", "lead": {"leadSourceId": "MINE"}}
    answer = client.post(ATTEND, json=body, headers=KEY)
    assert answer.json() == {"contactId": office.bookings[0].contact_id}
    assert "MINE" in json.dumps(attended(office)[0].body)


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({}, ATTEND),
        ({"telePhone": "08-465 004 00"}, "Participant"),
        ({"address": {"countryCode": "NO"}}, "Participant"),
    ],
)
def test_at_vitecs_own_path_attend_is_used_where_it_can_carry_all(
    start: Start, office: Office, more: dict[str, Any], path: str
) -> None:
    client = start(customer={"viewing": {"call": "attend"}})
    body = {"updatePerson": PERSON | {"gdprApprovalDate": "2026-01-01"} | more}
    answer = client.post(f"/Viewing/{CUSTOMER}/VIS1/T1/Participant?estate=OBJ1", json=body, headers=KEY)
    assert answer.json() == office.bookings[0].contact_id  # as that path answers it, whichever call it was
    assert attended(office)[0].path.endswith(path)
    assert reads(office) == 0


@pytest.mark.parametrize("slot", ["OF-ELSE", "OF-OLD", "OF-HIDDEN", "NOWHERE", "../x"])
def test_a_time_that_is_not_the_homes_or_has_passed_is_refused_with_everything_kept(
    client: httpx.Client, office: Office, slot: str
) -> None:
    answer = booked(client, slot)
    page = page_of(answer)
    assert answer.status_code == 400
    assert page.values["lead.message"] == "Vi kommer två"
    assert page.links == ["#timeSlotId"]
    body = PERSON | {"timeSlotId": slot, "gdpr": {"hasApproved": True}}
    refused = client.post(ATTEND, json=body, headers={"Origin": ORIGIN})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "timeSlotId")
    assert attended(office) == []


@pytest.mark.parametrize("slot", [5, ["T1"], "T" * 41])
def test_a_time_that_cannot_be_one_is_a_single_error(client: httpx.Client, slot: object) -> None:
    body = PERSON | {"timeSlotId": slot, "gdpr": {"hasApproved": True}}
    answer = client.post(ATTEND, json=body, headers={"Origin": ORIGIN})
    assert [error["field"] for error in answer.json()["errors"]] == ["timeSlotId"]


def test_a_missing_time_and_a_missing_consent_are_errors(client: httpx.Client) -> None:
    answer = client.post(ATTEND, json=PERSON, headers={"Origin": ORIGIN})
    assert [error["field"] for error in answer.json()["errors"]] == ["timeSlotId", "consent"]
    body = PERSON | {"timeSlotId": "T1", "gdpr": {"hasApproved": False}}
    assert client.post(ATTEND, json=body, headers={"Origin": ORIGIN}).status_code == 400


@pytest.mark.parametrize("call", ["participant", "attend"])
def test_a_time_that_was_taken_while_the_visitor_typed_is_read_again_and_shown_as_full(
    start: Start, office: Office, call: str
) -> None:
    client = start(customer={"viewing": {"call": call}})
    office.slots = dict(office.slots or {}) | {("VIS1", "T3"): Slot(contested=True)}
    page = page_of(client.get(FORM, params={"lang": "sv"}))
    assert reads(office) == 1
    answer = page.submit(client, TYPED | {"timeSlotId": "T3"})
    assert answer.status_code == 400
    assert reads(office) == 2
    assert "Visningstiden är fullbokad." in page_of(answer).alert
    assert page_of(answer).values["lead.message"] == "Vi kommer två"
    assert 'value="T3" disabled' in answer.text
    assert 'value="T3" disabled' in client.get(FORM).text
    again = page_of(answer).submit(client, {"timeSlotId": "T1"})
    assert again.status_code == 303


def test_two_visitors_race_for_the_last_place_and_one_gets_it(client: httpx.Client, office: Office) -> None:
    pages = [page_of(client.get(FORM, params={"lang": "sv"})) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda n: pages[n].submit(client, TYPED | {"timeSlotId": "T1", "firstName": f"Anna{'AB'[n]}"}), range(2)
            )
        )
    assert sorted(answer.status_code for answer in answers) == [303, 400]
    [lost] = [answer for answer in answers if answer.status_code == 400]
    assert len(office.bookings) == 1
    assert "Alla tider är tagna" in page_of(lost).text
    assert "Skicka som intresseanmälan i stället" in lost.text


@pytest.mark.parametrize("known", [True, False])
def test_a_booking_is_accepted_while_vitec_is_down(start: Start, office: Office, known: bool) -> None:
    client = start(delivery={"wait_seconds": 0.2, "retry_seconds": [1]})
    page = page_of(client.get(FORM)) if known else None
    office.inject(Fault(status=503))
    if page:
        answer = page.submit(client, TYPED | {"timeSlotId": "T1"})
    else:
        answer = client.post(FORM, data=TYPED | {"timeSlotId": "T1"}, headers={"Origin": ORIGIN})
    assert answer.status_code == 303
    office.clear_faults()
    [booking] = eventually(lambda: office.bookings)
    assert (booking.viewing_id, booking.time_slot_id) == ("VIS1", "T1")


def test_the_form_at_vitecs_address_posts_to_vitecs_and_its_links_lead_back(client: httpx.Client) -> None:
    page = page_of(client.get(HOME, params={"utm_source": "x"}))
    assert page.action == f"{ATTEND}?utm_source=x"
    answer = page.submit(client, {"firstName": "Anna"})
    assert answer.status_code == 400
    [link] = re.findall(r'<a href="([^"]+)" lang="en"', answer.text)
    english = client.get(str(httpx.URL(str(answer.url)).join(link.replace("&amp;", "&"))))
    assert english.status_code == 200
    assert "utm_source=x" in str(english.url)
    assert client.get(ATTEND).status_code == 405


def test_an_unknown_home_keeps_what_was_typed_and_offers_an_interest(client: httpx.Client, office: Office) -> None:
    office.estates = frozenset()
    gone = client.post(FORM, data=TYPED | {"timeSlotId": "T1"}, headers={"Origin": ORIGIN})
    assert gone.status_code == 404
    assert "Skicka som intresseanmälan i stället" in gone.text
    assert "Vi kommer två" in gone.text
    body = PERSON | {"timeSlotId": "T1", "gdpr": {"hasApproved": True}}
    answer = client.post(ATTEND.replace("OBJ1", "OBJ9"), json=body, headers={"Origin": ORIGIN})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


NEVER = 30.0  # seconds; no test waits for it


@pytest.fixture
def slow_vitec() -> Iterator[str]:
    """A Vitec that never answers."""

    async def answer(_: Request) -> Response:
        await asyncio.sleep(NEVER)
        return Response()

    with serve(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]), drops=True) as url:
        yield url


@pytest.mark.usefixtures("pages_in_time")
def test_a_cold_page_waits_two_seconds_for_vitec_and_the_next_one_not_at_all(start: Start, slow_vitec: str) -> None:
    client = start(vitec={"base_url": slow_vitec})
    first, *others = (client.get(FORM, params={"lang": "sv"}) for _ in range(4))
    assert all("Tiderna kan inte visas just nu" in answer.text for answer in (first, *others))
    assert 1.5 <= first.elapsed.total_seconds() < NEVER / 2
    assert min(answer.elapsed.total_seconds() for answer in others) < 1  # any of them may meet a busy machine


def test_strangers_who_ask_for_made_up_homes_cost_the_known_ones_nothing(start: Start, office: Office) -> None:
    client = start(vitec={"requests_per_second": 25})
    assert client.get(FORM).status_code == 200
    before = datetime.now(UTC)
    with ThreadPoolExecutor(16) as pool:
        made_up = pool.map(lambda n: client.get(f"/forms/{CUSTOMER}/viewing/X{n}").status_code, range(100))
        eventually(lambda: office.received[1:])
        assert 'value="T1"' in client.get(FORM).text
        statuses = set(made_up)
    seconds = (datetime.now(UTC) - before).total_seconds()
    assert statuses <= {200, 404}
    assert reads(office) <= 25 * seconds + 5


@pytest.mark.parametrize("call", ["participant", "attend"])
def test_a_booking_by_home_can_be_cancelled(start: Start, office: Office, call: str) -> None:
    client = start(customer={"viewing": {"call": call, "cancel": True}})
    receipt = client.get(booked(client).headers["location"])
    assert "Avboka" in receipt.text or "Cancel" in receipt.text


def test_a_head_request_is_no_view_of_a_form(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    viewed: list[str] = []
    monkeypatch.setattr(PageViews, "count", lambda _, __, operation, *___: viewed.append(operation))
    for path in (FORM, f"/forms/{CUSTOMER}/interest/OBJ1"):
        assert client.head(path).status_code == 200
        assert viewed == []
        assert client.get(path).status_code == 200
        assert viewed.pop()
