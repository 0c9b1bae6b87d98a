"""The retention job: erases expired data, and logs what is held for review and what is about to be erased."""

from collections.abc import Sequence

import structlog

from app.privacy.retention import Retention, UndecidedSubmission

log = structlog.get_logger()

PAUSE_SECONDS = 1800.0  # so that the log reports within the hour
MAX_NAMED = 20  # submissions in a log line; `intresse leads list --status held` lists all


class RetentionJob:
    """Runs on every replica: erasure is idempotent, and a duplicate log line is harmless."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._logged_held: set[str] = set()
        self._logged_held_ending: set[str] = set()
        self._logged_undelivered_ending: set[str] = set()

    async def run_once(self) -> None:
        """Raises `StoreUnavailableError`."""
        report = await self._retention.report()
        if report.has_expired:
            if erased := await self._retention.erase_expired():
                log.info("expired data erased", count=erased)
            report = await self._retention.report()
        await self._retention.empty_log()
        self._log("held: suspected spam needs review", report.held, self._logged_held)
        held_soon = [submission for submission in report.soon_erased if submission.held]
        self._log("held: will be discarded within 7 days", held_soon, self._logged_held_ending)
        others = [submission for submission in report.soon_erased if not submission.held]
        self._log("undelivered: will be erased within 7 days", others, self._logged_undelivered_ending)

    def _log(self, event: str, submissions: Sequence[UndecidedSubmission], logged: set[str]) -> None:
        """Logs each submission once, on one line for each customer."""
        logged &= {submission.id for submission in submissions}
        new = [submission for submission in submissions if submission.id not in logged]
        for customer in sorted({submission.customer_id for submission in new}):
            ids = [submission.id for submission in new if submission.customer_id == customer]
            log.error(event, customer=customer, count=len(ids), submissions=ids[:MAX_NAMED])
        logged |= {submission.id for submission in new}
