"""Bodies that no sane caller would send, over HTTP: each gets an answer below 500, small and in time."""

import json
import time
from collections.abc import Iterator
from urllib.parse import quote_plus

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.bodies import FORM, SITE
from tests.acceptance.bodies import JSON as AS_JSON
from tests.acceptance.running_service import RunningService, run_service

SECONDS = 3.0  # for any one answer, on a busy machine
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}
PATHS = (
    "/Advertising/Estate/M12345/OBJ1/interest",
    "/Viewing/M12345/VIS1/SLOT1/Participant",
    "/v2/Advertising/Form/M12345/Valuation",
    "/Advertising/Estate/M12345/OBJ1/FinalPriceWatched",
)
ANNA = b"firstName=Anna&lastName=Ek&email.emailAddress=anna%40example.se&consent=true"


def part(head: str, content: bytes = b"x") -> bytes:
    return b"--B\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def named(name: str, content: bytes = b"x") -> bytes:
    return part(f'Content-Disposition: form-data; name="{name}"', content)


END = b"--B--\r\n"
JSON_BODIES = {
    "a NUL": b'{"firstName": "A\x00nna"}',
    "an escaped NUL": b'{"firstName": "A\\u0000nna"}',
    "half a surrogate pair": b'{"firstName": "\\ud800", "lastName": "\\udfff"}',
    "the same name twice": b'{"firstName": "Anna", "firstName": {"a": 1}}',
    "a huge number": b'{"presentAccommodation": {"price": 1' + b"0" * 60_000 + b"}}",
    "a huge exponent": b'{"presentAccommodation": {"price": 1e999999999}}',
    "not a number": b'{"presentAccommodation": {"price": NaN}}',
    "a million levels": b"[" * 60_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "100,000 fields, or as many as there is room for": b"{" + b",".join(b'"%d":1' % n for n in range(7_000)) + b"}",
    "more than the limit": b"{" + b",".join(b'"%d":1' % n for n in range(100_000)) + b"}",
    "many tags": json.dumps({"marketing": {"utmTags": [{"name": "utm_source", "value": "x"}] * 1500}}).encode(),
    "many wrong tags": b'{"marketing": {"utmTags": [' + b"1," * 30_000 + b"1]}}",
    "a list": b"[]",
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"firstName": "Anna"}'.encode("utf-16"),
    "members that Python has": b'{"__class__": 1, "__init__": {"__globals__": 1}, "model_config": {}}',
}
FORM_BODIES = {
    "a NUL": ANNA.replace(b"Ek", b"E%00k"),
    "broken percents": b"firstName=%zz&lastName=%&=&&==",
    "the same name many times": b"&".join([b"firstName=Anna"] * 99),
    "100,000 fields": b"&".join([b"a=1"] * 16_000),
    "more than the limit": b"&".join([b"a=1"] * 100_000),
    "a name that is a path": b"a.b.c.d.e=1&.=1&..=1&firstName.x=1&email=1&email.emailAddress=x",
    "a huge number": b"presentAccommodation.price=" + b"9" * 60_000,
    "an exponent": b"presentAccommodation.price=1e999999999",
    "no UTF-8": b"firstName=\xff\xfe&lastName=%FF",
    "semicolons": ANNA.replace(b"&", b";"),
}
MULTIPART_BODIES = {
    "no parts": END,
    "nothing": b"",
    "no end": named("firstName"),
    "only the boundary": b"--B\r\n" * 1000,
    "no name": part("Content-Disposition: form-data") + END,
    "no disposition": part("X: y") + END,
    "a name with everything": named('a\\"b%22; filename=\\"x', b"y") + END,
    "two names": part('Content-Disposition: form-data; name="a"; name="b"') + END,
    "a part in a part": named("a", b"--B\r\nContent-Disposition: form-data; name=b\r\n\r\ny") + END,
    "an encoding": part('Content-Disposition: form-data; name="firstName"\r\nContent-Transfer-Encoding: base64') + END,
    "a charset that is none": named("_charset_", b"utf-7") + named("firstName", b"+AD4-") + END,
    "a file's name that goes up": part('Content-Disposition: form-data; name="f"; filename="../../etc/passwd"') + END,
    "a head without end": b"--B\r\nX: " + b"a" * 60_000 + END,
    "1000 heads": b"--B\r\n" + b"X: y\r\n" * 8_000 + b"\r\nx\r\n" + END,
    "1000 parts": named("a") * 1000 + END,
    "bare line feeds": (named("firstName", b"Anna") + END).replace(b"\r\n", b"\n"),
    "something before and after": b"before\r\n" + named("firstName") + END + b"after--",
}
CORPUS = [
    *((AS_JSON, f"JSON: {name}", body) for name, body in JSON_BODIES.items()),
    *((FORM, f"form: {name}", body) for name, body in FORM_BODIES.items()),
    *((MULTIPART, f"multipart: {name}", body) for name, body in MULTIPART_BODIES.items()),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with run_service(tmp_path_factory.mktemp("fuzz"), delivery={"wait_seconds": 0.1}) as service:
        yield service


def posted(service: RunningService, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
    began = time.process_time()  # of the service too: it runs in this process
    answer = service.client.post(path, content=body, headers=SITE | headers)
    assert time.process_time() - began < SECONDS
    assert answer.status_code in {200, 202, 303, 400, 413, 422}, answer.text[:300]
    assert len(answer.content) < 100_000
    return answer


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("headers", "body"), [(case[0], case[2]) for case in CORPUS], ids=[case[1] for case in CORPUS])
def test_whatever_comes_is_answered(service: RunningService, path: str, headers: dict[str, str], body: bytes) -> None:
    assert posted(service, path, headers, body).status_code in {400, 413}


def test_a_right_post_gets_through_after_all_that(service: RunningService) -> None:
    assert posted(service, PATHS[0], FORM, ANNA).status_code == 303


FUZZ = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
NAMES = st.sampled_from(
    ["firstName", "lastName", "email", "emailAddress", "telephone", "consent", "marketing", "status"]
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60)
VALUES = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=20), inner, max_size=4),
    max_leaves=10,  # of each of up to 12 values: making larger ones takes most of the time
)
DOTTED = st.sampled_from(
    ["firstName", "email.emailAddress", "presentAccommodation.price", "utm_source", "slots", "token"]
)
BYTES = st.lists(
    st.sampled_from([b"--B", b"--", b"\r\n", b'name="a"', b"Content-Disposition: form-data; ", b"\x00", b"x"])
)


@FUZZ
@given(st.dictionaries(NAMES | st.text(max_size=20), VALUES, max_size=12))
def test_any_json_is_answered(service: RunningService, body: dict[str, object]) -> None:
    posted(service, PATHS[0], AS_JSON, json.dumps(body).encode())


@FUZZ
@given(st.lists(st.tuples(DOTTED | st.text(max_size=20), st.text(max_size=60)), max_size=30))
def test_any_form_is_answered(service: RunningService, pairs: list[tuple[str, str]]) -> None:
    body = "&".join(f"{quote_plus(n, errors='replace')}={quote_plus(v, errors='replace')}" for n, v in pairs)
    posted(service, PATHS[1], FORM, body.encode())


@FUZZ
@given(BYTES.map(b"".join) | st.binary(max_size=400))
def test_any_multipart_is_answered(service: RunningService, body: bytes) -> None:
    posted(service, PATHS[0], MULTIPART, body)
