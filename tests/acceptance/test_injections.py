"""User input is only ever text: never an element, attribute, script, header, SQL, template expression or path."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.acceptance.bodies import CUSTOMER, ORIGIN, PUBLIC_URL, SITE, booking, fields, interest
from tests.acceptance.running_service import RunningService, run_service

INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
VIEWING = f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant"
PASSWORD = "ett långt lösenord"

# What works leaves `xss` as a tag, an attribute, an address or a header, or the product 62615533 of 7,919 and 7,907.
PAYLOADS = [
    "<xss>",
    "</xss><xss/>",
    '"><xss>',
    "'><xss>",
    "--><xss>",
    "]]><xss>",
    "</title><xss>",
    "</style><xss>",
    "</script><xss>",
    "</textarea><xss>",
    "</select><xss>",
    "<<xss>>",
    "<xss\x0c/onxss=1>",
    "<svg/onxss=1>",
    "<img src=x onxss=1>",
    '" onxss="1',
    "' onxss='1",
    '" autofocus onxss=1 x="',
    "` onxss=1",
    "javascript:xss",
    "JaVaScRiPt:xss",
    "data:text/html,<xss>",
    "vbscript:xss",
    "//xss.example",
    "https://xss.example/",
    "&lt;xss&gt;",
    "&#60;xss&#62;",
    "%3Cxss%3E",
    "%253Cxss%253E",
    "\uff1cxss\uff1e",
    "\u02bcxss\u02bc onxss=1",
    "{{7919*7907}}",
    "{{ 7919 * 7907 }}",
    "{%print(7919*7907)%}",
    "${7919*7907}",
    "#{7919*7907}",
    "<%=7919*7907%>",
    "{{''.__class__.__mro__}}",
    "{0.__class__}",
    "%(language)s%s%n",
    "' OR '1'='1",
    "'; DROP TABLE submissions;--",
    '"; DROP TABLE submissions;--',
    "1); DELETE FROM steps;--",
    "' UNION SELECT payload FROM submissions--",
    "\\'; DROP TABLE submissions;--",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "a\r\nX-Xss: 1",
    "a\nX-Xss: 1\n\n<xss>",
    "a%0d%0aX-Xss:%201",
    "a\u2028X-Xss: 1",
    "a\x00b",
    "\ufeff\u202exss",
    "$(touch xss)`touch xss`|touch xss",
    "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
    "*)(uid=*))(|(uid=*",
    '=HYPERLINK("https://xss.example")',
    '{"$gt": ""}',
    "__proto__",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    with run_service(folder, deliver=False, console_password=PASSWORD, delivery={"wait_seconds": 0}) as service:
        yield service


@pytest.fixture(scope="module")
def operator(service: RunningService) -> dict[str, str]:
    ours = {"Origin": PUBLIC_URL}
    answer = service.client.post("/console/sign-in", data={"password": PASSWORD}, headers=ours)
    return ours | {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


class _Elements(HTMLParser):
    """The elements and attributes of a page, as a browser would read them."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "xss" in tag or any(name.startswith("onxss") for name, _ in attrs):
            self.foreign.append(tag)
        for name, value in attrs:
            address = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name in {"href", "src", "action", "formaction", "srcdoc"} and re.match(
                r"(javascript|vbscript|data:text|file|//xss|https?://xss)", address
            ):
                self.foreign.append(f"{tag} {name}")


def check(answer: httpx.Response, payload: str) -> None:
    assert answer.status_code < 500, answer.text[:300]
    assert "x-xss" not in answer.headers
    location = answer.headers.get("location", "")
    assert not re.match(r"[a-z]*:?//", location), location
    if "html" in answer.headers.get("content-type", ""):
        elements = _Elements()
        elements.feed(answer.text)
        assert elements.foreign == []
        assert "62615533" not in answer.text or "62615533" in payload
        assert "root:" not in answer.text
    elif answer.content and "json" in answer.headers.get("content-type", ""):
        answer.json()


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_any_field_of_a_form_is_only_text(service: RunningService, payload: str) -> None:
    """Fields that are only shown again are tested all at once; those that affect what follows, one by one."""
    for path, body in ((INTEREST, interest()), (VIEWING, booking())):
        typed = fields(body)
        shown = dict.fromkeys((*typed, "contactMessage", "address.city", "x"), payload)
        for sent in (shown, *({name: payload} for name in ("return_url", "slot", "token", "marketing.referrer"))):
            # With a fault, so that the page comes again with everything, and once as it is.
            faulty = typed | {"firstName": ""} | sent
            check(service.client.post(path, data=faulty, headers=SITE), payload)
        check(service.client.post(path, data=typed | {payload: payload}, headers=SITE), payload)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_any_member_of_json_is_only_text(service: RunningService, payload: str) -> None:
    members: list[Mapping[str, Any]] = [
        {"firstName": payload},
        {"email": {"emailAddress": payload}},
        {"telephone": {"cell": payload}},
        {"contactMessage": payload},
        {"marketing": {"utmTags": [{"name": payload, "value": payload}], "referrer": payload}},
        {payload: payload},
    ]
    for member in members:
        for headers in ({}, {"Accept": "text/html"}):
            check(service.client.post(INTEREST, json=interest() | dict(member), headers=SITE | headers), payload)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_any_query_parameter_is_only_text(service: RunningService, payload: str) -> None:
    """One by one if a form is shown, otherwise all at once."""
    names = ["title", "referrer", "lang", "utm_source", "slots", "estate", "return_url", "key", "slot", "theme"]
    names += [payload, "customer", "origin"]
    every = dict.fromkeys(names, payload)
    for path in (INTEREST, VIEWING):
        for name in names:
            check(service.client.get(path, params={name: payload}, headers={"Accept": "text/html"}), payload)
    check(service.client.get(INTEREST, params=every, headers={"Accept": "*/*"}), payload)
    for path in ("/receipts/x", "/submissions/x", "/personal/x", "/embed/check", "/docs", "/nothing"):
        check(service.client.get(path, params=every, headers={"Accept": "text/html"}), payload)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_a_path_is_only_text(service: RunningService, payload: str) -> None:
    spelled = quote(payload, safe="")
    for path in (INTEREST, VIEWING, f"/CRM/Contact/{CUSTOMER}/C1", "/receipts/x/x", "/submissions/x", "/personal/x"):
        head, _, tail = path.rpartition("/")
        for where in (
            f"{head}/{spelled}",
            f"/{spelled}{path}",
            path.replace(CUSTOMER, spelled),
            f"{head}{spelled}/{tail}",
        ):
            check(service.client.get(where, headers={"Accept": "text/html"}), payload)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_a_header_is_only_text(service: RunningService, payload: str) -> None:
    value = re.sub(rb"[\x00\r\n\x0c]", b"", payload.encode("utf-8"))
    for name in ("Referer", "Accept-Language", "User-Agent", "Idempotency-Key", "Prefer", "Origin", "X-Forwarded-For"):
        headers: Any = [*(SITE | {"Accept": "text/html"}).items(), (name.encode(), value.strip())]
        headers = [(one, other) for one, other in headers if (one, name) != ("Origin", "Origin")]
        for path in (INTEREST, "/nothing"):
            check(service.client.get(path, headers=headers), payload)
        check(service.client.post(INTEREST, data=fields(interest()) | {"lastName": ""}, headers=headers), payload)


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_the_console_shows_submitted_values_only_as_text(
    service: RunningService, operator: dict[str, str], payload: str
) -> None:
    """Both what a visitor sent, and what the console's own addresses and forms contain."""
    sent = interest(contactMessage=payload, marketing={"utmTags": [{"name": "utm_campaign", "value": payload}]})
    posted = service.client.post(INTEREST, json=sent, headers=SITE | {"Referer": f"{ORIGIN}/{quote(payload)}"})
    if posted.status_code != 400:
        assert posted.status_code == 202
        check(service.client.get(f"/console/submissions/{posted.json()['id']}", headers=operator), payload)
    names = ("status", "customer", "operation", "age", "older", "days", "done", "tested", "fault")
    looks = ("estate", "viewing", "slot", "title", "accent", "radius", "font", payload)
    customer = f"/console/customers/{CUSTOMER}"
    pages: dict[str, list[tuple[str, ...]]] = {
        # A language, a search that can't be read and a form decide what else is shown.
        "/console": [names, ("lang",)],
        "/console/submissions": [names, ("search",)],
        customer: [names],
        f"{customer}/embed": [looks, ("form",)],
    }
    for path, queries in pages.items():
        for query in queries:
            check(service.client.get(path, params=dict.fromkeys(query, payload), headers=operator), payload)
    shown = service.client.get("/console", headers=operator).text
    token = shown.partition('name="token" value="')[2].partition('"')[0]
    answer = service.client.post("/console/submissions", data={"token": token, "q": payload}, headers=operator)
    check(answer, payload)
    if answer.status_code == 303:
        check(service.client.get(answer.headers["location"], headers=operator), payload)
    for path in ("/console/sign-in", "/console/homes/M12345/x", "/console/submissions/x/x"):
        check(service.client.get(path, params={"then": payload}, headers=operator), payload)
    check(service.client.get(f"/console/submissions/{quote(payload, safe='')}/retry", headers=operator), payload)


@pytest.mark.parametrize("text", ["<xss>", "<p onxss=1>", '<a href=" java\nscript:xss">', "<b>62615533</b>"])
def test_an_injection_that_works_would_be_detected(text: str) -> None:
    with pytest.raises(AssertionError):
        check(httpx.Response(200, html=text), "{{7919*7907}}")


def test_after_all_injections_the_data_is_still_there(service: RunningService, operator: dict[str, str]) -> None:
    assert service.client.get("/readyz").status_code == 200
    listed = service.client.get("/console/submissions.csv", headers=operator).text
    assert listed.count("\r\n") > 10
