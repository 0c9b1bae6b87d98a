"""Error messages: they say what to do, in the reader's language, without codes."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from app.domain.field_errors import CODES as PYDANTIC_CODES
from app.domain.field_errors import FieldError
from app.domain.fields import CODES
from app.operations import interest, viewing
from app.operations.member_labels import SYNONYMS
from app.web.rendering.messages import GENERAL, NAMES, PROBLEMS, TEXTS, field_messages, message, problem_text
from app.web.rendering.templates import Templates

TEMPLATES = Templates()
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "too_long": {"max": 30},
    "invalid_choice": {"choices": "Interested, VeryInterested"},
    "too_small": {"ge": 0},
    "too_large": {"le": 90},
    "too_early": {"year": 1900},
    "too_many": {"max_length": 100, "actual_length": 101, "field_type": "List"},
}
# Those of the web itself, beside the domain's.
WEB_CODES = {"contact_required", "consent_required", "customer_mismatch", "file", "invalid_json", "invalid_encoding"}
WEB_CODES |= {"too_many_fields", "not_allowed", "invalid_form"}
ALL_CODES = CODES | set(PYDANTIC_CODES.values()) | {"too_many"} | WEB_CODES
FIELD_NAMES = sorted({*NAMES, *SYNONYMS, *interest.FORM.fields, *viewing.FORM.fields, "leadSourceId", "options.x", ""})


def say(field: str, code: str, language: str = "sv", **parameters: Any) -> str:
    return message(FieldError(field, code, parameters or PARAMETERS.get(code, {})), TEMPLATES.gettext(language))


@pytest.mark.parametrize(
    ("field", "code", "text"),
    [
        ("firstName", "required", "Skriv ditt förnamn"),
        ("updatePerson.lastName", "required", "Skriv ditt efternamn"),
        ("email.emailAddress", "invalid_email", "Skriv e-postadressen så här: namn@exempel.se"),
        ("firstName", "too_long", "Förnamnet får vara högst 30 tecken"),
        ("presentAccommodation.price", "invalid_number", "Skriv priset med siffror, till exempel 2 500 000"),
        ("leadSourceId", "required", "leadSourceId saknas"),
        ("validUntil", "has_passed", "Lånelöftet har gått ut. Skriv dagens datum eller ett senare"),
        ("lastName", "no_letters", "Efternamnet måste innehålla minst en bokstav"),
    ],
)
def test_a_message_says_what_to_do(field: str, code: str, text: str) -> None:
    assert say(field, code) == text


@pytest.mark.parametrize("code", sorted(ALL_CODES))
@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_error_has_a_human_message_at_every_field(code: str, language: str) -> None:
    for field in FIELD_NAMES:
        text = say(field, code, language)
        assert text, (field, code)
        assert "%" not in text
        assert not re.search(rf"ogiltig|felaktig|vänligen|invalid|please|{code}", text, re.IGNORECASE) or code == "file"


def test_no_table_has_an_unused_error_code() -> None:
    assert set(GENERAL) == ALL_CODES
    assert {code for _, code in TEXTS} <= ALL_CODES


@pytest.mark.parametrize("ways", [("telephone.cell", "cellPhone"), ("telephone.home", "updatePerson.telePhone")])
def test_a_phone_is_the_same_thing_in_an_interest_and_in_a_booking(ways: tuple[str, str]) -> None:
    for code in ("invalid_phone", "too_long", "required"):
        assert say(ways[0], code) == say(ways[1], code)


@pytest.mark.parametrize("code", ["unknown", "not_allowed", "customer_mismatch"])
def test_what_only_a_program_can_send_is_called_as_in_its_body(code: str) -> None:
    assert "updatePerson.cellPhone" in say("updatePerson.cellPhone", code)


def test_what_was_sent_is_never_read_as_a_format() -> None:
    assert "100%(name)s" in say("100%(name)s", "unknown")


def test_without_a_translation_the_english_text_is_shown() -> None:
    assert say("firstName", "too_long", "en") == "The first name can be at most 30 characters"


def test_a_form_shows_its_errors_at_its_own_inputs() -> None:
    faults = [
        FieldError("updatePerson.firstName", "required"),
        FieldError("updatePerson.email.emailAddress", "contact_required"),
    ]
    at = field_messages(faults, TEMPLATES.gettext("sv"))
    assert [fault.field for fault in at] == ["firstName", "contact"]
    assert at[1].message == "Skriv en e-postadress eller ett telefonnummer, så att vi kan nå dig"


@pytest.mark.parametrize("kind", sorted(PROBLEMS))
def test_a_problem_has_a_title_and_a_detail_in_both_languages(kind: str) -> None:
    swedish, english = (problem_text(kind, TEMPLATES.gettext(language)) for language in ("sv", "en"))
    assert all(swedish)
    assert all(english)
    assert swedish != english
