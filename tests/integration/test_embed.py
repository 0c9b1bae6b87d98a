"""The script, types and check of the embed, over HTTP."""

import gzip
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import CUSTOMER, ORIGIN

INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"


def check(client: httpx.Client, customer: str, origin: str, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = client.get("/embed/check", params={"customer": customer, "origin": origin}, headers=headers)
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.status_code, answer.json()


def test_the_script_comes_compressed_and_is_not_sent_twice(client: httpx.Client) -> None:
    first = client.get("/embed.js", headers={"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert int(first.headers["content-length"]) <= 5000
    assert "max-age=3600" in first.headers["cache-control"]
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    plain = client.get("/embed.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == first.text
    again = client.get("/embed.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_scripts_types_can_be_saved_from_the_same_place(client: httpx.Client) -> None:
    answer = client.get("/embed.d.ts")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert '"intresse:submitted": CustomEvent' in answer.text


def test_the_check_of_an_allowed_origin_reports_no_error(client: httpx.Client) -> None:
    assert check(client, CUSTOMER, f"{ORIGIN}/") == check(client, CUSTOMER, ORIGIN)  # as copied from a browser
    status, answer = check(client, CUSTOMER, ORIGIN)
    assert (status, answer["ok"], answer["reason"]) == (200, True, None)
    assert answer["frameAncestors"] == f"'self' {ORIGIN}"


@pytest.mark.parametrize(
    ("customer", "origin", "status", "reason"),
    [
        (CUSTOMER, "https://maklarhuset.se", 200, "origin"),
        (CUSTOMER, f"{ORIGIN}.evil.example", 200, "origin"),
        (CUSTOMER, f"{ORIGIN}/page", 200, "origin"),
        (CUSTOMER, "", 200, "no-origin"),
        (CUSTOMER, "null", 200, "no-origin"),
        ("NOBODY", ORIGIN, 404, "customer"),
        ("", "", 404, "customer"),
    ],
)
def test_the_check_reports_an_error_as_a_code_and_a_sentence(
    client: httpx.Client, customer: str, origin: str, status: int, reason: str
) -> None:
    verdict, answer = check(client, customer, origin, **{"Accept-Language": "en"})
    assert (verdict, answer["ok"], answer["reason"]) == (status, False, reason)
    assert answer["advice"].endswith(".")


def test_a_form_can_be_framed_by_the_customers_origins_alone(client: httpx.Client) -> None:
    assert f"frame-ancestors 'self' {ORIGIN};" in client.get(INTEREST).headers["content-security-policy"] + ";"
    assert f'data-origins="https://leads.example.se {ORIGIN}"' in client.get(INTEREST).text


def test_an_error_page_inside_a_frame_can_be_read_there(client: httpx.Client) -> None:
    html = {"Accept": "text/html", "Origin": ORIGIN, "Content-Type": "text/plain"}
    refused = client.post(INTEREST, content=b"x", headers=html)
    assert refused.status_code == 415
    assert ORIGIN in refused.headers["content-security-policy"]
    nowhere = client.get("/nowhere", headers={"Accept": "text/html"})
    assert "frame-ancestors 'none'" in nowhere.headers["content-security-policy"]


def test_a_form_page_is_at_most_14_kilobytes_compressed(start: Callable[..., httpx.Client]) -> None:
    client = start(customer={"collect_personnummer": True})
    slots = ",".join(f"S{hour}@2026-11-29T{hour}:00/2026-11-29T{hour}:30" for hour in range(10, 20))
    for path in (INTEREST, f"/Viewing/{CUSTOMER}/VIS1/S10/Participant?slots={slots}&title=Storgatan"):
        assert len(gzip.compress(client.get(path).content, 6)) <= 14 * 1024
