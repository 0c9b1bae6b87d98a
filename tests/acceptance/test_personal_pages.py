"""Pages of personal links: whom they greet, and who gets in."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.bootstrap.personal_link import make_link
from app.sandbox import Company, DeceasedEstate, Fault, Person
from app.storage.encryption import Keyring
from app.web.operations.body import MAX_FIELDS
from app.web.personal.links import PersonalLink, write
from tests.acceptance.bodies import CUSTOMER, KEYS, PHONE, PLAIN, PUBLIC_URL, basic
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service, settings
from tests.servers import eventually

LEAD = {"lead_source_id": "WEB", "assigned_to_id": "GROUP1"}
CUSTOMERS = [{"id": CUSTOMER, "lead": LEAD}]
SETTINGS = settings(Path("nowhere"), "http://127.0.0.1:1", customers=CUSTOMERS)
FORMS = ("contact", "loan-promise")
BOTH = pytest.mark.parametrize("form", FORMS)
PAGE = {"Accept": "text/html", "Accept-Language": "sv"}
_contacts = count(1)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.web.personal.contact_names.UNKNOWN_SECONDS", 0.2)  # no test waits for five
        with run_service(folder, customers=CUSTOMERS, vitec={"paused_probe_seconds": 1}) as service:
            yield service


@pytest.fixture(autouse=True)
def _no_faults(service: RunningService) -> Iterator[None]:
    yield
    service.office.clear_faults()


def known(service: RunningService, kind: type[Any] = Person, customer: str = CUSTOMER, **members: Any) -> str:
    """The id of a contact that no other test uses."""
    contact_id = f"P{next(_contacts)}"
    service.office.contacts[customer, contact_id] = kind(id=contact_id, customer_id=customer, **members)
    return contact_id


def link_to(contact: str, form: str = "contact", expires: str = "30d", customer: str = CUSTOMER) -> str:
    """The path of a link as `intresse link` makes it."""
    url = make_link(SETTINGS, customer, contact, form, expires)
    assert url.startswith(f"{PUBLIC_URL}/personal/")
    return urlsplit(url).path


def forged(**members: Any) -> str:
    """A link encrypted with our own key that the command would not create."""
    fields: dict[str, Any] = {
        "customer_id": CUSTOMER,
        "contact_id": "C1",
        "form": "contact",
        "expires_at": datetime.now(UTC) + timedelta(days=1),
    }
    return "/personal/" + write(Keyring(SETTINGS.encryption_keys), PersonalLink(**fields | members))


def looked_up(service: RunningService, contact: str) -> int:
    return len(service.received(f"/CRM/Contact/{CUSTOMER}/{contact}"))


@BOTH
@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_page_greets_the_contact_by_name_in_its_language(service: RunningService, form: str, language: str) -> None:
    contact = known(service, first_name="Åsa-Märta", last_name="Hemlig", agent_id="A1")
    for asked in ({"Accept-Language": language}, {"Accept-Language": "xx"}):
        path = link_to(contact, form) + (f"?lang={language}" if asked["Accept-Language"] == "xx" else "")
        page = service.page(path, **asked)
        assert page.language == language
        assert page.has_form
        assert "Åsa-Märta" in page.text
        assert "Hemlig" not in page.text
    assert ("Hej" if language == "sv" else "Hello") in page.text


@BOTH
def test_a_contacts_page_never_shows_another_contacts_name(service: RunningService, form: str) -> None:
    first, second, nobody = (known(service, first_name=name) for name in ("Berit", "Carina", None))
    assert "Berit" in service.page(link_to(first, form)).text
    page = service.page(link_to(second, form))
    assert "Berit" not in page.text
    assert "Carina" in page.text
    assert not {"Berit", "Carina"} & set(service.page(link_to(nobody, form)).text.replace("!", " ").split())


def test_the_name_that_vitec_has_is_shown_as_text_only(service: RunningService) -> None:
    contact = known(service, first_name='<b>"%(name)s&')
    answer = service.client.get(link_to(contact))
    assert "<b>" not in answer.text
    assert '<b>"%(name)s&' in page_of(answer).text


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        (Person, {"first_name": "Dagny", "is_deceased": True}),
        (DeceasedEstate, {"name": "Dagny dödsbo"}),
        (Company, {"name": "Dagny AB"}),
        (Person, {"first_name": None}),
        (Person, {"first_name": "  "}),
    ],
)
@BOTH
def test_no_name_is_shown_when_the_contact_is_no_living_person(
    service: RunningService, form: str, kind: type[Any], members: dict[str, Any]
) -> None:
    page = service.page(link_to(known(service, kind, **members), form))
    assert page.has_form
    assert "Dagny" not in page.text
    assert "Hej" not in page.text


@pytest.mark.parametrize(
    "contact", ['{"type": "Household", "id": "X", "firstName": "Dagny"}', "{}", '{"firstName": 1}']
)
def test_no_name_is_shown_of_a_contact_of_an_unknown_or_odd_kind(service: RunningService, contact: str) -> None:
    service.office.inject(Fault(status=200, body=f"[{contact}]", operation="contact"))
    page = service.page(link_to(known(service)))
    assert page.has_form
    assert "Dagny" not in page.text


@pytest.mark.usefixtures("pages_in_time")
def test_the_page_does_not_wait_for_a_slow_vitec_beyond_two_seconds_and_then_shows_no_name(
    service: RunningService,
) -> None:
    contact = known(service, first_name="Eva")
    slow = Fault(delay_seconds=6, operation="contact")
    service.office.inject(slow)
    begun = time.monotonic()
    page = service.page(link_to(contact))
    assert 1.5 < time.monotonic() - begun < slow.delay_seconds
    assert page.has_form
    assert "Eva" not in page.text
    service.office.clear_faults()
    path = link_to(contact)
    eventually(lambda: "Eva" in service.page(path).text)


@pytest.mark.parametrize(
    "fault",
    [
        *({"status": status} for status in (204, 302, 400, 401, 403, 408, 425, 429, 500, 502, 503, 504)),
        {"status": 200, "body": '[{"id": '},
        {"status": 200, "body": '{"type": "Person", "firstName": "Frida"}'},
        {"status": 200, "body": "null"},
        {"cut": True},
        {"truncated": True},
    ],
    ids=str,
)
def test_the_page_is_there_without_a_name_while_vitec_gives_no_usable_answer(
    service: RunningService, fault: dict[str, Any]
) -> None:
    contact = known(service, first_name="Frida")
    service.office.inject(Fault(**fault, operation="contact"))
    page = service.page(link_to(contact))
    assert page.has_form
    assert "Frida" not in page.text
    service.office.clear_faults()  # the name comes back: a failure isn't remembered
    path = link_to(contact)
    eventually(lambda: "Frida" in service.page(path).text)


def test_the_contact_is_looked_up_once_and_then_remembered(service: RunningService) -> None:
    contact = known(service, first_name="Gun")
    for form in FORMS:
        for _ in range(3):
            assert "Gun" in service.page(link_to(contact, form)).text
    assert looked_up(service, contact) == 1


@BOTH
@pytest.mark.parametrize("body", [None, "[]"])
def test_a_contact_that_vitec_no_longer_knows_gets_a_page_that_says_whom_to_call(
    service: RunningService, form: str, body: str | None
) -> None:
    if body:
        service.office.inject(Fault(status=200, body=body, operation="contact"))
    answer = service.client.get(link_to(f"GONE{next(_contacts)}", form), headers=PAGE)
    page = page_of(answer)
    assert answer.status_code in {200, 404, 410}
    assert PHONE in page.text
    assert "info@maklarhuset.se" in page.text
    assert not page.has_form
    is_private(answer.headers)


def is_private(headers: Any) -> None:
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "no-store" in headers["cache-control"]
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}


@BOTH
def test_the_page_is_never_framed_cached_or_sent_as_referrer(service: RunningService, form: str) -> None:
    path = link_to(known(service), form)
    is_private(service.client.get(path).headers)
    faulty = service.client.post(path, data={f"more{number}": "1" for number in range(MAX_FIELDS + 1)})
    assert faulty.status_code == 400
    is_private(faulty.headers)
    assert "set-cookie" not in faulty.headers


def test_in_a_demo_the_page_is_not_framed_either(tmp_path: Path) -> None:
    with run_service(tmp_path, demo=True, customers=CUSTOMERS) as demo:
        is_private(demo.client.get(link_to(known(demo))).headers)


def test_the_used_page_and_the_error_pages_are_not_framed_or_cached(service: RunningService) -> None:
    path = link_to(contact := known(service), "loan-promise")
    assert service.client.post(path, data={"bank": "SEB"}).status_code == 303
    eventually(lambda: service.received(f"/CRM/Buyer/{CUSTOMER}/{contact}/LoanPromise"))
    is_private(service.client.get(path).headers)
    gone = service.client.get("/personal/forged", headers=PAGE)
    assert gone.status_code == 404
    assert "frame-ancestors 'none'" in gone.headers["content-security-policy"]
    assert "no-store" in gone.headers["cache-control"]


def closed(service: RunningService, path: str) -> None:
    """Asserts a 404 or 410 page for every request, and that Vitec is not called."""
    before = len(service.office.received)
    got = service.client.get(path)  # a page also for who does not ask for one by name
    assert got.status_code in {404, 410}, path
    assert got.headers["content-type"].startswith("text/html"), path
    assert not page_of(got).has_form
    assert service.client.post(path, data={"bank": "SEB", "message": "x"}).status_code in {404, 410}, path
    assert len(service.office.received) == before


def test_a_link_that_is_altered_in_any_part_does_not_open(service: RunningService) -> None:
    token = link_to(known(service)).removeprefix("/personal/")
    for place, letter in enumerate(token):
        other = chr(ord(letter) ^ 1) if letter.isalnum() and chr(ord(letter) ^ 1).isalnum() else "B"
        closed(service, f"/personal/{token[:place]}{other}{token[place + 1 :]}")
    for short in (token[:-1], token[:-2], token[:-3], token[:-4], token[1:], token[4:], token[:20], token[:4], "A"):
        closed(service, f"/personal/{short}")


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def same_bytes(token: str) -> Iterator[str]:
    """Other encodings that a lenient base64 decoder reads as the same bytes."""
    yield from (f"{token}=", f"{token}==", f"{token}.", f"{token}%20", f"{token[:9]}.{token[9:]}", f"~{token}")
    yield from (f"{token[:9]}%0A{token[9:]}", f"{token}%3D%3D%3D%3D", f"{token}AAAA", token.replace("-", "+"))
    if len(token) % 4:  # the last letter has bits to spare
        spare = {2: 16, 3: 4}[len(token) % 4]
        first = ALPHABET.index(token[-1]) // spare * spare
        yield from (token[:-1] + letter for letter in ALPHABET[first : first + spare] if letter != token[-1])


def test_a_link_has_one_spelling_only(service: RunningService) -> None:
    open_ = []
    for _ in range(3):
        token = link_to(known(service)).removeprefix("/personal/")
        others = {other for other in same_bytes(token) if other != token}
        open_ += [o for o in others if service.client.get(f"/personal/{o}", headers=PAGE).status_code not in {404, 410}]
    assert open_ == []


@pytest.mark.parametrize(
    "token",
    ["x", "..", "%2e%2e", "å", "%00", "%FF", "x/y", "x" * 5000, "0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "null"],
)
def test_a_made_up_link_does_not_open(service: RunningService, token: str) -> None:
    assert service.client.get(f"/personal/{token}", headers=PAGE).status_code in {404, 410}
    assert service.client.post(f"/personal/{token}", data={"bank": "x"}).status_code in {404, 410}


def test_a_link_made_with_another_services_key_does_not_open(service: RunningService) -> None:
    link = PersonalLink(CUSTOMER, known(service), "contact", datetime.now(UTC) + timedelta(days=1))
    closed(service, "/personal/" + write(Keyring([b"another-key-another-key-another!"]), link))


@BOTH
def test_a_link_works_until_it_expires(service: RunningService, form: str) -> None:
    def opened() -> str | None:
        path = link_to(known(service, first_name="Hanna"), form, expires="1s")
        return path if service.client.get(path, headers=PAGE).status_code == 200 else None

    path = eventually(opened)  # on a busy machine a second may be over before the answer

    def closed_now() -> httpx.Response | None:
        answer = service.client.get(path, headers=PAGE)
        return None if answer.status_code == 200 else answer

    answer = eventually(closed_now)
    assert answer.status_code == 410
    assert "Hanna" not in answer.text
    assert PHONE in answer.text  # whom to ask for a new one
    is_private(answer.headers)
    closed(service, path)


def test_a_link_of_a_customer_who_has_left_does_not_open(service: RunningService) -> None:
    closed(service, forged(customer_id="M99999"))


def test_a_contact_link_of_a_customer_without_leads_does_not_open(service: RunningService) -> None:
    closed(service, forged(customer_id=PLAIN))


def test_a_links_page_is_of_its_own_form_only(service: RunningService) -> None:
    contact = known(service)
    assert set(service.page(link_to(contact)).values) == {"token", "message"}
    fields = set(service.page(link_to(contact, "loan-promise")).values)
    assert fields == {"token", "bank", "validUntil", "estateType", "financing"}


@pytest.mark.parametrize(
    "wrong",
    [{"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {KEYS[PLAIN]}"}, basic("x", KEYS[PLAIN])],
    ids=["wrong", "another customer's", "another customer's as password"],
)
def test_a_wrong_key_is_401_here_too(service: RunningService, wrong: dict[str, str]) -> None:
    path = link_to(known(service))
    assert service.client.get(path, headers=wrong).status_code == 401
    assert service.client.post(path, data={"message": "x"}, headers=wrong).status_code == 401


@BOTH
def test_other_methods_are_not_allowed(service: RunningService, form: str) -> None:
    path = link_to(known(service), form)
    for method in ("PUT", "DELETE", "PATCH"):
        assert service.client.request(method, path).status_code == 405
