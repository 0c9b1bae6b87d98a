"""The greeting of a personal page, and how often Vitec is called for it."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from app.vitec.contacts import Contact, read_contacts
from app.vitec.errors import (
    AccessDeniedError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
    UnreadableAnswerError,
    VitecError,
)
from app.web.personal.contact_names import UNKNOWN_SECONDS, ContactNames, ContactNotFoundError

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: Playwright's event loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


class Vitec:
    """What Vitec would answer; `asked` is whom it was asked for."""

    def __init__(self, answer: object, *, seconds: float = 0) -> None:
        self.answer = answer
        self.seconds = seconds
        self.asked: list[tuple[str, ...]] = []

    async def contacts(self, customer_id: str, contact_ids: Sequence[str]) -> list[Contact]:
        self.asked.append((customer_id, *contact_ids))
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, VitecError):
            raise self.answer
        return read_contacts(self.answer)


def anna(name: str = "Anna") -> list[dict[str, str]]:
    return [{"type": "Person", "firstName": name}]


def test_a_name_is_looked_up_once_for_each_customers_contact() -> None:
    vitec = Vitec(anna())
    names = ContactNames(vitec.contacts)

    async def ask() -> None:
        for customer, contact in (("M1", "C1"), ("M1", "C1"), ("M2", "C1"), ("M1", "C2"), ("M1", "C1")):
            assert await names.name(customer, contact) == "Anna"

    run(ask())
    assert vitec.asked == [("M1", "C1"), ("M2", "C1"), ("M1", "C2")]


@pytest.mark.parametrize(
    "error",
    [
        LoginRefusedError("x", status=401),
        AccessDeniedError("x", status=403),
        RejectedError("x", status=400, upstream={}),
        UnavailableError("x", status=503),
        UnreadableAnswerError("x", status=200, is_foreign=False),
    ],
    ids=lambda error: type(error).__name__,
)
def test_while_vitec_does_not_answer_no_name_is_shown_and_the_lookup_is_repeated_later(error: VitecError) -> None:
    vitec = Vitec(error)
    names = ContactNames(vitec.contacts)
    assert {run(names.name("M1", "C1")) for _ in range(100)} == {""}
    assert len(vitec.asked) == 1
    vitec.answer = anna()
    names._unknown.expire(time.monotonic() + UNKNOWN_SECONDS)
    assert run(names.name("M1", "C1")) == "Anna"


@pytest.mark.parametrize("answer", [NotFoundError("x", status=404, upstream={}), []], ids=["404", "none"])
def test_a_contact_that_vitec_does_not_know_is_reported_as_unknown(answer: object) -> None:
    with pytest.raises(ContactNotFoundError):
        run(ContactNames(Vitec(answer).contacts).name("M1", "C1"))


def test_the_lookup_waits_two_seconds_and_no_longer() -> None:
    async def ask() -> list[str]:
        all_names = [ContactNames(Vitec(anna(), seconds=seconds).contacts) for seconds in (1.9, 2.1)]
        return await asyncio.gather(*(names.name("M1", "C1") for names in all_names))

    assert run(ask()) == ["Anna", ""]
