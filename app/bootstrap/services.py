"""Builds the service from the configuration: storage, intake, delivery and Vitec. `web_app` adds the web."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from app import __version__
from app.bootstrap.background import BackgroundTasks
from app.bootstrap.customer_mapping import defaults_of
from app.bootstrap.monitoring import Monitoring, retention_periods
from app.config.settings import Settings
from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.claims import Claim
from app.delivery.deliverer import Deliverer
from app.delivery.outbox import Outbox
from app.delivery.retry_policy import RetryPolicy
from app.delivery.unreadable_submissions import resume_readable
from app.delivery.worker import Worker
from app.domain.submission import FunctionGroup, StepStatus
from app.intake.intake import Intake
from app.lookups.contact_reader import ContactReader
from app.lookups.home_cache import HomeCache
from app.lookups.lookup_queue import LookupQueue
from app.maintenance.checks import require_plausible_clock
from app.maintenance.move_state import require_active
from app.privacy import retention_job
from app.privacy.erasure_log import ErasureLog
from app.privacy.requests import PrivacyRequests
from app.privacy.retention import Retention
from app.privacy.retention_job import RetentionJob
from app.privacy.search import PersonSearch
from app.statistics import counter_job, page_views
from app.statistics.counter_job import CounterJob
from app.statistics.page_views import PageViews
from app.storage import clock
from app.storage.database import Database
from app.storage.encryption import KeyedHash, Keyring
from app.storage.migrations import require_current, upgrade
from app.submissions import person_index
from app.submissions.operator_actions import OperatorActions
from app.submissions.outcomes import Outcomes
from app.submissions.person_index import PersonIndex
from app.submissions.repository import SubmissionRepository
from app.vitec.client import Credential, Observe, VitecClient
from app.vitec.errors import AccessDeniedError, LoginRefusedError, VitecError
from app.vitec.throttle import Throttle

DEFAULT_ERASURE_LOG = "erasures.log"  # next to the SQLite database; with PostgreSQL in the working directory
ALARMS_STOP_SECONDS = 2.0
DELIVERY = "delivery"  # the worker's task
RESUME_SECONDS = 60.0  # between two tries to read unreadable submissions

log = structlog.get_logger()


@dataclass
class Service:
    """Everything that runs in a process, except the web application."""

    settings: Settings
    database: Database
    keyring: Keyring
    intake: Intake
    outbox: Outbox
    submissions: SubmissionRepository
    person_index: PersonIndex
    operator_actions: OperatorActions
    privacy_requests: PrivacyRequests
    outcomes: Outcomes
    vitec: VitecClient
    contact_reader: ContactReader
    home_cache: HomeCache
    worker: Worker
    circuit_breaker: CircuitBreaker
    page_views: PageViews
    counter_job: CounterJob
    retention_job: RetentionJob
    monitoring: Monitoring
    background: BackgroundTasks

    @contextlib.asynccontextmanager
    async def running(self, *, web: bool = True, deliver: bool = True) -> AsyncIterator[None]:
        """Runs the background tasks. Stops in order: claiming ends, submissions in flight are finished, and those that
        wait to be stored are committed."""
        start, every = self.background.start, self.background.every
        if self.database.is_sqlite:
            every(clock.TICK_SECONDS, "clock", lambda: clock.tick(self.database))
        if deliver:
            start(DELIVERY, self.worker.run, self.worker.stop)
            every(retention_job.PAUSE_SECONDS, "retention", self.retention_job.run_once, finishes=True)
            every(RESUME_SECONDS, "unreadable", lambda: resume_readable(self.database, self.keyring))
            every(
                counter_job.PAUSE_SECONDS,
                "counts",
                self.counter_job.count,
                busy_seconds=counter_job.BUSY_PAUSE_SECONDS,
            )
        if web:
            start("intake", self.intake.run, self.intake.stop)
            start("outcomes", self.outcomes.run)
            every(person_index.PAUSE_SECONDS, "person index", self.person_index.fill, busy_seconds=0)
            every(page_views.PAUSE_SECONDS, "page views", self.page_views.write)
        if (alarms := self.monitoring.alarms) is not None:
            start("alarms", alarms.run, alarms.stop, ALARMS_STOP_SECONDS)
        log.info("started", version=__version__, url=self.settings.public_url)
        try:
            yield
        finally:
            log.info("stopping")
            await self.background.stop()
            await self.page_views.write()
            await self.vitec.close()
            self.database.close()


def build_service(settings: Settings) -> Service:
    """Raises `DatabaseUnusableError`."""
    database = Database(settings.database_url.get_secret_value())
    keyring = Keyring(settings.encryption_keys)
    secret = settings.secret_key.get_secret_value()
    contact_hash = KeyedHash(secret, "contacts")
    policy = _retry_policy(settings)
    probe = timedelta(seconds=settings.vitec.paused_probe_seconds)
    circuit_breaker = CircuitBreaker(database, KeyedHash(secret, "resources"), probe, outage=policy.delays[0])
    outbox = Outbox(
        database, keyring, circuit_breaker, _lease(settings), timedelta(seconds=settings.delivery.wait_seconds)
    )
    repository, outcomes = SubmissionRepository(database, keyring), Outcomes(database)
    monitoring = Monitoring(settings, database, repository)
    vitec, throttle = build_vitec(settings, monitoring.counts.called), Throttle(settings.vitec.requests_per_second)
    lookups = LookupQueue(circuit_breaker, throttle)

    def settled(claim: Claim, status: StepStatus) -> None:
        outcomes.notify(claim.id)
        monitoring.counts.settled(claim.customer_id, claim.operation, status)

    def accepted(rows: Sequence[Mapping[str, Any]]) -> None:
        monitoring.counts.accepted(rows)
        worker.wake()

    parks = frozenset(customer.id for customer in settings.customers if customer.on_ambiguous == "park")
    deliverer = Deliverer(outbox, vitec, policy, parks, throttle, settled)
    worker = _worker(settings, outbox, deliverer, throttle, vitec.abandon)
    return Service(
        settings=settings,
        database=database,
        keyring=keyring,
        intake=Intake(database, keyring, contact_hash, accepted),
        outbox=outbox,
        submissions=repository,
        person_index=PersonIndex(database, contact_hash),
        operator_actions=OperatorActions(
            database, keyring, {customer.id: defaults_of(customer) for customer in settings.customers}
        ),
        privacy_requests=PrivacyRequests(
            database,
            repository,
            PersonSearch(database, keyring, KeyedHash(secret, "erasures"), contact_hash),
            _erasure_log(settings),
        ),
        outcomes=outcomes,
        vitec=vitec,
        contact_reader=ContactReader(vitec, lookups),
        home_cache=HomeCache(vitec, lookups),
        worker=worker,
        circuit_breaker=circuit_breaker,
        page_views=PageViews(database),
        counter_job=CounterJob(database, keyring),
        retention_job=RetentionJob(Retention(database, retention_periods(settings))),
        monitoring=monitoring,
        background=BackgroundTasks(),
    )


def _lease(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.delivery.lease_seconds)


def _retry_policy(settings: Settings) -> RetryPolicy:
    return RetryPolicy(
        delays=tuple(timedelta(seconds=seconds) for seconds in settings.delivery.retry_seconds),
        give_up=timedelta(hours=settings.delivery.give_up_hours),
    )


def _worker(
    settings: Settings, outbox: Outbox, deliverer: Deliverer, throttle: Throttle, abandon: Callable[[], None]
) -> Worker:
    return Worker(
        outbox,
        deliverer,
        [customer.id for customer in settings.customers],
        concurrency=settings.vitec.concurrency,
        concurrency_per_customer=settings.vitec.concurrency_per_customer,
        lease=_lease(settings),
        throttle=throttle,
        abandon=abandon,
    )


def _erasure_log(settings: Settings) -> ErasureLog:
    """The path in `retention.erasure_log`; by default next to the SQLite database, or in the working directory with
    PostgreSQL."""
    secret = settings.secret_key.get_secret_value()
    prefix, _, file = settings.database_url.get_secret_value().partition("sqlite:///")
    default = Path(file).parent / DEFAULT_ERASURE_LOG if file and not prefix else Path(DEFAULT_ERASURE_LOG)
    path = Path(settings.retention.erasure_log) if settings.retention.erasure_log else default
    return ErasureLog(path, KeyedHash(secret, "erasure log"))


def build_vitec(settings: Settings, observe: Observe = lambda *_: None) -> VitecClient:
    def secret(value: SecretStr) -> str:
        return value.get_secret_value()

    credentials = {
        customer.id: Credential(secret(customer.password), secret(customer.crm_password or customer.password))
        for customer in settings.customers
    }
    vitec = settings.vitec
    return VitecClient(vitec.base_url, vitec.username, credentials, vitec.timeout_seconds, vitec.concurrency, observe)


async def refused_logins(settings: Settings) -> list[str]:
    """A line for each password that Vitec refuses or that could not be tested."""
    vitec = build_vitec(settings)
    lines = []
    for customer in settings.customers:
        for group, key in {FunctionGroup.ADVERTISING: "password", FunctionGroup.CRM: "crm_password"}.items():
            try:
                await vitec.try_login(customer.id, group)
            except (LoginRefusedError, AccessDeniedError) as error:
                lines.append(f"customers[{customer.id}].{key}: Vitec refuses the login: {error}")
            except VitecError as error:
                lines.append(f"customers[{customer.id}].{key}: not tested at {settings.vitec.base_url}: {error}")
    await vitec.close()
    return lines


def prepare_database(database: Database) -> None:
    """Migrates SQLite. PostgreSQL is shared by replicas, so it is only migrated by `intresse migrate`. Raises
    `DatabaseUnusableError`."""
    upgrade(database) if database.is_sqlite else require_current(database)
    require_active(database)
    require_plausible_clock(database, datetime.now(UTC))
    # A full disk must not prevent the start.
    with contextlib.suppress(DBAPIError), database.engine.begin() as connection:
        database.newest = clock.check(connection)  # before anything is claimed or erased


@contextlib.contextmanager
def on_sigterm(stop: Callable[[], None]) -> Iterator[None]:
    """At SIGTERM, calls `stop` in the running loop and then the handler that was installed before."""
    if threading.current_thread() is not threading.main_thread():  # as in tests: only that one can handle signals
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
