"""Values that look personal, in many spellings; and ordinary campaign names, which don't."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.personal_values import MAX_LENGTH, looks_personal

ADDRESSES = [
    "anna@example.se",
    "anna%40example.se",
    "anna%2540example.se",
    "anna%252540example.se",
    "anna%25252540example.se",
    "anna%25%34%30example.se",
    "anna&#64;example.se",
    "anna&#x40;example.se",
    "anna&commat;example.se",
    "anna\uff20example.se",
    "anna\ufe6bexample.se",
    "anna(at)example.se",
    "anna [at] example.se",
    "anna\\u0040example.se",
    "anna=40example.se",
    "YW5uYUBleGFtcGxlLnNl",
    "src-YW5uYUBleGFtcGxlLnNl",
    "616e6e61406578616d706c652e7365",
    "host26-anna@example.se",
]
PHONES = [
    "0701234567",
    "070-123 45 67",
    "070-1234567",
    "070 123 45 67",
    "070.123.45.67",
    "070/1234567",
    "(070) 123 45 67",
    "+46701234567",
    "+46 70 123 45 67",
    "+46 (0)70 123 45 67",
    "+46(0)701234567",
    "0046701234567",
    "0046 70-123 45 67",
    "46701234567",
    "46 70 123 45 67",
    "701234567",
    "70 123 45 67",
    "08-123 456 78",
    "08-12345678",
    "0812345678",
    "08 123 456 78",
    "+46812345678",
    "+46 8 123 456 78",
    "46 8 123 456 78",
    "031-12 34 56",
    "0470-123 45",
    "tel0701234567",
    "ring-070-123-45-67",
    "hemnet_0701234567",
    "2026-11-29-0701234567",
    "070%20123%2045%2067",
    "%2B46701234567",
    "070+123+45+67",
    "+4791234567",
    "+47 912 34 567",
    "0047 912 34 567",
    "+1 202 555 0123",
    "\u0660\u0667\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
    "\uff10\uff17\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
    "tel:+46-70-123-45-67",
    "whatsapp:46701234567",
    "MDcwMTIzNDU2Nw==",
    "anna-0701234567-host",
]
PERSONNUMMER = [
    "19900101-2385",
    "900101-2385",
    "9001012385",
    "199001012385",
    "19121212-1212",
    "121212-1212",
    "121212+1212",
    "811228-9874",
    "8112289874",
    "198112289874",
    "19811228-9874",
    "1981-12-28-9874",
    "811228 9874",
    "811228\u20139874",
    "pnr 811228-9874",
    "pnr811228-9874",
    "811288-9874",
    "850101-1234",
    "19850101-1234",
    "20050101-1234",
    "811228%2D9874",
    "811228%252D9874",
    "811228_9874",
    "870161-9876",
    "20010101-2384",
]
HONEST = [
    "google",
    "sommar2026",
    "2026-11-29",
    "20261129",
    "29.11.2026",
    "29-11-2026",
    "01-09-2026",
    "08-12-2026",
    "2026-11-29-1200",
    "20261129-1200",
    "2026-11-29T08:00",
    "120208123456789012",
    "23851234567890123",
    "6123456789012",
    "1234567890",
    "20912345678",
    "17123456789",
    "145678901234",
    "203456789",
    "507123456",
    "vecka-48",
    "v48-2026",
    "2026-vecka-48",
    "hemnet_2026-11-29_v48",
    "storgatan-12",
    "storgatan 12, 114 55",
    "0812-0824",
    "0701-0715",
    "20260701-20260715",
    "260701-260715",
    "01072026-15072026",
    "550e8400-e29b-41d4-a716-446655440000",
    "07012345-1234-4123-8123-070123456789",
    "d41d8cd98f00b204e9800998ecf8427e",
    "q4-2026",
    "100%",
    "50%25-rabatt",
    "nyhetsbrev-2026-11",
    "OBJ12345",
    "OBJ12345_1234567890",
    "2500000-3500000",
    "2.500.000-3.000.000",
    "1000-2000",
    "brand",
    "s\xf6k&k\xf6p",
    "a=b",
    "kampanj(2)",
    "maklarhuset.se",
    "facebook.com",
    "l.facebook.com",
    "black-friday-2026",
    "lansering 1.0.0",
    "top10",
    "{{campaign.name}}",
    "[annons]",
    "6309123456789",
    "238512345678901234",
    "1-2-3-4-5-6-7-8-9",
    "2026/2027",
    "23:59",
    "59.3293,18.0686",
    "1080x1920",
    "300x250_v2",
    "se-sv-dsk-120x600",
    "hus & hem 2026",
    "Sommar+Host+2026",
    "newsletter_20260815",
    "email",
    "e-post",
    "visning s\xf6ndag 29/11 12.00-13.00",
    "29/11-2026",
    "0-100",
    "360",
    "24-7",
    "akq9SD8sdkKSJDj29sk",
    "pmax-20912345678",
    "cid-145678901234",
    "st:2026-11-29",
    "2026-11-29 08:00-20:00",
    "20260101_20260131",
    "2026-01-01_2026-01-31",
    "se46",
    "kvartal4",
    "2024-2025-2026",
    "4711",
    "20250901-1200",
    "250901-0900",
    "IwAR1x",
    "fb_120208123456789012_120208987654321098",
    "20260901-0812",
    "261129-0900",
]


@pytest.mark.parametrize("text", [*ADDRESSES, *PHONES, *PERSONNUMMER], ids=ascii)
def test_email_addresses_phone_numbers_and_personnummer_are_recognised_in_any_spelling(text: str) -> None:
    assert looks_personal(text)


@pytest.mark.parametrize("text", HONEST, ids=ascii)
def test_the_name_of_a_campaign_is_not_personal(text: str) -> None:
    assert not looks_personal(text)


@pytest.mark.parametrize("times", range(10))
@pytest.mark.parametrize("text", ["anna@example.se", "070-123 45 67", "811228-9874"])
def test_repeated_encoding_hides_nothing(text: str, times: int) -> None:
    for _ in range(times):
        text = "".join(f"%{byte:02X}" for byte in text.encode()) if len(text) < 60 else quote(text, safe="")
    assert looks_personal(text[:MAX_LENGTH])


@pytest.mark.parametrize("around", ["%s", "sommar-%s", "%s-2026", "fb/%s/host", "2026-11-29 %s", "id=%s&x", "å%sö"])
@pytest.mark.parametrize("text", ["anna@example.se", "0701234567", "811228-9874"])
def test_a_personal_value_is_found_among_other_words(text: str, around: str) -> None:
    assert looks_personal(around % text)


@given(st.integers(10**13, 10**18 - 1))
def test_a_long_advertisement_id_is_not_personal(number: int) -> None:
    assert not looks_personal(str(number))


@given(st.dates().map(str), st.sampled_from(["%s", "host-%s", "%s_v2", "brand %s sv"]))
def test_a_date_is_not_personal(date: str, around: str) -> None:
    assert not looks_personal(around % date)


@given(st.text(max_size=80))
def test_any_text_gets_an_answer(text: str) -> None:
    assert looks_personal(text) in {True, False}


@pytest.mark.parametrize(
    "part", ["0", "070-", "07 ", "%25", "a%", "1-", "0812 ", "(at", "<", "A", "9", "+46 ", "&#64", "19900101", "=4"]
)
def test_the_longest_text_in_the_worst_characters_is_checked_quickly(part: str) -> None:
    began = time.process_time()
    looks_personal(part * 100_000)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize("character", ["\u2474", "\ufdfa"])
def test_a_text_that_becomes_longer_than_what_is_checked_counts_as_personal(character: str) -> None:
    """They stand for "(1)" and for 18 letters: a text of them takes three times as long, or more."""
    assert looks_personal(character * MAX_LENGTH)
    assert not looks_personal(character * 20)
