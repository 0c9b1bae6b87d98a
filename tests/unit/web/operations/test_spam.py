"""Who counts as a robot, and who does not."""

from typing import Any

import pytest

from app.web.operations.spam import QUICK_SECONDS, looks_automatic

TRAP = "n1a2b3c4d5"
ANNA = {"firstName": "Anna", "lastName": "Ek", "contactMessage": "Hej! Är lägenheten kvar?"}
AD = "Cheap pills at https://pills.example"


@pytest.mark.parametrize(
    ("typed", "age", "automatic"),
    [
        (ANNA, 60, False),
        (ANNA, 0, False),  # a browser filled it in
        (ANNA, None, False),  # the broker's own form
        ({}, None, False),  # JSON
        (ANNA | {TRAP: "x"}, 60, True),
        (ANNA | {"n999999999": "x"}, 60, False),  # another form's
        (ANNA | {"contactMessage": AD}, QUICK_SECONDS - 1, True),
        (ANNA | {"contactMessage": AD}, QUICK_SECONDS, False),  # a person sends a link to a home
        (ANNA | {"contactMessage": AD}, None, False),
        (ANNA | {"firstName": "www.pills.example"}, 60, True),
        (ANNA | {"firstName": "A./B. [Annie]"}, 60, False),
        (ANNA | {"updatePerson.lastName": "HTTP://pills.example"}, None, True),
        (ANNA | {"contactMessage": "<a href=x>y</a>"}, 0, True),
        (ANNA | {"marketing.referrer": "https://www.maklarhuset.se/hem"}, 0, False),
        (ANNA | {"email.emailAddress": "anna@www.example.se"}, 0, False),
    ],
)
def test_a_robot_is_recognised_by_what_no_person_does(typed: dict[str, str], age: Any, automatic: bool) -> None:
    assert looks_automatic(typed, TRAP, age) is automatic


def test_without_a_form_of_ours_there_is_no_trap() -> None:
    assert not looks_automatic({TRAP: "x"}, None, None)
