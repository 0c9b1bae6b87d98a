"""No input of any size delays others: each kind is sent at its maximum size, in the most expensive characters."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from urllib.parse import quote, quote_plus, urlsplit

import pytest

from app.operations import interest, lead, loan_promise, viewing
from app.operations.member_labels import same_member
from app.operations.registry import PERSONAL_POSTS
from app.operations.specification import PostSpec
from tests.acceptance.bodies import FORM, SITE, key, with_member
from tests.acceptance.bodies import JSON as AS_JSON
from tests.acceptance.running_service import RunningService, run_service

CPU_SECONDS = 0.1
HEAD = 14_000  # bytes; the head may have 16 KB
BODY = 64_000
FILLERS = [
    *(" ", "9", "07", "a", "@", ",", ";", "=", "\\", '"', "%", "-", ".", "/", "&#1;", "ext ", "A@1/2,"),
    *(" \u200b", "\u0301", "\u0f73", "😀", "q=0.1,", "\r\n"),
]
HEADERS = [
    *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type", "Cookie", "Forwarded", "Host"),
    *("Idempotency-Key", "If-None-Match", "If-Modified-Since", "Origin", "Prefer", "Range", "Referer", "User-Agent"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "Access-Control-Request-Headers", "Sec-Fetch-Site"),
]
QUERY = [
    *("lang", "title", "estate", "slots", "referrer", "utm_source", "utm_x", "gclid", "key", "slot", "customer"),
    *("origin", "then", "known", "return_url", "name"),
]
POSTS: dict[str, tuple[PostSpec, dict[str, str]]] = {
    "/Advertising/Estate/M12345/OBJ1/interest": (interest.POST, SITE),
    "/Viewing/M12345/VIS1/SLOT1/Participant": (viewing.POST, SITE),
    "/CRM/Lead/M12345": (lead.POST, key()),
    "/CRM/Buyer/M12345/C1/LoanPromise": (loan_promise.POST, key()),
}
OTHER_INPUTS = [
    "token",
    "consent",
    "slot",
    "gone",
    "ticks",
    "return_url",
    "_charset_",
    "utm_source",
    "gclid",
    "unknown",
]


def full(filler: str, size: int) -> str:
    """As many repetitions as fit when percent-encoded."""
    return filler * (size // len(quote(filler, safe="")))


def encoded(name: str, filler: str, size: int) -> str:
    """As `urlencode` of a `full` value, which takes as long as to answer it."""
    return f"{name}={quote_plus(filler) * (size // len(quote(filler, safe='')))}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with run_service(
        tmp_path_factory.mktemp("time"), delivery={"wait_seconds": 0}, console_password="en lång nyckel"
    ) as service:
        yield service


@pytest.fixture(scope="module")
def addresses(service: RunningService) -> list[str]:
    """Every address that can be fetched with GET, each path parameter with a short value."""
    described = service.client.get("/openapi.json").json()["paths"]
    paths = [path for path, methods in described.items() if "get" in methods]
    assert len(paths) > 10
    ids = {"customerId": "M12345", "estateId": "OBJ1", "viewingId": "VIS1", "timeSlotId": "SLOT1", "contactIds": "C1"}
    return [path.format_map({**ids, "token": "t", "id": "i"}) for path in paths] + [
        "/console",
        "/console/sign-in",
        "/docs",
    ]


class Slowest:
    """The longest time of CPU that one request took, of the service and of its client, which run in this process. So
    the client is a plain one: thousands of long requests take httpx three times as long as they take the service."""

    def __init__(self, client: http.client.HTTPConnection) -> None:
        self._client = client
        self.seconds = 0.0
        self.what = ""

    def get(self, what: str, path: str, headers: Mapping[str, bytes] | None = None) -> None:
        self._measure(what, "GET", path, None, headers or {})

    def post(self, what: str, path: str, content: bytes, headers: Mapping[str, str]) -> None:
        self._measure(what, "POST", path, content, headers)

    def _measure(
        self, what: str, method: str, path: str, content: bytes | None, headers: Mapping[str, str | bytes]
    ) -> None:
        for _ in range(2):  # something else may run just now
            began = time.process_time()
            self._client.request(method, path, content, headers)
            answer = self._client.getresponse()
            text = answer.read()
            seconds = time.process_time() - began
            assert answer.status < 500, (what, text[:200])
            if seconds < CPU_SECONDS:
                break
        if seconds > self.seconds:
            self.seconds, self.what = seconds, what


@pytest.fixture
def slowest(service: RunningService) -> Iterator[Slowest]:
    with closing(http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=30)) as client:
        yield Slowest(client)


@pytest.mark.parametrize("header", HEADERS)
def test_no_header_takes_long_to_read(slowest: Slowest, header: str) -> None:
    for filler in FILLERS:
        value = full(filler, HEAD).encode("utf-8")[:HEAD].replace(b"\r\n", b"  ").strip() or b"x"
        for path in ("/Advertising/Estate/M12345/OBJ1/interest", "/metrics", "/embed.js", "/console", "/submissions/x"):
            slowest.get(f"{header} {filler!r} {path}", path, {header: value})
    assert slowest.seconds < CPU_SECONDS, slowest.what


@pytest.mark.parametrize("name", QUERY)
def test_no_parameter_of_an_address_takes_long_to_read(slowest: Slowest, addresses: list[str], name: str) -> None:
    for filler in FILLERS:
        query = encoded(name, filler, HEAD)
        for path in addresses:
            slowest.get(f"{path}?{name}= {filler!r}", f"{path}?{query}")
    assert slowest.seconds < CPU_SECONDS, slowest.what


def test_no_part_of_a_path_takes_long_to_read(slowest: Slowest, service: RunningService) -> None:
    described = service.client.get("/openapi.json").json()["paths"]
    for filler in FILLERS:
        part = quote(full(filler, HEAD), safe="")
        for path in described:
            if "{" in path:
                address = path.split("{")[0] + part + "/x" * path.count("/{")
                slowest.get(f"{path} {filler!r}", address)
    assert slowest.seconds < CPU_SECONDS, slowest.what


def test_no_origin_takes_long_to_look_up_for_the_customers_that_a_path_names(slowest: Slowest) -> None:
    below_none = b"https://" + b"a." * (HEAD // 4) + b".granne.se"
    slowest.get("Origin", "/M12345" * (HEAD // 14), {"Origin": below_none})
    assert slowest.seconds < CPU_SECONDS, slowest.what


def places(path: str) -> dict[tuple[str, ...], str]:
    """The members of that post, each with one of its inputs' names. Without those that an earlier post has under the
    same name for people: they have the same type."""
    tried: set[str] = set()
    for earlier, (spec, _) in POSTS.items():
        new = {place: name for name, (place, _) in spec.places.items() if same_member(".".join(place)) not in tried}
        if earlier == path:
            return new
        tried |= {same_member(".".join(place)) for place in new}
    raise KeyError(path)


@pytest.mark.parametrize("path", POSTS)
def test_no_input_of_a_form_takes_long_to_read(slowest: Slowest, path: str) -> None:
    _, headers = POSTS[path]
    for name in (*places(path).values(), *OTHER_INPUTS):
        for filler in FILLERS:
            content = encoded(name, filler, BODY - len(name) - 1)
            slowest.post(f"{name} {filler!r}", path, content.encode(), headers | FORM)
    assert slowest.seconds < CPU_SECONDS, slowest.what


@pytest.mark.parametrize("path", POSTS)
def test_no_member_of_json_takes_long_to_read(slowest: Slowest, path: str) -> None:
    _, headers = POSTS[path]
    for name in (*map(".".join, places(path)), "unknown", "consent"):
        for filler in FILLERS:
            body = with_member({}, name, filler * (BODY // len(repr(filler.encode()))))
            content = json.dumps(body, ensure_ascii=False).encode()
            slowest.post(f"{name} {filler!r}", path, content, headers | AS_JSON)
    assert slowest.seconds < CPU_SECONDS, slowest.what


SHAPES = {
    "lists in lists": b"[" * 64_000,
    "objects in objects": b'{"a":' * 12_000,
    "a long number": b'{"presentAccommodation":{"price":' + b"9" * 63_000 + b"}}",
    "a long fraction": b'{"presentAccommodation":{"price":0.' + b"9" * 63_000 + b"}}",
    "many members": b"{" + b",".join(b'"%d":1' % n for n in range(6_000)) + b"}",
    "many tags": b'{"marketing":{"utmTags":[' + b",".join([b'{"name":"utm_a","value":"b"}'] * 2_000) + b"]}}",
    "long unknown names": json.dumps({f"{'İ' * 50}{n}.x": 1 for n in range(490)}, ensure_ascii=False).encode(),
    "long unknown names inside": b'{"email":'
    + json.dumps({f"{'a' * 100}{n}.x": 1 for n in range(490)}).encode()
    + b"}",
    "a tag of many members": b'{"marketing":{"utmTags":[{' + b",".join(b'"%d":1' % n for n in range(6_000)) + b"}]}}",
    "many categories": b'{"updatePerson":{"categoryIds":[' + b",".join([b'"x"'] * 15_000) + b"]}}",
    "escapes": b'{"firstName":"' + b"\\ud800" * 10_000 + b'"}',
}


@pytest.mark.parametrize("path", POSTS)
def test_no_shape_of_json_takes_long_to_read(slowest: Slowest, path: str) -> None:
    for what, content in SHAPES.items():
        slowest.post(what, path, content, POSTS[path][1] | AS_JSON)
    assert slowest.seconds < CPU_SECONDS, slowest.what


@pytest.mark.parametrize("form", PERSONAL_POSTS)
def test_what_a_personal_form_takes_is_among_what_was_tried(form: str) -> None:
    assert set(PERSONAL_POSTS[form].places) <= {name for tried, _ in POSTS.values() for name in tried.places}
