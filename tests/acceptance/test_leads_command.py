"""`intresse leads …` and `intresse link`, as an operator runs them beside a running service."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.sandbox import Fault, Office, Person
from tests.acceptance.commands import Intresse, refused
from tests.conftest import API_KEY, CUSTOMER, ORIGIN, Configure
from tests.servers import eventually, free_port

ROOT = Path(__file__).parents[2]
KEY = {"Authorization": f"Bearer {API_KEY}"}
LEAD = {"lead_source_id": "WRONG", "assigned_to_id": "GROUP1", "office_id": "OFFICE1"}
MENDED = {"lead_source_id": "RIGHT", "assigned_to_id": "GROUP2", "assignment_source_id": "AS1"}
PERSON = {"firstName": "Anna", "lastName": "Åkesson", "cellPhone": "070-174 06 05"}
TAGS = [{"name": "utm_source", "value": "google"}]
Start = Callable[..., httpx.Client]


def book(client: httpx.Client, slot: str = "SLOT1", query: str = "utm_source=google", **members: Any) -> httpx.Response:
    return client.post(
        f"/Viewing/{CUSTOMER}/VIS1/{slot}/Participant?{query}",
        json={"updatePerson": PERSON, **members},
        headers=KEY,
    )


def status_of(client: httpx.Client, submission_id: str) -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/submissions/{submission_id}", headers=KEY).json()
    return body


def steps_of(client: httpx.Client, submission_id: str) -> list[str]:
    return [step["status"] for step in status_of(client, submission_id)["steps"]]


def operations(office: Office) -> list[str]:
    return [str(call.operation) for call in office.received]


def test_retry_fills_in_the_corrected_configuration_only_for_steps_not_yet_done(
    start: Start, office: Office, intresse: Intresse, shell: Intresse
) -> None:
    office.inject(Fault(status=400, operation="lead", body='{"message": "Okänd källa\\nWRONG"}'))
    answer = book(start(customer={"lead": LEAD}), leadSourceId="CALLERS")
    submission_id = answer.headers["Submission-Id"]
    first = start(customer={"lead": LEAD}, deliver=False)
    eventually(lambda: steps_of(first, submission_id) == ["delivered", "delivered", "rejected"])
    office.clear_faults()
    shown = intresse("leads", "show", submission_id, customer={"lead": LEAD})
    assert shown.returncode == 0
    assert "rejected" in shown.stdout
    assert "Vitec: Okänd källa WRONG\n" in shown.stdout
    assert [line.split()[2:4] for line in shown.stdout.splitlines() if line.startswith(" " * 6)] == [
        ["delivered", "200"],
        ["delivered", "200"],
        ["rejected", "400"],
    ]
    assert "Åkesson" not in shown.stdout + shown.stderr

    done = shell("leads", "retry", submission_id, customer={"lead": MENDED})
    assert (done.returncode, done.stderr) == (0, "")
    client = start(customer={"lead": MENDED})
    eventually(lambda: steps_of(client, submission_id) == ["delivered"] * 3)
    assert operations(office) == ["viewing", "contact", "lead", "lead"]
    assert office.received[3].body == {
        "contactId": office.received[0].answer,
        "leadSourceId": "RIGHT",
        "assignedToId": "GROUP2",
        "assignmentSourceId": "AS1",
        "marketing": {"utmTags": TAGS},
    }
    assert status_of(client, submission_id)["status"] == "delivered"
    again = intresse("leads", "retry", submission_id, customer={"lead": MENDED})
    assert (again.returncode, again.stdout.startswith("Nothing to do")) == (0, True)


def test_retry_of_a_rejected_booking_keeps_the_callers_values_and_runs_the_whole_chain(
    start: Start, office: Office, intresse: Intresse
) -> None:
    office.inject(Fault(status=400, operation="viewing", times=1))
    client = start(customer={"lead": LEAD, "viewing": {"lead_source_id": "OLD", "reminder_minutes": 30}})
    answer = book(client, "SLOT2", reminderTime=15, contactMessage="Hej")
    assert answer.status_code == 400
    [line] = intresse("leads", "list", "--status", "rejected").stdout.splitlines()
    submission_id = line.split()[-1]
    mended = {"lead": MENDED, "viewing": {"lead_source_id": "NEW", "reminder_minutes": 90}}
    assert intresse("leads", "retry", submission_id, customer=mended).returncode == 0
    eventually(lambda: steps_of(client, submission_id) == ["delivered"] * 3)
    before, after = office.received[0].body, office.received[1].body
    assert after == before | {"leadSourceId": "NEW"}
    assert after["reminderTime"] == 15
    assert after["returnBookingId"] is False
    assert office.received[3].body["leadSourceId"] == "RIGHT"


def test_which_steps_there_are_is_frozen_with_the_submission(start: Start, office: Office, intresse: Intresse) -> None:
    office.inject(Fault(status=400, operation="viewing", times=2))
    client = start(customer={"lead": LEAD})
    assert book(client, "SLOT3").status_code == 400
    assert book(client, "SLOT4", query="").status_code == 400
    with_lead, without = [line.split()[-1] for line in intresse("leads", "list").stdout.splitlines()][::-1]
    always = {"lead": MENDED | {"when": "always"}}
    assert intresse("leads", "retry", with_lead).returncode == 0  # no [customers.lead] any more
    assert intresse("leads", "retry", without, customer=always).returncode == 0
    eventually(lambda: status_of(client, without)["status"] == "delivered")
    eventually(lambda: steps_of(client, with_lead) == ["delivered"] * 3)
    assert steps_of(client, without) == ["delivered"]
    assert operations(office).count("lead") == 1


def test_retry_of_a_lead_whose_contact_is_there_now(start: Start, office: Office, intresse: Intresse) -> None:
    client = start(customer={"lead": LEAD}, delivery={"retry_seconds": [1]})
    answer = client.post(f"/CRM/Lead/{CUSTOMER}", json={"contactId": "C77", "officeId": "MINE"}, headers=KEY)
    assert answer.status_code == 400
    office.contacts[CUSTOMER, "C77"] = Person(id="C77", customer_id=CUSTOMER)
    [line] = intresse("leads", "list").stdout.splitlines()
    assert intresse("leads", "retry", line.split()[2], customer={"lead": MENDED}).returncode == 0
    submission_id = line.split()[-1]
    eventually(lambda: steps_of(client, submission_id) == ["delivered"])
    assert office.received[-1].body == {
        "contactId": "C77",
        "leadSourceId": "RIGHT",
        "assignedToId": "GROUP2",
        "officeId": "MINE",
        "assignmentSourceId": "AS1",
    }


def test_the_list_names_each_submission_without_personal_data(start: Start, office: Office, intresse: Intresse) -> None:
    client = start(deliver=False, delivery={"wait_seconds": 0.1})
    for number in range(3):
        body = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "a@example.se"}}
        client.post(f"/Advertising/Estate/{CUSTOMER}/O{number}/interest", json=body, headers=KEY)
    done = intresse("leads", "list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all("pending" in line and CUSTOMER in line and "interest" in line for line in lines)
    assert len({line.split()[-1] for line in lines}) == 3
    assert not re.search("Anna|example.se", done.stdout)
    assert len(intresse("leads", "list", "--limit", "2").stdout.splitlines()) == 2
    assert intresse("leads", "list", "--status", "delivered").stdout == ""


def test_a_submission_is_found_by_the_reference_that_the_visitor_reads_out(start: Start, intresse: Intresse) -> None:
    client = start(deliver=False)
    form = {"firstName": "Anna", "lastName": "Å", "telephone.cell": "070-174 06 05", "consent": "true"}
    answer = client.post(f"/Advertising/Estate/{CUSTOMER}/O1/interest", data=form, headers={"Origin": ORIGIN})
    match = re.search(r"\b([2-9A-HJ-NP-Z]{4}) ([2-9A-HJ-NP-Z]{4})\b", client.get(answer.headers["location"]).text)
    assert match
    for options_ in (match[0], match[1] + match[2], match[0].lower()):
        done = intresse("leads", "show", options_)
        assert done.returncode == 0, done.stderr
        assert "interest" in done.stdout
        assert "waiting" in done.stdout


def test_an_unknown_id_or_reference_is_reported_in_one_line(start: Start, intresse: Intresse, shell: Intresse) -> None:
    start()
    refused(shell("leads", "show", "ABCD2345"), "ABCD2345")
    refused(intresse("leads", "retry", "01a20135-e1a6-76c3-8d7f-a3742508d10f"), "01a20135")


def test_an_unknown_status_is_refused_with_those_that_exist(intresse: Intresse) -> None:
    done = intresse("leads", "list", "--status", "nonsense")
    assert done.returncode == 2
    assert "Invalid value for '--status': nonsense is not one of pending, delivered" in done.stderr


def test_a_customer_that_is_not_in_the_configuration_is_warned_of(start: Start, intresse: Intresse) -> None:
    start()
    for command in (("list",), ("erase", "--email", "anna@example.se"), ("discard", "--yes")):
        done = intresse("leads", *command, "--customer", "M99999")
        assert (done.returncode, done.stderr) == (0, "Warning: --customer: M99999 is not in the configuration\n")
    assert intresse("leads", "list", "--customer", CUSTOMER).stderr == ""


def test_check_names_the_logins_that_vitec_refuses_or_that_it_could_not_try(intresse: Intresse) -> None:
    assert intresse("check", "--online").stdout.endswith("Vitec accepts every login.\n")
    done = intresse("check", "--online", customer={"password": "wrong"})
    assert (done.returncode, done.stderr.splitlines()[1:]) == (
        1,
        [f"customers[{CUSTOMER}].password: Vitec refuses the login: Vitec answered 401"],
    )
    nowhere = f"http://127.0.0.1:{free_port()}"
    done = intresse("check", "--online", vitec={"base_url": nowhere})
    assert done.returncode == 1
    assert f"customers[{CUSTOMER}].password: not tested at {nowhere}: ConnectError before sending\n" in done.stderr


def test_retry_of_a_submission_whose_customer_has_left_is_reported_in_one_line(
    start: Start, intresse: Intresse, office: Office
) -> None:
    office.inject(Fault(status=400))
    assert book(start(), "SLOT9").status_code == 400
    submission_id = intresse("leads", "list").stdout.split()[-1]
    refused(intresse("leads", "retry", submission_id, customer={"id": "M11111"}), CUSTOMER)


@pytest.mark.parametrize("name", ["Å", "\u200b \u200b \u200b", "\ufeff \u200b \ufeffÅ"], ids=ascii)
def test_retry_plans_again_whatever_was_accepted(start: Start, office: Office, intresse: Intresse, name: str) -> None:
    office.inject(Fault(status=400, times=1))
    body = {"updatePerson": PERSON | {"note": "rad\u2028två", "lastName": name}}
    client = start()
    answer = client.post(f"/Viewing/{CUSTOMER}/VIS1/SLOTX/Participant", json=body, headers=KEY)
    assert answer.status_code == 400
    if not office.received:
        return  # refused by us, which is as well
    submission_id = intresse("leads", "list").stdout.split()[-1]
    done = intresse("leads", "retry", submission_id)
    assert (done.returncode, done.stderr) == (0, "")
    eventually(lambda: len(office.received) == 2)
    assert office.received[1].body == office.received[0].body


def link(**options: str) -> list[str]:
    given = {"customer": CUSTOMER, "contact": "C1", "form": "loan-promise"} | options
    return ["link", *(part for name, value in given.items() for part in (f"--{name}", value))]


def test_link_prints_one_address_that_opens_the_page(start: Start, intresse: Intresse, office: Office) -> None:
    office.contacts[CUSTOMER, "KONTAKT-1"] = Person(id="KONTAKT-1", customer_id=CUSTOMER, first_name="Anna")
    client = start(customer={"lead": LEAD})
    for options in ({}, {"form": "contact"}, {"expires": "90d"}, {"expires": "1s"}, {"expires": "2160h"}):
        done = intresse(*link(**{"contact": "KONTAKT-1"} | options), customer={"lead": LEAD})
        assert (done.returncode, done.stderr) == (0, "")
        [url] = done.stdout.splitlines()
        assert url.startswith("https://leads.example.se/personal/")
        assert "KONTAKT" not in urlsplit(url).path
        assert client.get(urlsplit(url).path).status_code in ({200} if options.get("expires") != "1s" else {200, 410})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"customer": "M99999"}, ["--customer", "M99999"]),
        ({"contact": ""}, ["--contact"]),
        ({"contact": "a/b"}, ["--contact"]),
        ({"contact": "C1,C2"}, ["--contact"]),
        ({"contact": ".."}, ["--contact"]),
        ({"contact": "C" * 41}, ["--contact"]),
        ({"form": "interest"}, ["--form", "loan-promise"]),
        ({"form": "contact"}, ["customers.lead"]),
        *(
            ({"expires": wrong}, ["--expires"])
            for wrong in ("", "d", "30", "30x", "1.5h", "-1d", "0s", "91d", "2161h", "٣d", "1d1h", "9" * 30 + "d")
        ),
    ],
    ids=str,
)
def test_link_refuses_in_one_clear_line(configure: Configure, options: dict[str, str], words: list[str]) -> None:
    from app.bootstrap.personal_link import make_link

    options_ = {"customer": CUSTOMER, "contact": "C1", "form": "loan-promise", "expires": "30d"} | options
    with pytest.raises(ValueError, match=r".") as error:
        make_link(configure(), options_["customer"], options_["contact"], options_["form"], options_["expires"])
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), error.value


@pytest.mark.parametrize(
    ("options", "word"),
    [({"customer": "M99999"}, "M99999"), ({"expires": "91d"}, "91d"), ({"form": "contact"}, "lead")],
)
def test_links_refusals_end_the_command_with_1(intresse: Intresse, options: dict[str, str], word: str) -> None:
    refused(intresse(*link(**options)), word)
