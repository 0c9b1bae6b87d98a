"""Normalised letters, and no invisible characters."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.characters import MAX_MARKS, normalized, trim, visible


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("A\u030asa O\u0308berg", "Åsa Öberg"),
        ("Ren\u00ade\u0301", "René"),
        ("a\u200b\u030a", "å"),
        ("Anna\u00a0Ek", "Anna Ek"),
        ("2\u202f500\u2007000", "2 500 000"),
        ("\u202a\u2066Anna\u2069\u202c", "Anna"),
        ("An\u200dna\ufe0f", "Anna"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("❤\ufe0f 1\ufe0f\u20e3", "❤\ufe0f 1\ufe0f\u20e3"),
        ("\u115f\u3164\uffa0", ""),
        ("rad\none\ttab", "rad\none\ttab"),
    ],
)
def test_visible_text_is_kept_unchanged(typed: str, read_as: str) -> None:
    assert visible(typed) == read_as


INVISIBLE = [0xAD, 0x34F, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]


@pytest.mark.parametrize("code", INVISIBLE, ids=hex)
def test_invisible_characters_are_removed_at_any_position(code: int) -> None:
    mark = chr(code)
    assert visible(f"{mark}An{mark}na{mark}") == "Anna"
    assert trim(f" {mark} Anna {mark} ") == "Anna"


@given(st.text(max_size=200))
def test_letters_are_normalised_and_normalising_twice_changes_nothing(text: str) -> None:
    seen = visible(text)
    assert unicodedata.is_normalized("NFC", seen)
    assert visible(seen) == seen


@given(st.text(st.characters(max_codepoint=0x2FF, exclude_characters="\u00a0\u00ad")))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    "flood",
    [
        *("\u0301\u0327" * 16_000, ("a" + "\u0301\u0327" * 45) * 350, "\u200b" * 32_000),
        *(mark * 21_000 for mark in "\u0344\u0f73\u0f75\u0f81"),  # each is two marks; the last three count as letters
    ],
    ids=lambda flood: ascii(flood[:3]),
)
def test_no_flood_of_marks_takes_long(flood: str) -> None:
    began = time.process_time()
    visible(flood)
    assert time.process_time() - began < 0.1


def test_a_letter_with_more_marks_than_any_text_has_is_left_as_it_is() -> None:
    flood = "e" + "\u0301" * 10 * MAX_MARKS
    assert visible(flood) == flood
    assert visible("e\u0301" * 1000) == "é" * 1000


@given(st.text(st.sampled_from("aÅ \u00a0\u00ad\u200b\u202f\u3000\ufeff\u030a\r\n\x1f😀\ufe0f\u200d")))
def test_normalized_text_is_visible_and_trimmed(text: str) -> None:
    assert normalized(text) == trim(visible(text))
