"""Validation of texts: their length, and the characters that they may contain."""

from typing import Any

import pytest

from tests.acceptance.bodies import booking, faults_of, fields, key, member, viewing_path, with_member
from tests.acceptance.running_service import RunningService
from tests.acceptance.single_member import HOUSE, accepted, at, refused

LENGTHS = [
    ("firstName", 30),
    ("lastName", 30),
    ("address.streetAddress", 68),
    ("address.zipCode", 15),
    ("address.city", 25),
    ("updatePerson.firstName", 30),
    ("updatePerson.lastName", 30),
    ("updatePerson.address.streetAddress", 68),
    ("updatePerson.address.zipCode", 15),
    ("updatePerson.address.city", 25),
    ("updatePerson.contactId", 40),
]


@pytest.mark.parametrize(("name", "most"), LENGTHS)
def test_a_length_is_counted_in_utf_16_code_units_after_trimming(service: RunningService, name: str, most: int) -> None:
    if not name.endswith("contactId"):  # that one must exist
        assert accepted(service, name, "a" * most) == "a" * most
        assert accepted(service, name, f"  {'å' * most} \t") == "å" * most
        houses = "aa" + HOUSE * (most // 2 - 1)
        assert accepted(service, name, houses) == houses
    refused(service, name, "a" * (most + 1))
    refused(service, name, HOUSE * (most // 2) + "ab"[: most % 2 + 1])
    refused(service, name, f" {'a' * (most + 1)} ")


FOREIGN = [("socialSecurityNumber", 15), ("updatePerson.socialSecurityNumber", 20)]


@pytest.mark.parametrize(("name", "most"), FOREIGN)
def test_a_foreign_personnummer_has_its_documented_length(service: RunningService, name: str, most: int) -> None:
    marker = name.replace("socialSecurityNumber", "isForeignSocialSecurityNumber")

    def post(value: str) -> Any:
        path, body = at(name, value)
        answer = service.client.post(path, json=with_member(body, marker, True), headers=key())
        return path, answer

    path, answer = post("X" * most)
    assert answer.status_code == 200
    assert member(service.delivered(path).body, name) == "X" * most
    assert member(service.delivered(path).body, marker) is True
    _, answer = post("X" * (most + 1))
    assert set(faults_of(answer)) == {name}


@pytest.mark.parametrize("name", ["firstName", "lastName", "updatePerson.firstName", "updatePerson.lastName"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0", "\u2003", "\u200b", "\ufeff", None])
def test_both_names_are_required_and_may_not_be_blank(service: RunningService, name: str, blank: str | None) -> None:
    refused(service, name, blank)


ONE_LINE = ["firstName", "address.streetAddress", "address.city", "presentAccommodation.other", "updatePerson.lastName"]


@pytest.mark.parametrize("name", [*ONE_LINE, "email.emailAddress", "telephone.home"])
@pytest.mark.parametrize("control", ["\n", "\r", "\t", "\x00", "\x07", "\x1b", "\x7f", "\x85"])
def test_control_characters_are_refused_in_one_line_fields(service: RunningService, name: str, control: str) -> None:
    refused(service, name, f"An{control}na")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("Hej\nså\n\nfint", "Hej\nså\n\nfint"), ("Hej\r\nså", "Hej\nså"), ("Hej\rså", "Hej\nså"), ("  Hej \n", "Hej")],
)
def test_a_message_keeps_its_line_breaks(service: RunningService, typed: str, sent: str) -> None:
    assert str(accepted(service, "contactMessage", typed)).replace("\r\n", "\n") == sent
    body = service.submitted(viewing_path(), fields(booking(contactMessage=typed)))
    assert body["contactMessage"].replace("\r\n", "\n") == sent


def test_a_message_may_be_long_and_hold_any_script(service: RunningService) -> None:
    text = "Får vi komma? مرحبا 你好 " + HOUSE * 5000
    assert accepted(service, "contactMessage", text) == text
