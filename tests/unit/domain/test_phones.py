"""Phone numbers as people write them, and the number that results."""

import re
import time

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain.phones import MAX_PHONE_TEXT, PHONE_LENGTH, normalize_phone, split_phones

MOBILE, HOME = "+46701740605", "+46812345678"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("070-174 06 05", MOBILE),
        ("0701740605", MOBILE),
        ("070.174.06.05", MOBILE),
        ("0701/74 06 05", MOBILE),
        ("+46 70 174 06 05", MOBILE),
        ("+46 (0)70 174 06 05", MOBILE),
        ("(+46) 70 174 06 05", MOBILE),
        ("0046 70 174 06 05", MOBILE),
        ("00 46 70 174 06 05", MOBILE),
        ("46701740605", MOBILE),
        ("70-174 06 05", MOBILE),
        ("070‑174 06 05", MOBILE),  # a hyphen that doesn't break, as copied from a page
        ("\uff10\uff17\uff10\uff0d\uff11\uff17\uff14\uff10\uff16\uff10\uff15", MOBILE),
        ("\u0660\u0667\u0660\u0661\u0667\u0664\u0660\u0666\u0660\u0665", MOBILE),  # typed on an Arabic phone
        ("+\u06f4\u06f6 \u06f7\u06f0 \u06f1\u06f7\u06f4 \u06f0\u06f6 \u06f0\u06f5", MOBILE),  # a Persian one
        ("08-123 456 78", HOME),
        ("(08) 123 456 78", HOME),
        ("+47 22 12 34 56", "+4722123456"),
        ("0047 22 12 34 56", "+4722123456"),
        ("+1 650 253 0000", "+16502530000"),
        ("tel:+46701740605", MOBILE),
        ("TEL: 070-174 06 05", MOBILE),
        ("tel:+46-8-123-456-78;ext=12", f"{HOME}x12"),
        ("Mobil: 070-174 06 05", MOBILE),
        ("070-174 06 05 mobil", MOBILE),
        ("070-174 06 05 (mobil)", MOBILE),
        ("(hem) 08-123 456 78", HOME),
        ("070-174 06 05 [min fru]", MOBILE),
        ("070-174 06 05 ankn 12", f"{MOBILE}x12"),
        ("08-123 456 78 (anknytning 12)", f"{HOME}x12"),
        ("08-465 004 04, ext. 123", "+46846500404x123"),
        ("08-465 004 04 x1234567", "+46846500404"),  # the extension does not fit
        ("90 12 34 56", None),  # would ring somebody in Umeå
        ("460701740605", MOBILE),
        ("46 (0)70 174 06 05", MOBILE),
        ("070\u2009174\t06 05", MOBILE),
        ("O7O-174 O6 O5", MOBILE),
        ("070, 174 06 05", MOBILE),
        ("[070] 174'06'05", MOBILE),
        ("Tel.nr: 070-174 06 05", MOBILE),
        ("m: 070-174 06 05", MOBILE),
        ("sms:0701740605", MOBILE),
        ("arb. 08-123 456 78", HOME),
        ("08-123 456 78 (vx)", HOME),
        ("08-123 456 78 vxl", HOME),
        ("privat mob 070-174 06 05", MOBILE),
        ("\u260e\ufe0f 070-174 06 05", MOBILE),
        ("00701740605", None),
        ("070-BOO 06 05", None),
        ("8 123 456 78", None),
        ("4722123456", None),
        ("112", None),
        ("08-1234", None),
        ("070-174 06 05 12 34", None),
        ("070-FLOWERS", None),
        ("ring kontoret", None),
        ("+", None),
        ("", None),
    ],
)
def test_a_phone_number_is_one_that_can_be_dialled(typed: str, number: str | None) -> None:
    assert normalize_phone(typed) == number


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("90 12 34 56", "NO", "+4790123456"),
        ("076-123 45 67", "CH", "+41761234567"),  # which would ring somebody in Sweden
        ("50 12 34 56", "DK", "+4550123456"),
        ("040 123 4567", "FI", "+358401234567"),
        ("0176 12345678", "DE", "+4917612345678"),
        ("07911 123456", "GB", "+447911123456"),
        ("(650) 253-0000", "US", "+16502530000"),
        ("+46 70 174 06 05", "NO", MOBILE),
        ("0046 70 174 06 05", "US", MOBILE),
        ("070-174 06 05", "NO", MOBILE),  # who has moved there may have kept the number
        ("901 23 45", "NO", None),
        ("08-123 456 78", "NO", None),
        ("puh. 040 123 4567", "FI", "+358401234567"),
        ("Tlf.: 90 12 34 56", "NO", "+4790123456"),
    ],
)
def test_a_number_without_a_prefix_belongs_to_the_country_of_the_address(
    typed: str, country: str, number: str | None
) -> None:
    assert normalize_phone(typed, country) == number


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("070-174 06 05 / 08-123 456 78", [MOBILE, HOME]),
        ("070-174 06 05, 08-123 456 78", [MOBILE, HOME]),
        ("070-174 06 05; 08-123 456 78; 018-12 34 56", [MOBILE, HOME, "+4618123456"]),
        ("070-174 06 05 eller 08-123 456 78", [MOBILE, HOME]),
        ("mobil 070-174 06 05, hem 08-123 456 78", [MOBILE, HOME]),
        ("070-174 06 05 (mobil) och 08-123 456 78 (hem)", [MOBILE, HOME]),
        ("070-174 06 05", []),
        ("070-174 06 05 el. 08-123 456 78", [MOBILE, HOME]),
        ("070-174 06 05 \u2013 08-123 456 78", [MOBILE, HOME]),
        ("070-174 06 05 08-123 456 78", [MOBILE, HOME]),
        ("0701740605 +46812345678", [MOBILE, HOME]),
        ("070-174 06 05 (m) 08-123 456 78 (h)", [MOBILE, HOME]),
        ("m: 070-174 06 05 h: 08-123 456 78", [MOBILE, HOME]),
        ("070, 174 06 05", []),
        ("070-174 06 05 / nej", []),
        ("08-123 456 78/79", []),
        ("", []),
    ],
)
def test_two_numbers_in_one_field_are_split(typed: str, numbers: list[str]) -> None:
    assert split_phones(typed) == numbers


@pytest.mark.parametrize("between", [", ", " / ", "; ", " - ", " och "])
@pytest.mark.parametrize(
    ("country", "first", "second"), [("DE", "089 1234", "089 4321"), ("AT", "0512 123", "0512 321")]
)
def test_two_short_numbers_are_never_one_long_number(country: str, first: str, second: str, between: str) -> None:
    typed = first + between + second
    assert normalize_phone(typed, country) is None
    assert split_phones(typed, country) == [normalize_phone(first, country), normalize_phone(second, country)]


def normalized_by_the_library(typed: str) -> str | None:
    """Without the fast path for Swedish mobile numbers."""
    try:
        number = phonenumbers.parse(typed, "SE")
    except phonenumbers.NumberParseException:
        return None
    e164 = phonenumbers.PhoneNumberFormat.E164
    return phonenumbers.format_number(number, e164) if phonenumbers.is_valid_number(number) else None


@st.composite
def typed_mobiles(draw: st.DrawFn) -> str:
    """Numbers typed as Swedish mobile numbers, and near misses: of any length, with separators."""
    digits = draw(st.from_regex(r"7?[0-9]{6,11}", fullmatch=True))
    between = draw(st.lists(st.sampled_from(["", "", "", " ", "-", "  "]), min_size=len(digits), max_size=len(digits)))
    written = "".join(digit + sign for digit, sign in zip(digits, between, strict=True)).strip(" -")
    return draw(st.sampled_from(["0", "+46", "0046", "+46 ", "0046-"])) + written


@settings(max_examples=300)
@given(typed_mobiles())
def test_a_swedish_mobile_number_is_read_as_the_library_reads_it(typed: str) -> None:
    assert normalize_phone(typed) == normalized_by_the_library(typed)


@given(
    st.from_regex(r"\+?[0-9 ()-]{6,20}( ?(ankn|ext|x)\.? ?[0-9]{1,8})?", fullmatch=True),
    st.sampled_from(["SE", "NO", "DE", "US"]),
)
@example("+4920100000000000", "SE")  # 16 digits: good by the library's rules for Germany, but E.164 ends at 15
def test_a_phone_number_is_never_sent_on_longer_than_vitec_takes(typed: str, country: str) -> None:
    number = normalize_phone(typed, country)
    assert number is None or (re.fullmatch(r"\+[0-9]{7,15}(x[0-9]+)?", number) and len(number) <= PHONE_LENGTH)


@given(st.text() | st.text("0123456789 +-()/,;eller xankn.[mobil]:tel", max_size=MAX_PHONE_TEXT))
def test_a_formatted_number_is_read_back_unchanged(typed: str) -> None:
    for number in filter(None, [normalize_phone(typed), *split_phones(typed)]):
        assert normalize_phone(number) == number


@pytest.mark.parametrize("filler", ["(", "(a", "[a]", "0 ", "x1", "ext ", ", ", "07", "tel:", "a", "+", " / "])
def test_no_text_in_the_field_of_a_number_takes_long(filler: str) -> None:
    began = time.process_time()
    for text in ((filler * MAX_PHONE_TEXT)[:MAX_PHONE_TEXT], filler * 30_000):
        normalize_phone(text)
        split_phones(text)
    assert time.process_time() - began < 0.1
