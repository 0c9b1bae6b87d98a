"""A person's rights (GDPR articles 15 and 17): export, erasure, and replaying erasures after a restore."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter

from app.domain.fields import Email, Phone, ReadContext
from app.domain.ids import reference_of
from app.domain.submission import Step, Submission
from app.operations.stored_application import StoredApplication, StoredApplicationError
from app.privacy.erasure_log import Erasure, ErasureLog
from app.privacy.search import PersonMatch, PersonSearch
from app.storage.database import Database, now_of
from app.storage.driver.checkpoints import empty_log
from app.storage.encryption import DecryptionError
from app.submissions.cancellations import Cancellations
from app.submissions.erasure import ErasedSubmission, erase
from app.submissions.repository import SubmissionRepository

log = structlog.get_logger()


@dataclass(frozen=True)
class PersonQuery:
    """Whom to search for: by "email", "phone" or "id" (a submission's id or reference, or a contact's id at Vitec), in
    one customer's submissions or, with None, in all."""

    by: str
    value: str
    customer_id: str | None

    @classmethod
    def parse(cls, by: str, text: str, customer_id: str | None) -> "PersonQuery":
        """`text` is as people write it. Raises `ValueError`."""
        types: dict[str, Any] = {"email": Email, "phone": Phone}
        context = ReadContext(form=True, now=datetime.now(UTC))
        value = TypeAdapter(types.get(by, str)).validate_python(text, context=context)
        if by == "id":
            value = "".join(value.split())
        if not value:
            raise ValueError("empty")
        return cls(by, value, customer_id)


@dataclass(frozen=True)
class ErasureResult:
    """`proof` is the line of the erasure log."""

    proof: str
    submissions: tuple[ErasedSubmission, ...]

    @property
    def count(self) -> int:
        return len(self.submissions)

    @property
    def delivered(self) -> list[ErasedSubmission]:
        """Those that Vitec has too."""
        return [submission for submission in self.submissions if submission.arrived]

    @property
    def uncertain(self) -> list[ErasedSubmission]:
        """Those that Vitec may have: a call had no usable answer, or was in progress."""
        return [submission for submission in self.submissions if submission.may_have_arrived and not submission.arrived]

    def to_json(self) -> dict[str, Any]:
        return {
            "erased": self.count,
            "delivered": [_identified(submission) for submission in self.delivered],
            "uncertain": [_identified(submission) for submission in self.uncertain],
            "proof": self.proof,
        }


def _identified(erased: ErasedSubmission) -> dict[str, Any]:
    return {
        "id": erased.id,
        "reference": reference_of(erased.id),
        "customerId": erased.customer_id,
        "operation": erased.operation,
    }


class PrivacyRequests:
    """Each method raises `StoreUnavailableError`."""

    def __init__(
        self, database: Database, repository: SubmissionRepository, search: PersonSearch, log: ErasureLog
    ) -> None:
        self._database = database
        self._repository = repository
        self._search = search
        self._log = log

    @property
    def missing_log(self) -> Path | None:
        """Where the erasure log would be, if it is not there: perhaps it is in another folder."""
        return None if self._log.path.exists() else self._log.path.absolute()

    async def export(self, person: PersonQuery) -> list[dict[str, Any]]:
        """All stored data about the person as JSON values, oldest first."""
        matches = await self._matches({self._search.digest_of(person.value)}, person.customer_id, person.value)
        return [await self._exported(match.id) for match in matches]

    async def erase(self, person: PersonQuery) -> ErasureResult:
        """Erases what is stored about the person. Logged before it is carried out, so that after a crash a replay
        finishes it. Raises `ErasureLogError`."""
        now = await self._database.read(now_of)
        digest = self._search.digest_of(person.value)
        matches = await self._matches({digest}, person.customer_id, person.value)
        proof = self._log.append(Erasure(now, person.by, digest, person.customer_id))
        return ErasureResult(proof, tuple(await self._erase([match.id for match in matches])))

    async def erase_submission(self, submission: Submission) -> bool:
        """Erases one submission, a booking with its cancellation; returns whether there still was personal data. Raises
        `ErasureLogError`."""
        now = await self._database.read(now_of)
        self._log.append(Erasure(now, "id", self._search.digest_of(submission.id), submission.customer_id))
        cancellation = await Cancellations(self._database).of_booking(submission.id)
        return bool(await self._erase([submission.id, *([cancellation] if cancellation else [])]))

    async def replay_erasures(self) -> list[str]:
        """Repeats all logged erasures, after a restore; returns the ids of the erased submissions. Submissions received
        after the erasure stay. Raises `ErasureLogError`."""
        erasures = self._log.read()
        matches = await self._matches({erasure.digest for erasure in erasures}, None)
        outdated = [match.id for match in matches if any(_covers(erasure, match) for erasure in erasures)]
        return [erased.id for erased in await self._erase(outdated)]

    async def _matches(self, digests: set[bytes], customer_id: str | None, contact: str = "") -> list[PersonMatch]:
        matches, unreadable = await self._search.find(digests, contact)
        if unreadable:  # they don't stop the request, but the operator must know
            log.warning("submissions that encryption_keys does not open were not searched", count=unreadable)
        return [match for match in matches if customer_id in (None, match.customer_id)]

    async def _erase(self, ids: Sequence[str]) -> list[ErasedSubmission]:
        """Erases each in its own transaction: several would not be locked in delivery's order
        (`delivery.circuit_breaker`)."""
        erased: list[ErasedSubmission] = []
        for submission_id in ids:
            erased += await self._database.write(partial(erase, ids=[submission_id]))
        await empty_log(self._database.engine)
        return erased

    async def _exported(self, submission_id: str) -> dict[str, Any]:
        submission = await self._repository.get(submission_id)
        assert submission is not None
        try:
            stored = await self._repository.application(submission_id)
        except KeyError:  # erased meanwhile
            return _known_of(submission)
        except (DecryptionError, StoredApplicationError):
            return _known_of(submission) | {"unreadable": True}
        if len(stored.bodies) != len(submission.steps):
            return _known_of(submission) | {"unreadable": True}
        resources = stored.resources or [step.resource for step in submission.steps]
        application = {
            name: value for name, value in stored.to_json().items() if name not in {"differences", "resources"}
        }
        return {
            **_known_of(submission),
            **application,
            "consent": _exported_consent(stored),
            "steps": [
                _exported_step(step, resources[step.position], stored.bodies[step.position])
                for step in submission.steps
            ],
        }


def _covers(erasure: Erasure, match: PersonMatch) -> bool:
    is_same_customer = erasure.customer_id in (None, match.customer_id)
    return is_same_customer and erasure.digest in match.digests and match.received_at <= erasure.at


def _known_of(submission: Submission) -> dict[str, Any]:
    return submission.to_json() | {"language": submission.language}


def _exported_consent(stored: StoredApplication) -> dict[str, Any] | None:
    consent, given_at = stored.consent, stored.context.consented_at
    if consent is None or given_at is None:
        return None
    return consent.to_json() | {"at": given_at.astimezone(UTC).isoformat(), "shown": consent.wording()}


def _exported_step(step: Step, resource: Sequence[str], body: Mapping[str, Any]) -> dict[str, Any]:
    return step.to_json() | {"resource": resource, "sent": body, "result": step.result, "upstream": step.upstream}
