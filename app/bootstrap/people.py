"""Export and erasure of a person's data (GDPR articles 15 and 17), and repeating the erasures after a restore."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.bootstrap.services import Service
from app.config.settings import Settings
from app.domain.fields import Email, Phone
from app.domain.ids import reference_of
from app.domain.submission import Step, Submission
from app.privacy.erasure_log import Erasure, ErasureLog
from app.privacy.search import PersonMatch, PersonSearch
from app.storage.database import now_of
from app.storage.driver.checkpoints import empty_log
from app.storage.encryption import KeyedHash
from app.submissions.erasure import ErasedSubmission, batches, erase, erase_and_tell

DEFAULT_LOG = "erasures.log"  # beside the SQLite database; on PostgreSQL in the working directory


class PersonSearchError(Exception):
    """The message is a line for an operator."""


@dataclass(frozen=True)
class Whom:
    """Whom to look for: by "email", "phone" or "id" (a submission's id or reference, or a contact's id at Vitec), in
    one customer's submissions or, with None, in all."""

    by: str
    value: str
    customer_id: str | None


@dataclass(frozen=True)
class Erased:
    """`proof` is the line of the erasure log."""

    proof: str
    submissions: tuple[ErasedSubmission, ...]

    @property
    def count(self) -> int:
        return len(self.submissions)

    @property
    def delivered(self) -> list[ErasedSubmission]:
        """Those that Vitec has too."""
        return [one for one in self.submissions if one.arrived]

    @property
    def uncertain(self) -> list[ErasedSubmission]:
        """Those that Vitec may have: a call had no usable answer, or was under way."""
        return [one for one in self.submissions if one.may_have_arrived and not one.arrived]


def whom(email: str | None, phone: str | None, identity: str | None, customer_id: str | None) -> Whom:
    """Raises `PersonSearchError`."""
    said = {"email": email, "phone": phone, "id": identity}
    given = [(by, value) for by, value in said.items() if value is not None]
    if len(given) != 1:
        raise PersonSearchError("give one of --email, --phone and --id")
    [(by, value)] = given
    kinds: dict[str, Any] = {"email": Email, "phone": Phone}
    try:
        value = TypeAdapter(kinds.get(by, str)).validate_python(value)
    except ValidationError:
        raise PersonSearchError(f"--{by}: can't be read") from None
    return Whom(by, value.replace(" ", "") if by == "id" else value, customer_id)


async def erase_person(service: Service, whom: Whom) -> Erased:
    """Written down before it is done, so that whatever happens in between it is done by a replay.
    Raises `PersonSearchError`, `ErasureLogError`, `StoreUnavailableError`."""
    people = people_of(service)
    now = await service.database.read(now_of)
    wanted = people.sought(whom.value)
    traces = await _found(people, {wanted}, whom.customer_id)
    proof = erasure_log(service.settings).append(Erasure(now, whom.by, wanted, whom.customer_id))
    return Erased(proof, tuple(await _erase(service, traces)))


def record_of_erasure(erased: Erased) -> dict[str, Any]:
    """For programs."""

    def records(submissions: Iterable[ErasedSubmission]) -> list[dict[str, Any]]:
        return [
            {"id": one.id, "reference": reference_of(one.id), "customerId": one.customer_id, "operation": one.operation}
            for one in submissions
        ]

    return {
        "erased": erased.count,
        "delivered": records(erased.delivered),
        "uncertain": records(erased.uncertain),
        "proof": erased.proof,
    }


async def erase_submission(service: Service, submission: Submission) -> bool:
    """One submission alone; says whether there was anything personal left in it.
    Raises `ErasureLogError`, `StoreUnavailableError`."""
    now = await service.database.read(now_of)
    wanted = people_of(service).sought(submission.id)
    erasure_log(service.settings).append(Erasure(now, "id", wanted, submission.customer_id))
    erased = await service.database.write(partial(erase, ids=[submission.id]))
    await empty_log(service.database.engine)
    return bool(erased)


async def erase_again(service: Service) -> int:
    """What was erased before, erased again after a restore: how many submissions. What came after an erasure stays.
    Raises `PersonSearchError`, `ErasureLogError`, `StoreUnavailableError`."""
    people = people_of(service)
    erasures = erasure_log(service.settings).read()
    traces = await _found(people, {one.digest for one in erasures}, None)

    def told(trace: PersonMatch, one: Erasure) -> bool:
        ours = one.customer_id in (None, trace.customer_id)
        return ours and one.digest in trace.sought and trace.received_at <= one.at

    outdated = [trace for trace in traces if any(told(trace, one) for one in erasures)]
    return len(await _erase(service, outdated))


async def export_person(service: Service, whom: Whom) -> list[dict[str, Any]]:
    """All that is kept, as JSON can say it, the oldest first. Raises `PersonSearchError`, `StoreUnavailableError`."""
    people = people_of(service)
    traces = await _found(people, {people.sought(whom.value)}, whom.customer_id)
    return [await _kept(service, trace.id) for trace in traces]


async def _found(people: PersonSearch, sought: set[bytes], customer_id: str | None) -> list[PersonMatch]:
    traces, closed = await people.find(sought)
    if closed:
        raise PersonSearchError(
            f"{closed} submission(s) can't be opened with encryption_keys, so nobody knows whose they are"
        )
    return [one for one in traces if customer_id in (None, one.customer_id)]


async def _erase(service: Service, traces: list[PersonMatch]) -> list[ErasedSubmission]:
    erased: list[ErasedSubmission] = []
    for ids in batches([one.id for one in traces]):
        erased += await service.database.write(partial(erase_and_tell, ids=ids))
    await empty_log(service.database.engine)
    return erased


async def _kept(service: Service, identity: str) -> dict[str, Any]:
    found = await service.leads.get(identity)
    assert found is not None
    stored = await service.leads.application(identity)
    resources = stored.resources or [step.resource for step in found.steps]
    said = {name: value for name, value in stored.to_json().items() if name not in {"bodies", "resources"}}
    consent = stored.consent
    return {
        "id": found.id,
        "reference": found.reference,
        "customerId": found.customer_id,
        "operation": found.operation,
        "status": found.status,
        "language": found.language,
        "receivedAt": found.received_at.isoformat(),
        "settledAt": found.settled_at.isoformat() if found.settled_at else None,
        **said,
        "consent": consent.to_json() | {"shown": consent.wording()} if consent else None,
        "steps": [_step(step, resources[step.position], stored.bodies[step.position]) for step in found.steps],
    }


def _step(step: Step, resource: Sequence[str], body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "operation": step.operation,
        "resource": resource,
        "status": step.status,
        "attempts": step.attempts,
        "sent": body,
        "result": step.result,
        "upstream": step.upstream,
    }


def people_of(service: Service) -> PersonSearch:
    secret = service.settings.secret_key.get_secret_value()
    return PersonSearch(service.database, service.keyring, KeyedHash(secret, "erasures"))


def erasure_log(settings: Settings) -> ErasureLog:
    """Where `retention.erasure_log` says, else beside the SQLite database, else in the working directory."""
    secret = settings.secret_key.get_secret_value()
    prefix, _, file = settings.database_url.get_secret_value().partition("sqlite:///")
    default = Path(file).parent / DEFAULT_LOG if file and not prefix else Path(DEFAULT_LOG)
    path = Path(settings.retention.erasure_log) if settings.retention.erasure_log else default
    return ErasureLog(path, KeyedHash(secret, "erasure log"))
