"""Access and erasure: `intresse leads export` and `erase`, beside a running service and after a restore."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlean import dbapi2

from app.bootstrap.services import Service
from app.cli.service import run
from app.domain.ids import reference_of
from app.sandbox import Office
from tests.acceptance.bodies import PLAIN
from tests.acceptance.commands import Intresse, refused, run_here, written
from tests.acceptance.html_page import page_of
from tests.conftest import API_KEY, CUSTOMER, ORIGIN, Configure

Start = Callable[..., httpx.Client]
ANNA = {"firstName": "Anna", "lastName": "Åkesson", "email": {"emailAddress": "Anna.Akesson@example.se"}}
KEY = {"Authorization": f"Bearer {API_KEY}"}
INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"


def post_interest(client: httpx.Client, **members: Any) -> str:
    body = ANNA | {"consent": True} | members
    answer = client.post(INTEREST, json=body, headers={"Origin": ORIGIN})
    assert answer.status_code == 200, answer.text
    return str(answer.headers["submission-id"])


def kept_rows(client: httpx.Client, submission_id: str) -> Any:
    return client.get(f"/submissions/{submission_id}", headers=KEY).json()


def test_all_stored_data_about_a_person_is_exported(start: Start, intresse: Intresse) -> None:
    client = start()
    mine = post_interest(client, contactMessage="Hej på er")
    post_interest(client, firstName="Bo", email={"emailAddress": "bo@example.se"})
    done = intresse("leads", "export", "--email", "anna.akesson@EXAMPLE.se")
    (submission,) = json.loads(done.stdout)
    assert (submission["id"], submission["status"], submission["customerId"]) == (mine, "delivered", CUSTOMER)
    assert submission["application"]["contactMessage"] == "Hej på er"
    (step,) = submission["steps"]
    assert step["sent"]["email"] == {"emailAddress": "Anna.Akesson@example.se"}


def test_a_consent_to_our_form_is_exported_word_for_word(start: Start, intresse: Intresse) -> None:
    client = start()
    page = page_of(client.get(f"{INTEREST}?lang=en"))
    typed = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se", "consent": "true"}
    assert page.submit(client, typed).status_code == 303
    (submission,) = json.loads(intresse("leads", "export", "--email", "anna@example.se").stdout)
    consent = submission["consent"]
    assert (consent["version"], consent["language"]) == (1, "en")
    assert datetime.fromisoformat(consent["at"]) == datetime.fromisoformat(submission["consentedAt"])
    assert consent["shown"] == [
        "Mäklarhuset saves what you write in order to get in touch with you about the home.",
        f"How we handle your personal data (opens in a new tab): {ORIGIN}/integritet",
        "Yes, you may use my details for that",
    ]
    assert all(line.partition(": ")[0] in page.text for line in consent["shown"])


def test_a_consent_on_the_brokers_own_page_is_exported_without_its_words(start: Start, intresse: Intresse) -> None:
    post_interest(start())
    (submission,) = json.loads(intresse("leads", "export", "--email", "anna.akesson@example.se").stdout)
    assert (submission["consent"]["version"], submission["consent"]["shown"]) == (None, None)


def test_a_person_is_erased_with_a_proof_and_others_stay(start: Start, intresse: Intresse, tmp_path: Path) -> None:
    client = start()
    mine, others = post_interest(client), post_interest(client, email={"emailAddress": "bo@example.se"})
    done = intresse("leads", "erase", "--email", "anna.akesson@example.se")
    output, erased, proof = done.stdout.splitlines()
    assert output.startswith(f"Vitec has it too: {CUSTOMER} interest ")
    assert erased.startswith("Erased: 1 submission(s).")
    assert (tmp_path / "erasures.log").read_text() == f"{proof}\n"
    assert "example.se" not in done.stdout
    assert json.loads(intresse("leads", "export", "--id", mine).stdout) == []
    assert len(json.loads(intresse("leads", "export", "--id", others).stdout)) == 1
    counted = kept_rows(client, mine)
    assert (counted["status"], counted["result"]) == ("delivered", None)


def test_what_vitec_has_too_is_dated_by_the_swedish_day(start: Start, intresse: Intresse, tmp_path: Path) -> None:
    mine, new_year = post_interest(start()), datetime.fromisoformat("2028-01-01T00:11+01:00")
    with dbapi2.connect(tmp_path / "intresse.db") as database:
        microseconds = int(new_year.timestamp()) * 1_000_000
        database.execute("UPDATE submissions SET received_at = ? WHERE id = ?", (microseconds, mine))
    output = intresse("leads", "erase", "--id", mine).stdout.splitlines()[0]
    assert output == f"Vitec has it too: {CUSTOMER} interest {reference_of(mine)} of 2028-01-01"


def test_an_erasure_is_reported_as_json_and_a_second_one_finds_nothing(
    start: Start, intresse: Intresse, tmp_path: Path
) -> None:
    mine = post_interest(start())
    search = ("--email", "anna.akesson@example.se", "--json")
    assert [submission["id"] for submission in json.loads(intresse("leads", "export", *search).stdout)] == [mine]
    output = json.loads(intresse("leads", "erase", *search).stdout)
    assert (output["erased"], [submission["id"] for submission in output["delivered"]]) == (1, [mine])
    assert (tmp_path / "erasures.log").read_text() == f"{output['proof']}\n"
    assert json.loads(intresse("leads", "erase", *search).stdout)["erased"] == 0


def test_what_was_not_sent_yet_is_never_sent_after_an_erasure(start: Start, intresse: Intresse, office: Office) -> None:
    client = start(deliver=False, delivery={"wait_seconds": 0})
    answer = client.post(INTEREST, json=ANNA | {"consent": True}, headers={"Origin": ORIGIN})
    submission_id = answer.json()["id"]
    assert "Erased: 1" in intresse("leads", "erase", "--id", submission_id).stdout
    assert kept_rows(client, submission_id)["status"] == "failed"
    refused(intresse("leads", "retry", submission_id), "has been erased")
    client = start()
    post_interest(client, email={"emailAddress": "bo@example.se"})
    assert [call.body["email"]["emailAddress"] for call in office.received] == ["bo@example.se"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("--email, --phone and --id",)),
        (("--email", "a@example.se", "--id", "1"), ("--email, --phone and --id",)),
        (("--email", "anna"), ("--email", "can't be read")),
        (("--phone", "0151 12345678"), ("--phone", "can't be read", "with its country code")),
        (("--id", ""), ("--id", "can't be read")),
    ],
)
@pytest.mark.parametrize("what", ["erase", "export"])
def test_an_invalid_search_is_reported_in_one_line(
    intresse: Intresse, what: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(intresse("leads", what, *arguments), *words)


def test_a_phone_number_is_found_however_it_is_written(start: Start, intresse: Intresse) -> None:
    post_interest(start(), email=None, telephone={"work": "08-123 456 78"})
    assert len(json.loads(intresse("leads", "export", "--phone", "+46 8 12345678").stdout)) == 1


def test_a_reference_is_found_as_it_is_read_out(start: Start, intresse: Intresse) -> None:
    reference = reference_of(post_interest(start()))
    spoken = f" {reference[:4].lower()} {reference[4:]} "
    assert len(json.loads(intresse("leads", "export", "--id", spoken).stdout)) == 1


def test_only_the_named_customers_submissions_are_exported_and_erased(start: Start, intresse: Intresse) -> None:
    post_interest(start())
    search = ("--email", "anna.akesson@example.se", "--customer")
    assert json.loads(intresse("leads", "export", *search, PLAIN).stdout) == []
    assert "Erased: 0" in intresse("leads", "erase", *search, PLAIN).stdout
    assert len(json.loads(intresse("leads", "export", *search, CUSTOMER).stdout)) == 1
    assert "Erased: 1" in intresse("leads", "erase", *search, CUSTOMER).stdout


def test_an_address_can_be_kept_out_of_the_shells_history(start: Start, configure: Configure, tmp_path: Path) -> None:
    mine = post_interest(start())
    environment = written(configure(), tmp_path)
    done = run_here(environment, "leads", "export", "--email", "-", typed="anna.akesson@example.se\n")
    assert f'"id": "{mine}"' in done.stdout


def test_an_erasure_that_cannot_be_written_down_is_not_done(start: Start, intresse: Intresse, tmp_path: Path) -> None:
    mine = post_interest(start())
    (tmp_path / "file").write_text("")
    nowhere = {"erasure_log": str(tmp_path / "file" / "erasures.log")}
    refused(intresse("leads", "erase", "--id", mine, retention=nowhere), "erasure log")
    assert len(json.loads(intresse("leads", "export", "--id", mine).stdout)) == 1


def test_a_restored_backup_forgets_again_who_was_erased(
    start: Start, intresse: Intresse, configure: Configure, tmp_path: Path
) -> None:
    client = start()
    mine = post_interest(client)
    backup = tmp_path / "backup.db"
    database = tmp_path / "intresse.db"
    with dbapi2.connect(database) as source, dbapi2.connect(backup) as copy:
        source.backup(copy)
    intresse("leads", "erase", "--email", "anna.akesson@example.se")
    with dbapi2.connect(backup) as source, dbapi2.connect(database) as copy:
        source.backup(copy)
    later = post_interest(client, contactMessage="Jag är tillbaka")
    assert len(json.loads(intresse("leads", "export", "--id", mine).stdout)) == 1

    async def replay(service: Service) -> int:
        return len(await service.privacy_requests.replay_erasures())

    with ThreadPoolExecutor(1) as pool:  # where no event loop runs
        assert pool.submit(run, configure(), replay).result() == 1
    assert json.loads(intresse("leads", "export", "--id", mine).stdout) == []
    assert len(json.loads(intresse("leads", "export", "--id", later).stdout)) == 1  # it came after the erasure


def test_a_restore_does_not_count_the_erased_among_those_to_compare_with_vitec(
    start: Start, intresse: Intresse, tmp_path: Path
) -> None:
    client = start(deliver=False, delivery={"wait_seconds": 0})
    for address in ("anna.akesson@example.se", "bo@example.se"):
        body = ANNA | {"consent": True, "email": {"emailAddress": address}}
        assert client.post(INTEREST, json=body, headers={"Origin": ORIGIN}).status_code == 202
    backup, database = tmp_path / "backup.db", tmp_path / "intresse.db"
    with dbapi2.connect(database) as source, dbapi2.connect(backup) as copy:
        source.backup(copy)
    intresse("leads", "erase", "--email", "anna.akesson@example.se")
    with dbapi2.connect(backup) as source, dbapi2.connect(database) as copy:
        source.backup(copy)
    erased, uncertain, _ = intresse("restored").stdout.splitlines()
    assert erased.startswith("1 submission(s) erased again")
    assert uncertain.startswith("1 submission(s) may have been delivered")
    assert len(intresse("leads", "list", "--status", "uncertain").stdout.splitlines()) == 1


def test_a_restore_says_that_the_erasure_log_is_not_where_it_looks(
    start: Start, intresse: Intresse, tmp_path: Path
) -> None:
    post_interest(start())
    assert f"no erasure log at {tmp_path / 'erasures.log'}" in intresse("restored").stderr
    intresse("leads", "erase", "--email", "anna.akesson@example.se")
    assert "no erasure log" not in intresse("restored").stderr


@pytest.mark.parametrize(
    ("by", "value"),
    [("--email", "anna@example.se"), ("--email", "second@example.se"), ("--phone", "08-12 34 56"), ("--id", "")],
)
def test_a_cancellation_is_exported_and_erased_with_its_booking(
    start: Start, intresse: Intresse, by: str, value: str
) -> None:
    """Of all addresses and numbers that a person may give, it has only the first; `--id` is the booking's reference."""
    client = start(customer={"viewing": {"cancel": True}})
    typed = {"firstName": "Anna", "lastName": "Ek", "email.emailAddress": "anna@example.se", "consent": "true"}
    typed |= {"email.emailAddress2": "second@example.se", "cellPhone": "070-1740605", "workPhone": "08-123456"}
    booked = client.post(f"/Viewing/{CUSTOMER}/V/S/Participant?estate=OBJ1", data=typed, headers={"Origin": ORIGIN})
    path, _, query = booked.headers["location"].partition("?")
    assert client.post(f"{path}/cancellation?{query}").status_code == 303
    search = (by, value or reference_of(path.rpartition("/")[2]))
    exported = json.loads(intresse("leads", "export", *search).stdout)
    assert {submission["operation"] for submission in exported} == {"viewing", "cancellation"}
    assert json.loads(intresse("leads", "export", "--id", "OBJ1").stdout) == []  # a home is nobody
    assert "Erased: 2" in intresse("leads", "erase", *search).stdout
    assert client.post(f"{path}/cancellation?{query}").status_code == 303  # it is cancelled, whoever it was
