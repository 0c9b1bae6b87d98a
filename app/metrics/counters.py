"""Counters of this process since it started. Labels are configured ids and fixed words, never personal data."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics

from app.domain.submission import Operation, Status
from app.operations.registry import POSTED

SETTLED = tuple(status for status in Status if status is not Status.PENDING)
# From a fast answer to the timeout of a call to Vitec.
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
PENDING = Status.PENDING.value

disable_created_metrics()  # type: ignore[no-untyped-call]  # a third of the lines, and nobody asks when each began


class Counters:
    """Each process exports its own; Prometheus adds them up."""

    def __init__(self, customers: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ("customer", "operation")
        accepted = Counter(
            "intresse_accepted", "Submissions committed, without repeats.", labels, registry=self.registry
        )
        settled = Counter(
            "intresse_settled", "Submissions that reached an outcome.", (*labels, "status"), registry=self.registry
        )
        self._upstream = Histogram(
            "intresse_upstream_seconds", "Calls to Vitec.", labels, buckets=SECONDS, registry=self.registry
        )
        # Created now: `increase` does not see the first value of a counter that appears later.
        pairs = [
            (customer, operation.value) for customer in customers for operation in (spec.operation for spec in POSTED)
        ]
        self._accepted = {pair: accepted.labels(*pair) for pair in pairs}
        self._settled = {
            (*pair, status.value): settled.labels(*pair, status.value) for pair in pairs for status in SETTLED
        }

    def accepted(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Called once for each commit, with the rows of its new submissions."""
        counts: dict[tuple[str, str, str], int] = {}
        for row in rows:  # not a `Counter`, which is slow to create
            key = row["customer_id"], row["operation"], row["status"]
            counts[key] = counts.get(key, 0) + 1
        for (customer, operation, status), number in counts.items():
            self._accepted[customer, operation].inc(number)
            if status != PENDING:
                self._settled[customer, operation, status].inc(number)

    def settled(self, customer_id: str, operation: Operation, status: str) -> None:
        """`status` is a `Status`, or the status of the step that settled the submission."""
        if counter := self._settled.get((customer_id, operation.value, status)):  # None: no longer configured
            counter.inc()

    def called(self, customer_id: str, operation: Operation, seconds: float) -> None:
        self._upstream.labels(customer_id, operation.value).observe(seconds)
