"""The counters of this process."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.domain.submission import Operation
from app.metrics.counters import SETTLED, Counters
from app.operations.registry import POSTED


def row(operation: str = "interest", status: str = "pending", customer: str = "M1") -> dict[str, Any]:
    return {"customer_id": customer, "operation": operation, "status": status, "payload": b"sealed"}


@pytest.fixture
def counts() -> Counters:
    return Counters(["M1", "M2"])


def value(registry: CollectorRegistry, name: str, customer: str = "M1", **labels: str) -> float | None:
    return registry.get_sample_value(name, {"customer": customer, "operation": "interest", **labels})


def test_every_counter_exists_from_the_start(counts: Counters) -> None:
    for customer in ("M1", "M2"):
        for operation in (spec.operation for spec in POSTED):
            assert value(counts.registry, "intresse_accepted_total", customer, operation=operation.value) == 0
            for status in SETTLED:
                labels = {"operation": operation.value, "status": status.value}
                assert value(counts.registry, "intresse_settled_total", customer, **labels) == 0


def test_nothing_but_what_the_guide_lists_is_exported(counts: Counters) -> None:
    counts.called("M1", Operation.INTEREST, 1)
    names = {sample.name for metric in counts.registry.collect() for sample in metric.samples}
    ours = {name for name in names if name.startswith("intresse_")}
    assert ours == {
        "intresse_accepted_total",
        "intresse_settled_total",
        *(f"intresse_upstream_seconds_{part}" for part in ("bucket", "count", "sum")),
    }


def test_a_commit_counts_each_of_its_submissions_for_its_own_customer_and_operation(counts: Counters) -> None:
    counts.accepted([row(), row(), row("viewing"), row(customer="M2")])
    assert value(counts.registry, "intresse_accepted_total") == 2
    assert value(counts.registry, "intresse_accepted_total", operation="viewing") == 1
    assert value(counts.registry, "intresse_accepted_total", "M2") == 1


def test_a_held_submission_counts_as_accepted_and_has_its_outcome_at_once(counts: Counters) -> None:
    counts.accepted([row(status="held")])
    assert value(counts.registry, "intresse_accepted_total") == 1
    assert value(counts.registry, "intresse_settled_total", status="held") == 1


@pytest.mark.parametrize("status", ["delivered", "rejected", "failed", "uncertain"])
def test_an_outcome_counts_under_its_status(counts: Counters, status: str) -> None:
    counts.settled("M1", Operation.INTEREST, status)
    assert [value(counts.registry, "intresse_settled_total", status=status.value) for status in SETTLED] == [
        float(one == status) for one in SETTLED
    ]


def test_an_outcome_for_a_customer_who_has_left_the_configuration_causes_no_error(counts: Counters) -> None:
    counts.settled("M3", Operation.INTEREST, "delivered")
    assert value(counts.registry, "intresse_settled_total", "M3", status="delivered") is None


def test_calls_to_vitec_fall_into_buckets_of_seconds(counts: Counters) -> None:
    for seconds in (0.04, 0.3, 31):
        counts.called("M1", Operation.INTEREST, seconds)
    assert [
        value(counts.registry, "intresse_upstream_seconds_bucket", le=le) for le in ("0.05", "0.5", "30.0", "+Inf")
    ] == [
        1,
        2,
        2,
        3,
    ]
