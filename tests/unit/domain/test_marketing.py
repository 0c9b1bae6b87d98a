"""Campaign tags: kept, truncated or dropped. Nothing here ever refuses a lead."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.fields import utf16_length
from app.domain.marketing import (
    MAX_TAGS,
    NAME_LENGTH,
    REFERRER_LENGTH,
    VALUE_LENGTH,
    Marketing,
    is_tag,
    normalize_marketing,
    page_address,
    tags_in,
)
from app.sandbox.schemas import FormMarketing


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("utm_source", True),
        ("UTM_Source", True),
        ("utm_x", True),
        ("gclid", True),
        ("fbclid", True),
        ("msclkid", True),
        ("GCLID", True),
        ("gbraid", True),
        ("wbraid", True),
        ("dclid", True),
        ("ttclid", True),
        ("twclid", True),
        ("li_fat_id", True),
        ("amp;utm_medium", True),
        ("amp;amp;gclid", True),
        ("utm_source[]", True),
        ("gclid[0]", True),
        (" utm_source", True),
        ("utm_source\u00a0", True),
        ("utm_ ", False),
        ("[]", False),
        ("amp;", False),
        ("utm_", False),
        ("utm", False),
        ("xutm_source", False),
        ("gclid2", False),
        ("referrer", False),
        ("", False),
    ],
)
def test_a_tag_is_utm_something_or_a_click_id(name: str, known: bool) -> None:
    assert is_tag(name) is known


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        ([], []),
        (
            [("utm_source", "google"), ("utm_medium", "cpc"), ("gclid", "1")],
            [("utm_source", "google"), ("utm_medium", "cpc"), ("gclid", "1")],
        ),
        ([("utm_source", "first"), ("utm_source", "second")], [("utm_source", "first")]),
        ([("UTM_Source", "first"), ("utm_source", "second")], [("utm_source", "first")]),
        ([("utm_source", ""), ("utm_source", "second")], [("utm_source", "second")]),
        ([("utm_source", " google ")], [("utm_source", "google")]),
        ([("utm_source", "a\r\n\tb\x00c\u2028d")], [("utm_source", "a b c d")]),
        ([("utm_source", "x" * 500)], [("utm_source", "x" * 500)]),
        ([("utm_source", "x" * 501)], [("utm_source", "x" * 500)]),
        ([("utm_source", "x" * 499 + "😀")], [("utm_source", "x" * 499)]),
        ([("", "x"), (" ", "y")], []),
        ([("amp;utm_medium", "cpc"), ("utm_source[]", "google")], [("utm_medium", "cpc"), ("utm_source", "google")]),
        ([("utm_source[]", "a"), ("utm_source[]", "b")], [("utm_source", "a")]),
        ([("Kampanj", "Vår")], [("Kampanj", "Vår")]),
        ([(" utm_source", "a"), ("utm_source ", "b")], [("utm_source", "a")]),
    ],
)
def test_tags_are_kept_in_order_the_first_of_each_name(pairs: Any, kept: Any) -> None:
    assert list(normalize_marketing(tuple(pairs), ()).tags) == kept


@pytest.mark.parametrize(
    ("sent", "tags"),
    [
        ([{"name": "utm_source", "value": "google"}], [("utm_source", "google")]),
        ([{"Name": "utm_source", "VALUE": "google", "id": 1}], [("utm_source", "google")]),
        ([None, "x", 5, [], {}, {"name": "utm_source", "value": "google"}], [("utm_source", "google")]),
        ([{"name": "utm_id", "value": 5}], [("utm_id", "5")]),
        ([{"name": "utm_id", "value": 1.5}, {"name": 7, "value": True}], [("utm_id", "1.5"), ("7", "true")]),
        ([{"name": None, "value": "x"}, {"name": "utm_x", "value": None}, {"name": "utm_y"}], []),
        ([{"name": ["a"], "value": {"b": 1}}], []),
        ([{"name": "utm_id", "value": 10**400}], []),
        ([{"name": "utm_id", "value": ["a", "b"]}, {"name": "utm_x", "value": []}], [("utm_id", "a")]),
        ({"utm_id": [5, None], "utm_x": [[]]}, [("utm_id", "5")]),
        ({"utm_source": "google", "utm_id": 5, "utm_x": None}, [("utm_source", "google"), ("utm_id", "5")]),
        ("utm_source=google", []),
        (None, []),
        (5, []),
    ],
    ids=repr,
)
def test_a_programs_tags_are_read_tolerantly(sent: Any, tags: Any) -> None:
    assert list(normalize_marketing(tags_in(sent), ()).tags) == tags


@pytest.mark.parametrize("sent", [19, 20, 21, 500])
def test_at_most_twenty_tags_are_kept(sent: int) -> None:
    pairs = [(f"utm_{number}", "x") for number in range(sent)]
    assert list(normalize_marketing(tuple(pairs), ()).tags) == pairs[:20]


@given(st.lists(st.tuples(st.text(max_size=200) | st.sampled_from(["utm_a", "UTM_A", "gclid"]), st.text(max_size=600))))
def test_any_input_is_turned_into_marketing_that_vitec_accepts(pairs: list[tuple[str, str]]) -> None:
    marketing = normalize_marketing(tuple(pairs), ())
    names = [name for name, _ in marketing.tags]
    assert len(names) == len(set(names)) <= MAX_TAGS
    for name, value in marketing.tags:
        assert 0 < utf16_length(name) <= NAME_LENGTH
        assert 0 < utf16_length(value) <= VALUE_LENGTH
        assert not re.search(r"[\x00-\x1f\x7f]", name + value)
    FormMarketing.model_validate(marketing.member)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))))
def test_the_first_of_each_name_wins(pairs: list[tuple[str, str]]) -> None:
    first: dict[str, str] = {}
    for name, value in pairs:
        first.setdefault(f"utm_{name}", value)
    assert list(normalize_marketing(tuple((f"utm_{name}", value) for name, value in pairs), ()).tags) == list(
        first.items()
    )


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://www.maklarhuset.se/objekt/1?a=b", "https://www.maklarhuset.se/objekt/1?a=b"),
        (" http://localhost:3000/x#del ", "http://localhost:3000/x"),
        ("https://a.se/\r\nX: y", "https://a.se/X: y"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//a.se/x", None),
        ("/objekt/1", None),
        ("https://", None),
        ("https://[a", None),
        ("", None),
        (None, None),
        ("https://a.se/" + "x" * 3000, ("https://a.se/" + "x" * 3000)[:REFERRER_LENGTH]),
    ],
)
def test_a_page_is_an_http_address_without_fragment(address: str | None, kept: str | None) -> None:
    assert page_address(address) == kept
    assert normalize_marketing((), [address]).referrer == kept


@given(st.text() | st.text().map("https://a.se/{}".format))
def test_any_text_as_page_is_taken_or_dropped(address: str) -> None:
    kept = page_address(address)
    assert kept is None or (kept.startswith("http") and utf16_length(kept) <= REFERRER_LENGTH)


@pytest.mark.parametrize(
    ("marketing", "body"),
    [
        (Marketing(), {}),
        (Marketing(referrer="https://a.se/"), {"referrer": "https://a.se/"}),
        (
            Marketing(tags=(("utm_source", "google"), ("gclid", "1"))),
            {"utmTags": [{"name": "utm_source", "value": "google"}, {"name": "gclid", "value": "1"}]},
        ),
    ],
)
def test_marketing_is_sent_in_vitecs_format_and_omitted_when_empty(marketing: Marketing, body: Any) -> None:
    assert marketing.member == body


@given(st.builds(Marketing, st.none() | st.text(min_size=1), st.lists(st.tuples(st.text(), st.text())).map(tuple)))
def test_stored_marketing_is_read_back_unchanged(marketing: Marketing) -> None:
    assert Marketing.of_member(marketing.member) == marketing
