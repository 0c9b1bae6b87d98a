"""Each kind of failure at the first, middle and last call of the chain viewing → contact → lead: how many calls are
made, and what is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.domain.submission import Operation, StepStatus
from app.sandbox import Fault, Office
from app.storage.database import Database
from tests.conftest import CUSTOMER
from tests.integration.delivery_helpers import HANGING, MILLISECOND, Delivery, received, working
from tests.integration.storage_helpers import (
    BOOKING,
    LEAD_AFTER,
    OTHER,
    application,
    soon,
    store,
    submission,
    time_passes,
)

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_poll")]

CHAIN = ("viewing", "contact", "lead")
ONCE = {"times": 1}


@dataclass(frozen=True)
class Kind:
    """A failure of one call: how often that step is then called, how it ends, and how it ends if ambiguous calls are
    parked."""

    fault: dict[str, object]
    calls: int
    ends: str
    parked: str | None = None
    parked_calls: int | None = None


KINDS = {
    "400": Kind({"status": 400}, 1, "rejected"),
    "409": Kind({"status": 409}, 1, "rejected"),
    "401 once": Kind({"status": 401, **ONCE}, 2, "delivered"),
    "403 once": Kind({"status": 403, **ONCE}, 2, "delivered"),
    "404 once": Kind({"status": 404, **ONCE}, 2, "delivered"),
    "404 twice": Kind({"status": 404, "times": 2}, 2, "rejected"),
    "408 once": Kind({"status": 408, **ONCE}, 2, "delivered"),
    "425 once": Kind({"status": 425, **ONCE}, 2, "delivered"),
    "429 once": Kind({"status": 429, **ONCE}, 2, "delivered"),
    "503 thrice": Kind({"status": 503, "times": 3}, 4, "delivered"),
    "a redirect": Kind({"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}, **ONCE}, 2, "delivered"),
    "500 once": Kind({"status": 500, **ONCE}, 2, "delivered", "uncertain", 1),
    "502 once": Kind({"status": 502, **ONCE}, 2, "delivered", "uncertain", 1),
    "504 once": Kind({"status": 504, **ONCE}, 2, "delivered", "uncertain", 1),
    "cut": Kind({"cut": True, **ONCE}, 2, "delivered", "uncertain", 1),
    "done, then cut": Kind({"cut": True, "carried_out": True, **ONCE}, 2, "delivered", "uncertain", 1),
    "silence": Kind({"delay_seconds": HANGING, **ONCE}, 2, "delivered", "uncertain", 1),
    "slow": Kind({"delay_seconds": 0.1, **ONCE}, 1, "delivered"),
}


def _cases() -> Iterator[Any]:
    """Each failure at each call. The databases alternate, so that each failure, and each call, meets both."""
    names = [*KINDS, *(f"{name}, parked" for name, kind in KINDS.items() if kind.parked)]
    for number, name in enumerate(names):
        for place, call in enumerate(CHAIN):
            kind, parks = KINDS[name.removesuffix(", parked")], name.endswith(", parked")
            url = ("sqlite", "postgresql")[(number + place) % 2]
            yield pytest.param(kind, parks, place, url, id=f"{url}-{name}-{call}")


@pytest.mark.parametrize(("kind", "parks", "place", "database_url"), [*_cases()], indirect=["database_url"])
async def test_a_failure_at_any_step_costs_exactly_the_expected_calls(
    database: Database, vitec_url: str, office: Office, kind: Kind, place: int, parks: bool
) -> None:
    office.inject(Fault.model_validate(kind.fault | {"operation": CHAIN[place]}))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER, resource=("VIS1", "SLOT1"))
    await store(database, new)
    parking = frozenset({CUSTOMER}) if parks else frozenset[str]()
    async with working(
        database, vitec_url, parks=parking, probe=50 * MILLISECOND, give_up=timedelta(hours=1)
    ) as delivery:
        if kind is KINDS["silence"]:
            await soon(received(office, place + 1))
            delivery.time_out()  # it has lasted too long
        looked_up = CHAIN[place] == "contact"  # reading changes nothing: never ambiguous
        ends, calls = kind.ends, kind.calls
        if parks and kind.parked and not looked_up:
            ends, calls = kind.parked, kind.parked_calls or 1
        stops = ends != "delivered"
        steps = await _ended(delivery, new.id, place if stops else 2)
    assert [step.value for step in steps] == [
        *["delivered"] * (place if stops else 3),
        *([ends, *["waiting"] * (2 - place)] if stops else []),
    ]
    asked = [request.operation.value for request in office.received]
    assert [asked.count(operation) for operation in CHAIN] == [
        *[1] * place,
        calls,
        *[0 if stops else 1] * (2 - place),
    ]


async def _ended(delivery: Delivery, submission_id: str, last: int) -> list[StepStatus]:
    async def check() -> list[StepStatus] | None:
        outcome = await delivery.submission(submission_id)
        statuses = [step.status for step in outcome.steps]
        return list(statuses) if statuses[last].value not in {"waiting", "sending"} else None

    return await soon(check)


@pytest.mark.parametrize("place", range(3), ids=CHAIN)
async def test_broken_json_in_a_done_call_is_never_sent_again(
    database: Database, vitec_url: str, office: Office, place: int
) -> None:
    broken = {"status": 200, "body": '{"id": ', "carried_out": True, "times": 1, "operation": CHAIN[place]}
    office.inject(Fault.model_validate(broken))
    new = submission(Operation.VIEWING, BOOKING, *LEAD_AFTER, resource=("VIS1", "SLOT1"))
    await store(database, new)
    async with working(database, vitec_url) as delivery:
        await _ended(delivery, new.id, 1 if place == 0 else 2)
        statuses = [step.status.value for step in (await delivery.submission(new.id)).steps]
    asked = [request.operation.value for request in office.received]
    if place == 0:  # done without the contact's id: the lead is for a person
        assert (statuses, asked) == (["delivered", "failed", "waiting"], ["viewing"])
    else:  # a look-up is made again, because its answer is all that is wanted
        again = ["contact"] if place == 1 else []
        assert (statuses, asked) == (["delivered"] * 3, ["viewing", "contact", *again, "lead"])


async def test_one_customer_that_hangs_slows_no_other(database: Database, vitec_url: str, office: Office) -> None:
    office.inject(Fault(delay_seconds=HANGING, customer_id=CUSTOMER))
    hanging = [application() for _ in range(10)]
    quick = [application(OTHER) for _ in range(20)]
    await store(database, *hanging, *quick)
    async with working(database, vitec_url, concurrency=8, per_customer=2) as delivery:
        for new_submission in quick:
            await delivery.settled(new_submission)
        await soon(received(office, 22))  # the two that hang were under way before
        assert [request.customer_id for request in office.received].count(CUSTOMER) == 2
    served = [request.at for request in office.received if request.customer_id == OTHER]
    assert max(served) - min(served) < timedelta(
        seconds=HANGING / 2
    )  # who waits for one that hangs waits for all of it


async def test_the_crm_down_for_64_hours_costs_time_and_no_lead(
    database: Database, vitec_url: str, office: Office
) -> None:
    office.inject(Fault(status=503))
    new = [application(customer) for customer in (CUSTOMER, OTHER) for _ in range(5)]
    await store(database, *new)
    hour = timedelta(hours=1)
    async with working(database, vitec_url, retry=hour, give_up=96 * hour, outage=timedelta(minutes=1)) as delivery:
        for passed in range(1, 17):
            for new_submission in new:
                await delivery.attempted(new_submission, passed)
            await time_passes(database, 4 * hour)
        office.clear_faults()
        for new_submission in new:
            assert (await delivery.settled(new_submission)).status.value == "delivered"
    assert sum(request.carried_out for request in office.received) == len(new)
