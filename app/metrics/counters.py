"""Counters of this process since it started. Labels are configured ids and words of ours, never personal data."""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from app.domain.submission import Operation, Status
from app.operations.registry import POSTED

SETTLED = tuple(status for status in Status if status is not Status.PENDING)
# From an answer over the same city's wires to Vitec's time-out.
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)


PENDING = Status.PENDING.value


class Counters:
    """Each process tells its own, and the server that asks them all adds them up."""

    def __init__(self, customers: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        whose = ("customer", "operation")
        accepted = Counter(
            "intresse_accepted", "Submissions committed, without repeats.", whose, registry=self.registry
        )
        settled = Counter(
            "intresse_settled", "Submissions that reached an outcome.", (*whose, "status"), registry=self.registry
        )
        self._upstream = Histogram(
            "intresse_upstream_seconds", "Calls to Vitec.", whose, buckets=SECONDS, registry=self.registry
        )
        # Made now: a counter that appears with its first count hides that count from `increase`.
        pairs = [
            (customer, operation.value) for customer in customers for operation in (spec.operation for spec in POSTED)
        ]
        self._accepted = {pair: accepted.labels(*pair) for pair in pairs}
        self._settled = {
            (*pair, status.value): settled.labels(*pair, status.value) for pair in pairs for status in SETTLED
        }

    def accepted(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """A commit's new submissions, as their rows. Once for a commit, not for each post."""
        tally: dict[tuple[str, str, str], int] = {}
        for row in rows:  # by hand: a `Counter` takes longer to make than a lone post's commit may cost
            key = row["customer_id"], row["operation"], row["status"]
            tally[key] = tally.get(key, 0) + 1
        for (customer, operation, status), number in tally.items():
            self._accepted[customer, operation].inc(number)
            if status != PENDING:
                self._settled[customer, operation, status].inc(number)

    def settled(self, customer_id: str, operation: Operation, status: str) -> None:
        """`status` is a `Status`, or the step's that made it."""
        if counter := self._settled.get((customer_id, operation.value, status)):  # None: no longer in the configuration
            counter.inc()

    def called(self, customer_id: str, operation: Operation, seconds: float) -> None:
        self._upstream.labels(customer_id, operation.value).observe(seconds)
