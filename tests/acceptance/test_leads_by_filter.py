"""`intresse leads retry`, `release` and `discard` for all submissions that match a filter."""

import json
from collections.abc import Callable

import httpx
import pytest

from app.sandbox import Fault, Office
from tests.acceptance.commands import Intresse, refused
from tests.conftest import API_KEY, CUSTOMER
from tests.servers import eventually

KEY = {"Authorization": f"Bearer {API_KEY}"}
BODY = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "anna@example.se"}}
Start = Callable[..., httpx.Client]


@pytest.fixture
def rejected(start: Start, office: Office) -> httpx.Client:
    """A service with three submissions that Vitec refused and one that it accepted."""
    client = start()
    for number in range(4):
        if number < 3:
            office.inject(Fault(status=400, times=1))
        path = f"/Advertising/Estate/{CUSTOMER}/O{number}/interest"
        assert client.post(path, json=BODY, headers=KEY).status_code == (400 if number < 3 else 200)
    return client


def test_a_dry_run_lists_what_the_filter_finds_and_changes_nothing(rejected: httpx.Client, intresse: Intresse) -> None:
    for command in ("retry", "release", "discard"):
        done = intresse("leads", command, "--status", "rejected", "--dry-run")
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == 3
    assert len(json.loads(intresse("leads", "retry", "--stuck", "--dry-run", "--json").stdout)) == 3
    assert len(intresse("leads", "list", "--status", "rejected").stdout.splitlines()) == 3


def test_without_yes_it_prints_how_many_match_and_does_nothing(rejected: httpx.Client, intresse: Intresse) -> None:
    refused(intresse("leads", "retry", "--status", "rejected"), "3", "--dry-run", "--yes")
    assert len(intresse("leads", "list", "--status", "rejected").stdout.splitlines()) == 3


def test_all_matching_submissions_are_sent_again_and_a_second_run_changes_nothing(
    rejected: httpx.Client, office: Office, intresse: Intresse
) -> None:
    done = intresse("leads", "retry", "--customer", CUSTOMER, "--status", "rejected", "--yes")
    assert (done.returncode, done.stdout) == (0, "due now: 3, nothing to do: 0\n")
    eventually(lambda: len(office.received) == 7)
    eventually(lambda: not intresse("leads", "list", "--status", "pending").stdout)
    again = intresse("leads", "retry", "--customer", CUSTOMER, "--status", "rejected", "--yes")
    assert (again.returncode, again.stdout) == (0, "due now: 0, nothing to do: 0\n")
    everything = intresse("leads", "retry", "--customer", CUSTOMER, "--yes")
    assert (everything.returncode, everything.stdout) == (0, "due now: 0, nothing to do: 4\n")
    assert len(office.received) == 7


def test_newer_submissions_and_other_customers_are_left_alone(rejected: httpx.Client, intresse: Intresse) -> None:
    for others in (("--older-than", "1h"), ("--older-than", "400d"), ("--customer", "M99999"), ("--customer", "")):
        done = intresse("leads", "discard", "--status", "rejected", *others, "--yes")
        assert (done.returncode, done.stdout) == (0, "closed: 0, nothing to do: 0\n")
    assert len(intresse("leads", "list", "--status", "rejected").stdout.splitlines()) == 3


def test_what_was_discarded_is_not_selected_again(rejected: httpx.Client, intresse: Intresse) -> None:
    assert intresse("leads", "discard", "--status", "rejected", "--yes").returncode == 0
    done = intresse("leads", "retry", "--customer", CUSTOMER, "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "due now: 0, nothing to do: 1\n", "")


def test_json_output_lists_each_submission_with_its_result(rejected: httpx.Client, intresse: Intresse) -> None:
    results = json.loads(intresse("leads", "discard", "--customer", CUSTOMER, "--yes", "--json").stdout)
    assert [(result["was"], result["changed"], result["problem"]) for result in results] == [
        *[("rejected", True, None)] * 3,
        ("delivered", False, None),
    ]
    again = json.loads(intresse("leads", "discard", results[0]["id"], "--json").stdout)
    assert [(result["id"], result["changed"]) for result in again] == [(results[0]["id"], False)]


def test_a_submission_that_cannot_be_changed_does_not_stop_the_others(
    rejected: httpx.Client, intresse: Intresse
) -> None:
    done = intresse("leads", "retry", "--status", "rejected", "--yes", customer={"id": "M11111"})
    assert done.returncode == 1
    assert done.stdout == "due now: 0, nothing to do: 3\n"
    assert done.stderr.count(CUSTOMER) == 3


@pytest.mark.parametrize("arguments", [(), ("ABCD2345", "--stuck"), ("--yes",)], ids=str)
def test_either_a_submission_or_a_filter_must_be_given(intresse: Intresse, arguments: tuple[str, ...]) -> None:
    refused(intresse("leads", "discard", *arguments), "--status", "--customer", "--older-than")


@pytest.mark.parametrize("age", ["soon", ""])  # "": a script's variable that was not set
def test_an_invalid_age_is_reported_in_one_line(intresse: Intresse, age: str) -> None:
    refused(intresse("leads", "discard", "--status", "held", "--older-than", age, "--yes"), "--older-than")
