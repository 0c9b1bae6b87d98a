"""What people and their websites really send arrives as it was meant: in any charset, casing and spelling."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.domain.characters import trim, visible
from app.sandbox import Slot
from app.web.operations.responders import JsonResponder
from app.web.rendering.templates import Templates
from tests.acceptance.bodies import (
    FORM,
    ORIGIN,
    PLAIN,
    PUBLIC_URL,
    SITE,
    booking,
    faults_of,
    fields,
    interest,
    interest_path,
    key,
    member,
    viewing_path,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService

MOBILE, HOME = "+46701740605", "+46812345678"
OPERATIONS: list[Any] = [
    pytest.param(interest_path, interest, "telephone.cell", "", id="interest"),
    pytest.param(viewing_path, booking, "cellPhone", "updatePerson.", id="booking"),
]


def submitted(service: RunningService, make: Callable[[], str], body: dict[str, Any], **typed: Any) -> Any:
    """Posts a form; returns what the CRM received. Two underscores in a name stand for a dot."""
    return service.submitted(make(), fields(body) | {name.replace("__", "."): value for name, value in typed.items()})


# Answers after the commit


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/tack–välkommen", "/tack%E2%80%93v%C3%A4lkommen?"),
        ("/tack-för-din-anmälan", "/tack-f%C3%B6r-din-anm%C3%A4lan?"),
        ("/tack?till=Åsa Öberg&a=%20", "/tack?till=%C3%85sa%20%C3%96berg&a=%20&"),
        ('/tack/"<😀>\\|^`{}', "/tack/%22%3C%F0%9F%98%80%3E%5C%7C%5E%60%7B%7D?"),
        ("/tack\u00a0\u200d\u00adså", "/tack%C2%A0%E2%80%8D%C2%ADs%C3%A5?"),
        ("/tack/A\u030a", "/tack/A%CC%8A?"),
    ],
    ids=ascii,
)
def test_a_return_url_may_contain_any_characters(service: RunningService, asked: str, location: str) -> None:
    answer = service.client.post(
        interest_path(), data=fields(interest()) | {"return_url": ORIGIN + asked}, headers=SITE
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(ORIGIN + location + "intresse=ok&reference=")


def fill(service: RunningService, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fills all places of the slot of a booking's path."""
    _, _, _, viewing, slot, _ = path.split("/")
    monkeypatch.setattr(service.office, "slots", {(viewing, slot): Slot(capacity=0)})


@pytest.fixture
def broken_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every page, and every answer from Vitec, fail to be made."""

    def fail(*_: Any) -> Any:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Templates, "render", fail)
    monkeypatch.setattr(JsonResponder, "_vitecs_answer", fail)


@pytest.mark.usefixtures("broken_pages")
def test_whatever_fails_after_the_commit_no_answer_says_that_it_was_not_received(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = viewing_path()
    fill(service, path, monkeypatch)
    refused = service.client.post(path, data=fields(booking()), headers=SITE)  # and the form can't be shown again
    assert (refused.status_code, refused.headers["location"][:10]) == (303, "/receipts/")
    answer = service.client.post(interest_path(), json=interest(), headers=SITE)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")


def test_the_offered_interest_names_the_brokers_page_and_has_all_that_was_typed(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, home = viewing_path(), interest_path()
    fill(service, path, monkeypatch)
    own = {"telePhone": "08-123 456 78", "email.emailAddress2": "ek@example.se", "utm_source": "blad"}
    headers = SITE | {"Referer": f"{ORIGIN}/hem/1"}
    estate = home.split("/")[4]
    refused = service.client.post(f"{path}?estate={estate}", data=fields(booking()) | own, headers=headers)
    assert refused.status_code == 400
    form = refused.text.partition('<form class="offer"')[2].partition("</form>")[0]
    inputs = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form))
    action = re.findall(r'action="([^"]*)"', form)[0].replace("&amp;", "&")
    ours = {"Origin": PUBLIC_URL, "Referer": f"{PUBLIC_URL}{path}"}
    assert service.client.post(action, data=inputs, headers=ours).status_code == 303
    body = service.delivered(home).body
    assert body["marketing"]["referrer"] == f"{ORIGIN}/hem/1"
    assert body["marketing"]["utmTags"] == [{"name": "utm_source", "value": "blad"}]
    assert body["telephone"] == {"home": HOME}
    assert body["email"]["emailAddress2"] == "ek@example.se"


# Charsets

CHARSETS = {
    "utf-8": "utf-8",
    "windows-1252": "cp1252",
    "iso-8859-15": "iso8859-15",
    "iso-8859-2": "iso8859-2",
    "windows-1250": "cp1250",
    "macintosh": "mac-roman",
}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufffd&"), max_size=80)
LETTERS = st.text("Åäöéß Łžđşț€½–’Øæœ😀李ЖΩ", max_size=40)


def bytes_of(text: str, charset: str) -> bytes:
    """The bytes that a browser sends for text typed on a page in this charset."""
    return text.encode(CHARSETS[charset], "xmlcharrefreplace")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=LETTERS, message=TEXT | LETTERS)
@example(name="Åsa Öberg", message="Ring mig – gärna efter kl. 17 ☎")
@example(name="A\u030asa", message="va\u030ar\u00a0lägenhet")
@pytest.mark.parametrize("way", ["content-type", "_charset_", "multipart"])
@pytest.mark.parametrize("charset", CHARSETS)
def test_any_text_that_a_browser_sends_reaches_the_crm_as_typed(
    service: RunningService, charset: str, way: str, name: str, message: str
) -> None:
    name = f"A{trim(visible(name))[:10]}z"
    typed = fields(interest()) | {"firstName": name, "contactMessage": message}
    if way == "_charset_":
        typed["_charset_"] = charset
    pairs = [(label.encode(), bytes_of(text, charset)) for label, text in typed.items()]
    if way == "multipart":
        part = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        content = b"".join(part % pair for pair in pairs) + b"--B--\r\n"
        headers = {"Content-Type": f"multipart/form-data; boundary=B; charset={charset}"}
    else:
        content = b"&".join(
            quote_from_bytes(label).encode() + b"=" + quote_from_bytes(text).encode() for label, text in pairs
        )
        headers = {"Content-Type": f"{FORM['Content-Type']}; charset={charset}"} if way == "content-type" else FORM
    path = interest_path()
    answer = service.client.post(path, content=content, headers=SITE | headers)
    assert answer.status_code == 303, answer.text
    body = service.delivered(path).body
    assert body["firstName"] == visible(name)
    assert body.get("contactMessage", "") == trim(visible(message))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=TEXT | LETTERS)
def test_any_text_in_json_reaches_the_crm_as_typed(service: RunningService, message: str) -> None:
    for ascii_only in (True, False):
        path = interest_path()
        content = json.dumps(interest(contactMessage=message), ensure_ascii=ascii_only).encode()
        answer = service.client.post(path, content=content, headers=SITE | {"Content-Type": "application/json"})
        assert answer.status_code == 200
        assert service.delivered(path).body.get("contactMessage", "") == trim(visible(message))


def test_a_form_in_windows_1252_without_a_declared_charset_is_read_as_such(service: RunningService) -> None:
    path = interest_path()
    content = b"firstName=%C5sa&lastName=%D6berg&email.emailAddress=a%40example.se&consent=on&contactMessage=%96%A0%80"
    assert service.client.post(path, content=content, headers=SITE | FORM).status_code == 303
    body = service.delivered(path).body
    assert (body["firstName"], body["lastName"], body["contactMessage"]) == ("Åsa", "Öberg", "– €")


@pytest.mark.parametrize("name", ["firstName", "lastName", "address.city", "address.streetAddress"])
def test_damaged_text_never_becomes_a_name(service: RunningService, name: str) -> None:
    answer = service.client.post(interest_path(), data=fields(interest()) | {name: "\ufffdsa"}, headers=SITE)
    assert page_of(answer).faulty == {name}
    address = {"address": {name.partition(".")[2]: "\ufffdsa"}} if "." in name else {name: "\ufffdsa"}
    assert set(service.faults(interest_path(), interest(**address), SITE)) == {name}


# Ticks


@pytest.mark.parametrize("word", ["true", "on", "1", "yes", "ja", "JA", " Ja ", "sant", "y", "j", "x", "checked"])
def test_a_tick_is_a_word_of_either_language(service: RunningService, word: str) -> None:
    assert submitted(service, viewing_path, booking(), consent=word, smsReminder=word)["smsReminder"] is True


@pytest.mark.parametrize("word", ["false", "off", "0", "no", "nej", "Nej", "kanske"])
def test_no_other_word_is_a_consent(service: RunningService, word: str) -> None:
    answer = service.client.post(interest_path(), data=fields(interest()) | {"consent": word}, headers=SITE)
    page = page_of(answer)
    assert page.faulty == {"consent"}
    assert 'name="consent" value="true" checked' not in answer.text


@pytest.mark.parametrize("values", [["true", "false"], ["false", "true"], ["false", "ja", "nej"]])
def test_of_several_values_of_a_tick_any_true_one_counts(service: RunningService, values: list[str]) -> None:
    path = viewing_path()
    data = fields(booking()) | {"consent": values, "smsReminder": values}
    assert service.client.post(path, data=data, headers=SITE).status_code == 303
    assert service.delivered(path).body["smsReminder"] is True
    path = viewing_path()
    data["smsReminder"] = ["false", "false"]
    assert service.client.post(path, data=data, headers=SITE).status_code == 303
    assert service.delivered(path).body["smsReminder"] is False


# Phones and postcodes


@pytest.mark.parametrize(
    ("typed", "country", "sent"),
    [
        ("90 12 34 56", "NO", "+4790123456"),
        ("50 12 34 56", "dk", "+4550123456"),
        ("040 123 4567", "FI", "+358401234567"),
        ("90 12 34 56", "Norge", "+4790123456"),
        ("+46 70 174 06 05", "NO", MOBILE),
        ("0046701740605", "FI", MOBILE),
        ("701740605", "", MOBILE),
        ("070-174 06 05 (mobil)", "", MOBILE),
        ("tel:+46701740605", "", MOBILE),
        ("070-174 06 05 ankn 12", "", f"{MOBILE}x12"),
        ("070\u00a0174\u200b 06 05", "SE", MOBILE),
    ],
)
@pytest.mark.parametrize(("path", "body", "phone", "prefix"), OPERATIONS)
def test_a_number_is_read_by_the_country_of_the_address(
    service: RunningService,
    path: Callable[[], str],
    body: Callable[..., dict[str, Any]],
    phone: str,
    prefix: str,
    typed: str,
    country: str,
    sent: str,
) -> None:
    form = {"address.countryCode": country, phone: typed}
    assert member(service.submitted(path(), fields(body()) | form), prefix + phone) == sent


@pytest.mark.parametrize(("path", "body", "phone", "prefix"), OPERATIONS)
def test_the_country_may_be_named_as_a_member_of_the_person(
    service: RunningService, path: Any, body: Any, phone: str, prefix: str
) -> None:
    form = {f"{prefix}Address.CountryCode": "NO", phone: "90 12 34 56"}
    assert member(service.submitted(path(), fields(body()) | form), prefix + phone) == "+4790123456"


def test_in_json_a_number_is_read_by_the_country_of_the_address_too(service: RunningService) -> None:
    person = {"cellPhone": "90 12 34 56", "address": {"countryCode": "NO", "zipCode": "0150"}}
    assert service.published(viewing_path(), booking(person))["updatePerson"]["cellPhone"] == "+4790123456"


@pytest.mark.parametrize(("path", "body", "phone", "prefix"), OPERATIONS)
def test_an_invalid_phone_number_is_an_error_if_there_is_no_other_way_to_reach_the_person(
    service: RunningService, path: Any, body: Any, phone: str, prefix: str
) -> None:
    typed = {name: value for name, value in fields(body()).items() if "email" not in name} | {phone: "90 12 34 56"}
    page = page_of(service.client.post(path(), data=typed, headers=SITE))
    assert page.faulty == {phone}
    assert page.values[phone] == "90 12 34 56"


@pytest.mark.parametrize(("path", "body", "phone", "prefix"), OPERATIONS)
def test_an_invalid_phone_number_goes_into_the_message_if_there_is_another_way_to_reach_the_person(
    service: RunningService, path: Any, body: Any, phone: str, prefix: str
) -> None:
    received = service.submitted(path(), fields(body()) | {phone: "ring kontoret", "contactMessage": "Hej!"})
    assert received["contactMessage"] == "Hej!\n\nMobil: ring kontoret"
    assert member(received, prefix + phone) is None


def test_an_invalid_phone_number_is_reported_together_with_other_errors(service: RunningService) -> None:
    typed = fields(interest()) | {"firstName": "", "telephone.cell": "x", "presentAccommodation.price": "y"}
    page = page_of(service.client.post(interest_path(), data=typed, headers=SITE))
    assert page.faulty == {"firstName", "telephone.cell", "presentAccommodation.price"}


def test_a_caller_with_a_key_gets_an_error_for_an_invalid_phone_number(service: RunningService) -> None:
    body = interest(telephone={"cell": "ring kontoret"})
    assert set(faults_of(service.client.post(interest_path(), json=body, headers=key()))) == {"telephone.cell"}


@pytest.mark.parametrize(
    ("path", "body", "phone", "other"),
    [
        (interest_path, interest, "telephone.cell", "telephone.other"),
        (viewing_path, booking, "updatePerson.cellPhone", "updatePerson.otherPhone"),
    ],
)
def test_a_second_number_in_the_field_goes_to_other(
    service: RunningService, path: Any, body: Any, phone: str, other: str
) -> None:
    received = service.submitted(path(), fields(body()) | {phone: "070-174 06 05 / 08-123 456 78"})
    assert (member(received, phone), member(received, other)) == (MOBILE, HOME)
    taken = fields(body()) | {phone: "070-174 06 05, 08-123 456 78", other: "018-12 34 56"}
    received = service.submitted(path(), taken)
    assert (member(received, phone), member(received, other)) == (MOBILE, "+4618123456")
    assert HOME in received["contactMessage"]


@pytest.mark.parametrize(
    ("typed", "country", "sent"),
    [
        ("12345", "", "123 45"),
        ("12345", "SE", "123 45"),
        ("00100", "FI", "00100"),
        ("10115", "DE", "10115"),
        ("10115", "Tyskland", "10115"),
        ("12345", "Sverige", "123 45"),
        ("00100", "", "00100"),
    ],
)
@pytest.mark.parametrize(("path", "body", "phone", "prefix"), OPERATIONS)
def test_a_postcode_has_the_swedish_form_in_sweden_only(
    service: RunningService, path: Any, body: Any, phone: str, prefix: str, typed: str, country: str, sent: str
) -> None:
    form = {"address.countryCode": country, "address.zipCode": typed}
    assert member(service.submitted(path(), fields(body()) | form), f"{prefix}address.zipCode") == sent


# Characters


@pytest.mark.parametrize(("path", "body", "phone", "prefix"), OPERATIONS)
def test_text_is_normalised_and_invisible_characters_are_removed(
    service: RunningService, path: Any, body: Any, phone: str, prefix: str
) -> None:
    typed = {
        "firstName": "\u200eA\u030asa\u00a0Li\u00adsa\u200f",
        "lastName": "O\u0308" * 30,
        "email.emailAddress": "\u2068o\u2019brien@exam\u200bple.se\u2069",
        "address.city": "Va\u0308stera\u030as",
        "contactMessage": "Hej\x07!\r\nNy\x0brad\x1a",
    }
    received = service.submitted(path(), fields(body()) | typed)
    person = member(received, "updatePerson") or received
    assert (person["firstName"], person["lastName"]) == ("Åsa Lisa", "Ö" * 30)
    assert person["email"]["emailAddress"] == "o'brien@example.se"
    assert person["address"]["city"] == "Västerås"
    assert received["contactMessage"] == "Hej!\nNy\nrad"


@pytest.mark.parametrize("name", ["-", "123", "😀", "...", "\u3164", "A\nB", "A\x00B"])
def test_a_name_has_a_letter_and_no_control_character(service: RunningService, name: str) -> None:
    answer = service.client.post(interest_path(), data=fields(interest()) | {"lastName": name}, headers=SITE)
    assert page_of(answer).faulty == {"lastName"}
    person = booking({"lastName": name})
    assert set(service.faults(viewing_path(), person, SITE)) == {"updatePerson.lastName"}


@pytest.mark.parametrize("year", ["0027-03-31", "1899-12-31", "0001-01-01T00:00:00Z"])
def test_an_implausible_year_is_refused(service: RunningService, year: str) -> None:
    assert set(service.faults(interest_path(), interest(gdprApprovalDate=year))) == {"gdprApprovalDate"}
    assert set(service.faults(interest_path(), interest(gdprApprovalDate=year), SITE)) == {"gdprApprovalDate"}
    typed = fields(interest()) | {"gdprApprovalDate": year}
    assert page_of(service.client.post(interest_path(), data=typed, headers=SITE)).faulty == {"gdprApprovalDate"}


# Tags


@pytest.mark.parametrize(
    "query",
    [
        "utm_campaign=h%F6st&utm_medium=cpc",
        "utm_campaign=h%C3%B6st&amp;utm_medium=cpc",
        "utm_campaign=h%C3%B6st&amp;amp;utm_medium=cpc",
        "utm_campaign[]=h%C3%B6st&utm_medium%5B%5D=cpc",
        "UTM_CAMPAIGN=h%c3%b6st&utm_medium=cpc&utm_source=&utm_=x",
    ],
)
def test_a_tag_arrives_whatever_has_happened_to_it(service: RunningService, query: str) -> None:
    expected = [{"name": "utm_campaign", "value": "höst"}, {"name": "utm_medium", "value": "cpc"}]
    path = interest_path()
    assert service.client.post(f"{path}?{query}", data=fields(interest()), headers=SITE).status_code == 303
    assert service.delivered(path).body["marketing"]["utmTags"] == expected
    path = interest_path()
    assert service.client.post(f"{path}?{query}", json=interest(), headers=SITE).status_code == 200
    assert service.delivered(path).body["marketing"]["utmTags"] == expected
    path = interest_path()
    page = service.page(f"{path}?{query}")
    assert page.submit(service.client, fields(interest())).status_code == 303
    assert service.delivered(path).body["marketing"]["utmTags"] == expected
    path = interest_path()
    content = f"{urlencode(fields(interest(firstName='Åsa')))}&{query}".encode()
    assert service.client.post(path, content=content, headers=SITE | FORM).status_code == 303
    body = service.delivered(path).body
    assert (body["firstName"], body["marketing"]["utmTags"]) == ("Åsa", expected)


CLICK_IDS = ["gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"]


@pytest.mark.parametrize("name", CLICK_IDS)
def test_every_click_id_arrives(service: RunningService, name: str) -> None:
    expected = [{"name": name, "value": "a-B_9"}]
    for address, typed in ((f"?{name}=a-B_9", {}), ("", {name: "a-B_9"})):
        path = interest_path()
        answer = service.client.post(path + address, data=fields(interest()) | typed, headers=SITE)
        assert answer.status_code == 303
        assert service.delivered(path).body["marketing"]["utmTags"] == expected


@pytest.mark.parametrize(
    "marketing",
    [
        {"utmTags": [None, {"name": "utm_source", "value": "a"}]},
        {"utmTags": [{"name": "utm_source", "value": "a"}, {"name": "utm_id", "value": None}, {"name": None}]},
        {"utmTags": [5, "x", [], {"Name": "utm_source", "Value": "a"}], "referrer": 5},
        {"utmTags": {"utm_source": "a"}, "referrer": None},
        {"utm_source": "a"},
    ],
)
@pytest.mark.parametrize("headers", [SITE, key()], ids=["visitor", "caller"])
def test_no_tag_costs_a_lead(service: RunningService, marketing: Any, headers: dict[str, str]) -> None:
    path = interest_path()
    assert service.client.post(path, json=interest(marketing=marketing), headers=headers).status_code == 200
    assert service.delivered(path).body["marketing"] == {"utmTags": [{"name": "utm_source", "value": "a"}]}


@pytest.mark.parametrize("marketing", ["x", 5, [], True, {"utmTags": "x"}, {"utmTags": [None]}, {"utmTags": 0}])
def test_malformed_marketing_costs_no_lead(service: RunningService, marketing: Any) -> None:
    for path, body in ((interest_path(), interest()), (viewing_path(), booking())):
        assert service.client.post(path, json=body | {"marketing": marketing}, headers=SITE).status_code == 200
        assert "marketing" not in service.delivered(path).body


def test_dotnet_writes_a_list_of_tags_in_a_form_with_numbers(service: RunningService) -> None:
    tags = {"marketing.utmTags[0].name": "utm_source", "marketing.utmTags[0].value": "a", "marketing.utm_id": "b"}
    body = service.submitted(interest_path(), fields(interest()) | tags)
    assert [tag["value"] for tag in body["marketing"]["utmTags"]] == ["b", "a"]


# JSON


@pytest.mark.parametrize("content_type", ["application/json", "text/json; charset=utf-8", "text/plain;charset=UTF-8"])
def test_a_byte_order_mark_any_casing_and_half_an_emoji_are_taken(service: RunningService, content_type: str) -> None:
    path = viewing_path()
    person = {
        "FirstName": "Åsa",
        "LASTNAME": "Ek",
        "Email": {"EmailAddress": "asa@example.se"},
        "cellphone": "0701740605",
    }
    body = json.dumps({"UpdatePerson": person, "Consent": True, "ContactMessage": "Hej \ud83d"}).encode()
    headers = SITE | {"Content-Type": content_type}
    assert service.client.post(path, content=b"\xef\xbb\xbf" + body, headers=headers).status_code == 200
    received = service.delivered(path).body
    assert received["contactMessage"] == "Hej \ufffd"
    assert (received["updatePerson"]["firstName"], received["updatePerson"]["cellPhone"]) == ("Åsa", MOBILE)


def test_half_an_emoji_in_a_name_is_an_error_at_the_name_as_it_was_sent(service: RunningService) -> None:
    content = json.dumps(interest() | {"FirstName": "Anna \ud83d"} | {"firstName": None})
    answer = service.client.post(interest_path(), content=content, headers=SITE | {"Content-Type": "text/json"})
    assert set(faults_of(answer)) <= {"FirstName", "firstName"}


def test_an_empty_member_is_an_error_at_its_name_as_it_was_sent(service: RunningService) -> None:
    body = {"FirstName": "", "LastName": None, "Email": {"EmailAddress": " "}, "Consent": True}
    assert set(service.faults(interest_path(), body)) == {"FirstName", "LastName", "Email.EmailAddress"}
    body = {"UpdatePerson": {"FirstName": "", "LastName": "Ek", "CellPhone": "070-174 06 05"}}
    assert set(service.faults(viewing_path(), body)) == {"UpdatePerson.FirstName"}


def test_a_forms_inputs_may_be_in_any_casing_too(service: RunningService) -> None:
    typed = {name.upper(): value for name, value in fields(booking({"cellPhone": "070-174 06 05"})).items()}
    received = service.submitted(viewing_path(), typed)
    assert received["updatePerson"]["email"]["emailAddress"] == "anna@example.se"
    assert received["updatePerson"]["cellPhone"] == MOBILE


# fetch with FormData


@pytest.mark.parametrize(
    "sign",
    [
        {"Sec-Fetch-Mode": "cors"},
        {"Accept": "application/json"},
        {"Accept": "Application/JSON, */*;q=0.1"},
        {"Accept": "*/*"},  # as a library says it in a browser without Sec-Fetch-Mode
    ],
)
def test_a_form_that_a_script_sends_is_answered_as_json(service: RunningService, sign: dict[str, str]) -> None:
    headers = SITE | {"X-Requested-With": "XMLHttpRequest"} | sign
    path = viewing_path()
    answer = service.client.post(path, data=fields(booking()), headers=headers)
    assert (answer.status_code, answer.json()) == (200, None)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert service.delivered(path)
    faulty = service.client.post(path, data=fields(booking()) | {"firstName": ""}, headers=headers)
    assert set(faults_of(faulty)) == {"firstName"}
    assert faulty.headers["access-control-allow-origin"] == ORIGIN
    later = service.client.post(viewing_path(), data=fields(booking()), headers=headers | {"Prefer": "respond-async"})
    assert later.status_code == 202
    assert later.json()["status"] in {"pending", "delivered"}  # as it is by now


def test_a_browser_that_navigates_gets_pages(service: RunningService) -> None:
    headers = SITE | {"Sec-Fetch-Mode": "navigate", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = service.client.post(interest_path(), data=fields(interest()), headers=headers)
    assert (answer.status_code, answer.headers["location"][:10]) == (303, "/receipts/")


def test_a_preflight_allows_whatever_headers_a_script_and_its_tracing_send(service: RunningService) -> None:
    asked = "content-type, x-requested-with, traceparent, sentry-trace, baggage"
    headers = SITE | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
    answer = service.client.options(interest_path(), headers=headers)
    assert answer.status_code == 204
    assert set(asked.split(", ")) <= set(answer.headers["access-control-allow-headers"].split(", "))


# The broker's own form after a fault

OWN = {
    "utm_source": "blad",
    "gclid": "g1",
    "telephone.home": "+46 8 123 456 78",
    "email.emailAddress2": "ek@example.se",
    "address.countryCode": "NO",
    "gdprApprovalDate": "2026-01-01",
    "return_url": f"{ORIGIN}/tack",
    "kampanj_id": '"><b>7',
    "contactMessage": "Rad ett\r\nrad två",
    "presentAccommodation.coordinate.latitud": "59,3",
}


def test_after_an_error_every_input_of_the_brokers_own_form_is_shown_again(service: RunningService) -> None:
    path = interest_path()
    typed = fields(interest()) | OWN | {"firstName": ""}
    own = {"Referer": f"{ORIGIN}/hem/1"}
    again = page_of(service.client.post(path, data=typed, headers=SITE | own))
    assert {name: again.values.get(name, "") for name in typed} == typed
    answer = again.submit(service.client, {"firstName": "Anna"}, Referer=f"https://leads.example.se{path}")
    assert answer.headers["location"].startswith(f"{ORIGIN}/tack?intresse=ok")
    body = service.delivered(path).body
    assert body["telephone"] == {"home": HOME}
    assert body["email"] == {"emailAddress": "anna@example.se", "emailAddress2": "ek@example.se"}
    assert body["marketing"] == {
        "referrer": f"{ORIGIN}/hem/1",
        "utmTags": [{"name": "utm_source", "value": "blad"}, {"name": "gclid", "value": "g1"}],
    }


def test_the_403_page_also_shows_every_input_again(service: RunningService) -> None:
    typed = fields(interest()) | OWN
    answer = service.client.post(interest_path(), data=typed, headers={"Origin": "https://another.example"})
    assert answer.status_code == 403
    kept = page_of(answer).values
    assert {name: kept.get(name, "") for name in typed} == typed


def test_an_error_in_a_field_that_is_not_on_our_form_can_be_corrected(service: RunningService) -> None:
    path = interest_path()
    page = page_of(service.client.post(path, data=fields(interest()) | {"email.emailAddress2": "fel"}, headers=SITE))
    assert page.faulty == {"email.emailAddress2"}
    assert page.links == ["#email-emailAddress2"]
    assert page.submit(service.client, {"email.emailAddress2": "ek@example.se"}).status_code == 303
    assert service.delivered(path).body["email"]["emailAddress2"] == "ek@example.se"


def test_a_choice_by_another_name_and_a_no_of_the_brokers_own_form_stay_as_they_were(service: RunningService) -> None:
    path = interest_path(PLAIN)
    typed = fields(interest()) | {"firstName": "", "presentAccommodation.estateType": "2", "status": "Interested"}
    again = page_of(service.client.post(path, data=typed, headers=SITE))
    assert again.submit(service.client, {"firstName": "Anna"}).status_code == 303
    body = service.delivered(path).body
    assert (body["presentAccommodation"]["estateType"], body["status"]) == ("HousingCooperative", "Interested")
    path = viewing_path()
    typed = fields(booking()) | {"firstName": "", "smsReminder": "false", "mailConfirmation": "true"}
    again = page_of(service.client.post(path, data=typed, headers=SITE))
    assert again.submit(service.client, {"firstName": "Anna"}).status_code == 303
    body = service.delivered(path).body
    assert (body["smsReminder"], body["mailConfirmation"]) == (False, True)
