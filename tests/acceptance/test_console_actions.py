"""The console's message if an operator's action is impossible, its display of what was submitted, and of counts."""

import re
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import insert, update

from app.statistics.campaign_report import MAX_LINES
from app.statistics.daily_counts import day_of
from app.storage.schema import daily_counts, home_campaigns, logins, submissions
from tests.acceptance.html_page import page_of
from tests.conftest import API_KEY, CUSTOMER, ORIGIN, Configure
from tests.integration.storage_helpers import opened

PASSWORD = "ett långt lösenord"
OURS = {"Origin": "https://leads.example.se"}
KEY = {"Authorization": f"Bearer {API_KEY}", "Prefer": "respond-async"}
BOOKING = {"updatePerson": {"firstName": "Anna", "lastName": "Ek", "cellPhone": "070-1740605"}, "smsReminder": True}
Start = Callable[..., httpx.Client]


def post_booking(client: httpx.Client) -> str:
    answer = client.post(f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant", json=BOOKING, headers=KEY)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def sign_in(client: httpx.Client) -> dict[str, str]:
    answer = client.post("/console/sign-in", data={"password": PASSWORD}, headers=OURS)
    return OURS | {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def act(client: httpx.Client, headers: dict[str, str], submission_id: str, action: str) -> str:
    """Carries out the action; returns the text of the page that follows."""
    address = f"/console/submissions/{submission_id}/{action}"
    page = page_of(client.get(address, headers=headers))
    done = client.post(address, data={"token": page.values["token"]}, headers=headers)
    assert done.status_code == 303
    return client.get(done.headers["location"], headers=headers).text


@pytest.mark.parametrize("action", ["retry", "release"])
def test_an_action_for_a_customer_that_left_the_configuration_says_so(
    start: Start, configure: Configure, action: str
) -> None:
    submission_id = post_booking(start(deliver=False))
    with opened(configure().database_url.get_secret_value()) as database, database.engine.begin() as connection:
        if action == "release":
            connection.execute(update(submissions).values(status="held", due_at=None))
    client = start(deliver=False, console_password=PASSWORD, customer={"id": "M11111"})
    shown = act(client, sign_in(client), submission_id, action)
    assert "kunden finns inte längre i konfigurationen" in shown
    assert "Det fanns inget att göra" not in shown


@pytest.mark.parametrize("action", ["retry", "release", "discard", "erase"])
def test_an_action_on_what_was_erased_in_another_tab_is_not_offered_again(start: Start, action: str) -> None:
    client = start(deliver=False, console_password=PASSWORD)
    submission_id, headers = post_booking(client), sign_in(client)
    erased = act(client, headers, submission_id, "erase")
    assert "innan den skickades till Vitec" in erased
    assert "Leveransen misslyckades" not in erased
    old_tab = client.get(f"/console/submissions/{submission_id}/{action}", headers=headers)
    assert old_tab.status_code == 303
    assert "Det fanns inget att göra" in client.get(old_tab.headers["location"], headers=headers).text


def test_what_waits_of_a_customer_that_left_the_configuration_is_found_from_the_overview(
    start: Start, configure: Configure
) -> None:
    submission_id = post_booking(start(deliver=False))
    with opened(configure().database_url.get_secret_value()) as database, database.engine.begin() as connection:
        paused = {"paused_at": database.now(), "reason": "refused", "probe_at": database.now()}
        connection.execute(insert(logins).values(customer_id=CUSTOMER, function_group="crm", **paused))
    client = start(deliver=False, console_password=PASSWORD, customer={"id": "M11111"})
    client.post("/Viewing/M11111/VIS1/SLOT1/Participant", json=BOOKING, headers=KEY).raise_for_status()
    headers = sign_in(client)
    overview = client.get("/console", headers=headers).text
    assert "Såvitt vi vet godtar Vitec alla inloggningar." in overview  # that login is not in use any more
    address = f"/console/submissions?status=pending&customer={CUSTOMER}"
    assert f'href="{address.replace("&", "&amp;")}"' in overview
    listed = client.get(address, headers=headers).text
    assert re.findall(r'<a href="/console/submissions/(\S{36})"', listed) == [submission_id]
    assert f'<option value="{CUSTOMER}" selected>' in listed
    shown = client.get(f"/console/submissions/{submission_id}", headers=headers).text
    assert "skickas inte: kunden finns inte längre i konfigurationen" in shown
    assert "står näst på tur" not in shown


def test_a_submission_is_shown_in_the_operators_language(start: Start) -> None:
    client = start(deliver=False, console_password=PASSWORD)
    submission_id = post_booking(client)
    headers = sign_in(client)
    shown = client.get(f"/console/submissions/{submission_id}", headers=headers).text
    assert "<dt>Påminnelse via sms</dt><dd>Ja</dd>" in shown
    shown = client.get(f"/console/submissions/{submission_id}?lang=en", headers=headers).text
    assert "<dt>Reminder by text message</dt><dd>Yes</dd>" in shown


def test_a_cancellation_and_its_booking_link_to_each_other_and_are_erased_together(start: Start) -> None:
    client = start(console_password=PASSWORD, customer={"viewing": {"cancel": True}})
    typed = {"firstName": "Anna", "lastName": "Ek", "cellPhone": "070-174 06 05", "consent": "true"}
    booked = client.post(f"/Viewing/{CUSTOMER}/V/S/Participant?estate=OBJ1", data=typed, headers={"Origin": ORIGIN})
    path, _, query = booked.headers["location"].partition("?")
    assert client.post(f"{path}/cancellation?{query}").status_code == 303
    headers = sign_in(client)
    booking = path.rpartition("/")[2]
    shown = client.get(f"/console/submissions/{booking}", headers=headers).text
    [(cancellation, status)] = re.findall(r'<a href="(\S+)">Avbokning <.*?<span class="status (\w+)">', shown)
    assert status == "delivered"
    assert f'href="/console/submissions/{booking}"' in client.get(cancellation, headers=headers).text
    assert "<dd>Anna</dd>" in client.get(cancellation, headers=headers).text
    act(client, headers, booking, "erase")
    assert "<dd>Anna</dd>" not in client.get(cancellation, headers=headers).text


@pytest.mark.parametrize("page", ["/console", f"/console/homes/{CUSTOMER}/OBJ1"])
@pytest.mark.parametrize("number", [MAX_LINES - 1, MAX_LINES + 1])
def test_a_table_of_campaigns_that_is_cut_says_so(start: Start, configure: Configure, page: str, number: int) -> None:
    client = start(console_password=PASSWORD)
    with opened(configure().database_url.get_secret_value()) as database, database.engine.begin() as connection:
        counted = {"day": day_of(database.now()), "customer_id": CUSTOMER, "operation": "interest", "medium": "cpc"}
        counted |= {"campaign": "", "views": 1, "submissions": 1, "delivered": 0}
        for table, home in ((daily_counts, ""), (home_campaigns, "OBJ1")):
            connection.execute(insert(table), [counted | {"home": home, "source": f"s{n}"} for n in range(number)])
    shown = client.get(page, headers=sign_in(client)).text
    assert shown.count("/ cpc") == min(number, MAX_LINES)
    assert ("Bara de 25 med flest" in shown) == (number > MAX_LINES)


def test_a_login_was_tested_just_now_only_until_the_page_is_reloaded_later(start: Start) -> None:
    client = start(deliver=False, console_password=PASSWORD)
    headers, page = sign_in(client), f"/console/customers/{CUSTOMER}"
    token = page_of(client.get(page, headers=headers)).values["token"]
    tested = client.post(f"{page}/logins/crm", data={"token": token}, headers=headers).headers["location"]
    assert "Vitec godtar den. Testat nyss." in client.get(tested, headers=headers).text
    for at in ("", "x", "2026-11-30", "2026-11-30T12:00:00%2B00:00"):
        shown = client.get(f"{page}?tested=crm&at={at}", headers=headers)
        assert shown.status_code == 200
        assert "Testat nyss" not in shown.text
