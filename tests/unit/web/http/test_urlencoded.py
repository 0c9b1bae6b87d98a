"""Pairs are those of `parse_qsl`, whichever way they are read."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.web.http.urlencoded import pairs_of, pairs_of_query, text_of

raw = st.text(
    st.sampled_from("\x00\x01\x08\x0b\x0c\x1f\x7faZ09 %+&=;#?/\\'\"<>[]{}|^`~!$()*,.:@_-\t\r\n\0é😀\ufffd%%&&=="),
    max_size=40,
)
escaped = st.lists(
    st.sampled_from(["%41", "%c3%a5", "%C3", "%ff", "%", "%2", "%zz", "%00", "%26", "%EF%BF%BD", "a", "=", "&", "+"])
)


@given(raw | escaped.map("".join))
@example("a=%EF%BF%BD&b=1")
@example("a=1#b=2")
@example("  a=1  ")
@example("a=1%\rb")
@example("a=\ud800")
@example("a=1%")
def test_any_text_reads_as_parse_qsl_reads_it(text: str) -> None:
    assert pairs_of(text, "replace") == parse_qsl(text, errors="replace")


@given(raw | escaped.map("".join))
def test_invalid_utf_8_is_reported_exactly_when_parse_qsl_reports_it(text: str) -> None:
    try:
        expected = parse_qsl(text, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            pairs_of(text)
    else:
        assert pairs_of(text) == expected


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1))))
def test_an_encoded_form_is_read_back_unchanged(pairs: list[tuple[str, str]]) -> None:
    assert pairs_of(urlencode(pairs)) == pairs


@pytest.mark.parametrize(
    "query", [b"p=1?utm_source=a&utm_medium=b", b"?utm_source=a&AMP;utm_medium=b", b"UTM_source=a?&amp;utm_medium=b"]
)
def test_a_query_may_have_a_second_one_with_tags_behind_it(query: bytes) -> None:
    pairs = [(name.lower(), value) for name, value in pairs_of_query(query) if name != "p"]
    assert [(name, value.rstrip("?")) for name, value in pairs] == [("utm_source", "a"), ("utm_medium", "b")]


def test_a_question_mark_in_a_value_is_kept() -> None:
    assert pairs_of_query(b"title=Ny?&page=https://a.se/?x=1") == [("title", "Ny?"), ("page", "https://a.se/?x=1")]


def test_pairs_are_urlencoded_as_browsers_do_it() -> None:
    pairs = [("email.emailAddress", "a@ex.se"), ("contactMessage", "*-._~ å\r\n+%&="), ("slot", "")]
    text = "email.emailAddress=a%40ex.se&contactMessage=*-._%7E+%C3%A5%0D%0A%2B%25%26%3D&slot="
    assert text_of(pairs) == text
