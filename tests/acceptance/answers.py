"""The possible answers to a post: pending, delivered, a receipt, or the form again with everything that was typed."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.acceptance.bodies import (
    PUBLIC_URL,
    Members,
    booking,
    final_price,
    final_price_path,
    interest,
    interest_path,
    viewing_path,
)
from tests.acceptance.running_service import RunningService

EACH = pytest.mark.parametrize(
    ("make", "body"),
    [(interest_path, interest()), (viewing_path, booking()), (final_price_path, final_price())],
)
Make = Callable[..., str]


def is_pending(answer: httpx.Response) -> Members:
    assert answer.status_code == 202, answer.text
    content: Members = answer.json()
    assert set(content) == {"id", "status", "statusUrl"}
    assert content["status"] == "pending"
    assert content["statusUrl"].startswith(f"{PUBLIC_URL}/submissions/{content['id']}")
    return content


def is_delivered(answer: httpx.Response) -> str:
    """Asserts that the post was delivered; returns the submission's id."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    submission_id = answer.headers["submission-id"]
    assert answer.headers["location"] == f"/submissions/{submission_id}"
    return submission_id


def receipt_of(service: RunningService, answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 303, answer.text
    receipt = service.client.get(answer.headers["location"])
    assert receipt.status_code == 200
    return receipt


def assert_kept(page: Any, typed: dict[str, str]) -> None:
    values = {name: page.values.get(name, "").replace("\r\n", "\n") for name in typed}
    assert {name: value.strip() for name, value in values.items()} == {n: v.strip() for n, v in typed.items()}
