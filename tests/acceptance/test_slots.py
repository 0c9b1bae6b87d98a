"""A visitor chooses a time. If it is full, another time or an interest is one press away."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, Page, expect

from app.sandbox import Office, Slot
from tests.conftest import CUSTOMER, ORIGIN
from tests.servers import eventually

TIMES = (
    "FULL@2099-11-29T13:00:00+01:00/2099-11-29T13:15:00+01:00",
    "FREE@2099-11-29T12:15:00Z/2099-11-29T12:30:00Z",
    "LATE@2099-12-01T17:30/2099-12-01T18:00",
)
HOME = "Tvåa med balkong, Storgatan 1"
Public = Callable[..., str]


@pytest.fixture(autouse=True)
def _viewing(office: Office) -> None:
    office.slots = {("VIS1", "FULL"): Slot(capacity=0), ("VIS1", "FREE"): Slot(), ("VIS1", "LATE"): Slot()}


def path(**asked: str) -> str:
    query = {"slots": ",".join(TIMES), "title": HOME, "estate": "OBJ1", "utm_source": "google"} | asked
    return f"/Viewing/{CUSTOMER}/VIS1/FULL/Participant?{urlencode(query)}"


def fill_and_send(page: Page) -> None:
    page.get_by_label("Förnamn").fill("Anna")
    page.get_by_label("Efternamn").fill("Åkesson")
    page.get_by_label("Mobil").fill("070-174 06 05")
    page.get_by_label("Meddelande").fill("Vi kommer två")
    page.get_by_label("Ja, ni får").check()
    page.get_by_role("button", name="Boka visning").click()


def book_the_full_one(page: Page) -> None:
    fill_and_send(page)
    expect(page.get_by_role("alert")).to_contain_text("Visningstiden är fullbokad.")


def test_a_full_time_is_shown_as_full_and_another_is_booked_without_typing_again(
    public: Public, page: Page, office: Office
) -> None:
    page.goto(public() + path())
    times = page.get_by_role("group", name="Tid").get_by_role("radio")
    expect(times).to_have_count(3)
    expect(page.get_by_label("söndag 29 november kl. 13.00–13.15")).to_be_checked()
    book_the_full_one(page)
    expect(times.first).to_be_disabled()
    expect(page.get_by_label("Meddelande")).to_have_value("Vi kommer två")

    page.get_by_label("söndag 29 november kl. 13.15–13.30").check()
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")
    expect(page.get_by_text("söndag 29 november kl. 13.15–13.30")).to_be_visible()
    [booking] = office.bookings
    assert booking.time_slot_id == "FREE"

    file = httpx.get(str(page.get_by_role("link", name="Lägg till i kalendern").evaluate("link => link.href")))
    assert file.headers["content-type"] == "text/calendar; charset=utf-8"
    [event] = Calendar.from_ical(file.text).events
    assert event["summary"] == f"Visning: {HOME}"
    assert (event.start.isoformat(), event.end.isoformat()) == (
        "2099-11-29T12:15:00+00:00",
        "2099-11-29T12:30:00+00:00",
    )


@pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without"])
def test_a_booking_of_a_full_time_becomes_an_interest_in_one_press(
    public: Public, browser: Browser, office: Office, scripted: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripted, locale="sv-SE")
    page = context.new_page()
    page.goto(public() + path())
    book_the_full_one(page)
    page.get_by_role("button", name="Skicka som intresseanmälan i stället").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tack")
    received = eventually(lambda: [call for call in office.received if call.operation == "interest"])[0]
    assert received.path == f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
    assert received.body["telephone"] == {"cell": "+46701740605"}
    assert received.body["contactMessage"] == "Vi kommer två"
    assert received.body["gdprApprovalDate"]
    assert received.body["marketing"]["utmTags"] == [{"name": "utm_source", "value": "google"}]
    context.close()


def test_without_other_times_and_home_no_alternative_is_offered(public: Public, page: Page) -> None:
    page.goto(public() + path(slots="", estate=""))
    book_the_full_one(page)
    expect(page.get_by_role("radio")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(1)


def test_a_visitor_who_sends_the_only_time_again_reads_vitecs_words_again(public: Public, page: Page) -> None:
    page.goto(public() + path(slots=TIMES[0]))
    book_the_full_one(page)
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("alert")).to_contain_text("Visningstiden är fullbokad.")
    expect(page.get_by_role("button", name="Skicka som intresseanmälan i stället")).to_be_visible()


def test_an_english_reader_reads_the_times_in_english(public: Public, page: Page) -> None:
    page.goto(public() + path(lang="en"))
    expect(page.get_by_label("Tuesday 1 December, 17:30–18:00")).to_be_visible()


@pytest.mark.parametrize(
    ("slot", "words"), [("", "Välj en tid"), ("ELSEWHERE", "Välj en av tiderna"), ("../x", "Välj en av tiderna")]
)
def test_a_time_that_was_not_offered_is_an_error_at_the_times(
    client: httpx.Client, office: Office, slot: str, words: str
) -> None:
    person = {"firstName": "Anna", "lastName": "Ek", "cellPhone": "0701740605", "consent": "true"}
    answer = client.post(path(), data=person | {"slot": slot, "gone": "FULL"}, headers={"Origin": ORIGIN})
    assert answer.status_code == 400
    assert words in answer.text
    assert 'id="slot-fault"' in answer.text
    assert office.received == []


def test_the_error_of_a_missing_time_leads_to_the_first_that_can_be_chosen(
    public: Public, page: Page, office: Office
) -> None:
    page.goto(public() + path())
    book_the_full_one(page)
    page.get_by_role("button", name="Boka visning").click()
    page.get_by_role("alert").get_by_role("link", name="Välj en tid").click()
    expect(page.get_by_label("söndag 29 november kl. 13.15")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Boka visning").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Din plats är bokad")
    assert [booking.time_slot_id for booking in office.bookings] == ["FREE"]


def test_of_a_time_that_has_begun_vitec_decides(public: Public, page: Page, office: Office) -> None:
    """The broker's page says which times there are; it can be old, or wrong."""
    office.slots = {("VIS1", "FULL"): Slot(capacity=None, deadline_at=datetime(2026, 1, 11, 12, tzinfo=UTC))}
    page.goto(public() + path(slots=f"FULL@2026-01-11T13:00/2026-01-11T13:15,{TIMES[1]}"))
    expect(page.get_by_label("söndag 11 januari")).to_be_checked()
    fill_and_send(page)
    expect(page.get_by_role("alert")).to_contain_text("Anmälningstiden har gått ut.")
    expect(page.get_by_role("button", name="Skicka som intresseanmälan i stället")).to_be_visible()


@pytest.mark.parametrize("slots", ["x", "@/", "A@2026/2025", "A@9999-12-31T23:59:59Z/x", "<b>@1/2", "A@B/C," * 500])
def test_times_that_cannot_be_read_never_cost_a_booking(client: httpx.Client, slots: str) -> None:
    page = client.get(path(slots=slots))
    assert page.status_code == 200
    assert '<input type="radio"' not in page.text
    person = {"firstName": "Anna", "lastName": "Ek", "cellPhone": "0701740605", "consent": "true"}
    free = path(slots=slots).replace("/FULL/", "/FREE/")
    assert client.post(free, data=person, headers={"Origin": ORIGIN}).status_code == 303


def test_no_calendar_file_without_a_booked_time(client: httpx.Client) -> None:
    person = {"firstName": "Anna", "lastName": "Ek", "cellPhone": "0701740605", "consent": "true"}
    booked = client.post(path(slots="").replace("/FULL/", "/FREE/"), data=person, headers={"Origin": ORIGIN})
    receipt = booked.headers["location"]
    assert client.get(receipt.replace("?", "/viewing.ics?")).status_code == 404
    assert client.get(receipt.partition("?")[0] + "/viewing.ics?key=x&slot=" + TIMES[1]).status_code == 404
