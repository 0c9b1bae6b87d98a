"""The composition root: the only place where the configuration and the concrete parts meet."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import limits
import structlog
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from app import __version__
from app.delivery.deliver import Deliverer
from app.delivery.housekeeping import Housekeeper
from app.delivery.look_up import LookUp
from app.delivery.retry_policy import RetryPolicy
from app.delivery.stopping import on_sigterm
from app.delivery.timed import TimedVitec
from app.delivery.worker import Worker
from app.domain.filling import InterestDefaults, ViewingDefaults
from app.domain.plan import Defaults, LeadDefaults
from app.domain.submission import FunctionGroup, StepStatus
from app.settings import Customer, Settings
from app.storage.claims import Claim
from app.storage.clock import require_right_clock
from app.storage.database import Database
from app.storage.decisions import Decisions
from app.storage.encryption import KeyedHash, Keyring
from app.storage.home import require_home
from app.storage.intake import Intake
from app.storage.leads import Leads
from app.storage.logins import Logins
from app.storage.lookup import Lookup
from app.storage.migrations import require_current, upgrade
from app.storage.outbox import Outbox
from app.storage.outcomes import Outcomes
from app.storage.retention import Periods, Retention
from app.vitec.client import Credential, VitecClient
from app.vitec.errors import VitecError
from app.vitec.pace import Pace
from app.watching import Watching
from app.web import customers as web
from app.web import docs, openapi, operations, problems
from app.web.guard import OriginRule
from app.web.headers import SecurityHeaders
from app.web.pages import Firm
from app.web.proxies import TrustedProxies
from app.web.routes import routes
from app.web.signing import FormTokens, LinkSecrets, Repeats
from app.web.site import Site
from app.web.templating import Templates

log = structlog.get_logger()


@dataclass
class Service:
    """The parts that run: one database, the intake, and unless told otherwise a delivery worker."""

    settings: Settings
    database: Database
    keyring: Keyring
    intake: Intake
    outbox: Outbox
    leads: Leads
    lookup: Lookup
    decisions: Decisions
    outcomes: Outcomes
    vitec: VitecClient
    look_up: LookUp
    worker: Worker
    housekeeper: Housekeeper
    watching: Watching

    @contextlib.asynccontextmanager
    async def running(self, *, web: bool = True, deliver: bool = True) -> AsyncIterator[None]:
        """Stops in order: no more claims, what is in flight finished, what waits to be stored committed."""
        intake = asyncio.create_task(self.intake.run()) if web else None
        watching = [asyncio.create_task(part.run()) for part in (self.outcomes, self.lookup)] if web else []
        working = [asyncio.create_task(part.run()) for part in (self.worker, self.housekeeper)] if deliver else []
        try:
            async with self.watching.running():
                yield
        finally:
            self.worker.stop()
            self.intake.stop()
            self.housekeeper.stop()
            for task in (*working, *filter(None, [intake])):
                await task
            for task in watching:
                task.cancel()
            await self.vitec.close()
            self.database.close()


def build_service(settings: Settings) -> Service:
    """Raises `DatabaseUnusable`."""
    database = Database(settings.database_url.get_secret_value())
    keyring = Keyring(settings.encryption_keys)
    secret = settings.secret_key.get_secret_value()
    lease = timedelta(seconds=settings.delivery.lease_seconds)
    policy = RetryPolicy(
        delays=tuple(timedelta(seconds=seconds) for seconds in settings.delivery.retry_seconds),
        give_up=timedelta(hours=settings.delivery.give_up_hours),
    )
    probe = timedelta(seconds=settings.vitec.paused_probe_seconds)
    logins = Logins(database, KeyedHash(secret, "resources"), probe, outage=policy.delays[0])
    outbox = Outbox(database, keyring, logins, lease, timedelta(seconds=settings.delivery.wait_seconds))
    outcomes = Outcomes(database)
    vitec = build_vitec(settings)
    pace = Pace(settings.vitec.requests_per_second)
    customers = [customer.id for customer in settings.customers]
    leads = Leads(database, keyring)
    watching = Watching(settings, database, leads)

    def settled(claim: Claim, status: StepStatus) -> None:
        outcomes.tell(claim.id)
        watching.settled(claim, status)

    def accepted(rows: Sequence[Mapping[str, Any]]) -> None:
        watching.accepted(rows)
        worker.wake()

    parks = frozenset(customer.id for customer in settings.customers if customer.on_ambiguous == "park")
    worker = Worker(
        outbox,
        Deliverer(outbox, TimedVitec(vitec, watching.counts.called), policy, parks, pace, settled),
        customers,
        concurrency=settings.vitec.concurrency,
        concurrency_per_customer=settings.vitec.concurrency_per_customer,
        lease=lease,
        pace=pace,
        abandon=vitec.abandon,
    )
    contact_hash = KeyedHash(secret, "contacts")
    return Service(
        settings=settings,
        database=database,
        keyring=keyring,
        intake=Intake(database, keyring, contact_hash, accepted),
        outbox=outbox,
        leads=leads,
        lookup=Lookup(database, contact_hash),
        decisions=Decisions(database, keyring),
        outcomes=outcomes,
        vitec=vitec,
        look_up=LookUp(vitec, logins, pace),
        worker=worker,
        housekeeper=Housekeeper(Retention(database, _periods(settings))),
        watching=watching,
    )


def _periods(settings: Settings) -> Periods:
    kept = settings.retention
    return Periods(*(timedelta(days=days) for days in (kept.delivered_days, kept.held_days, kept.undelivered_days)))


def build_vitec(settings: Settings) -> VitecClient:
    def secret(value: SecretStr) -> str:
        return value.get_secret_value()

    credentials = {
        customer.id: Credential(secret(customer.password), secret(customer.crm_password or customer.password))
        for customer in settings.customers
    }
    vitec = settings.vitec
    return VitecClient(vitec.base_url, vitec.username, credentials, vitec.timeout_seconds, vitec.concurrency)


async def refused_logins(settings: Settings) -> list[str]:
    """A line for each password that Vitec does not accept, or could not be asked about."""
    vitec = build_vitec(settings)
    lines = []
    for customer in settings.customers:
        for group, key in {FunctionGroup.ADVERTISING: "password", FunctionGroup.CRM: "crm_password"}.items():
            try:
                await vitec.try_login(customer.id, group)
            except VitecError as error:
                lines.append(f"customers[{customer.id}].{key}: {error}")
    await vitec.close()
    return lines


def prepare_database(database: Database) -> None:
    """SQLite is brought up to date here; on PostgreSQL, with its replicas, a person or a job does it once.
    Raises `DatabaseUnusable`."""
    upgrade(database) if database.is_sqlite else require_current(database)
    require_home(database)
    require_right_clock(database, datetime.now(UTC))


def create_app(
    settings: Settings,
    *,
    demo: bool = False,
    deliver: bool = True,
    templates: Templates | None = None,
    extra_routes: Iterable[BaseRoute] = (),
) -> Starlette:
    """The web service. Plain Starlette: FastAPI's middlewares would cost every post, and it has only the OpenAPI
    document and its pages to give here. Raises `DatabaseUnusable`."""
    service = build_service(settings)
    prepare_database(service.database)
    site = build_site(settings, service, demo, templates or Templates())

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with on_sigterm(service.worker.stop):
            async with service.running(deliver=deliver):
                log.info("started", version=__version__, url=settings.public_url)
                if demo:
                    log.warning("demo: nothing here is real")
                yield
                log.info("stopping")

    app = _App(
        settings.trusted_proxies,
        routes=[
            *routes(site, service.keyring, service.database),
            *service.watching.routes(),
            *extra_routes,
            *openapi.routes(),
            *docs.routes,
        ],
        lifespan=lifespan,
        exception_handlers=problems.handlers(site),
    )
    app.router.redirect_slashes = False  # a redirect would be made from the Host header
    return app


def create_worker_app(settings: Settings) -> Starlette:
    """A delivery worker that tells how it is. Raises `DatabaseUnusable`."""
    service = build_service(settings)
    prepare_database(service.database)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service.running(web=False):
            yield

    return _App((), routes=[*operations.routes(service.database), *service.watching.routes()], lifespan=lifespan)


class _App(Starlette):
    """With what has to be around the framework's own answers to faults too."""

    def __init__(self, trusted_proxies: Sequence[str], **named: Any) -> None:
        super().__init__(**named)
        self._trusted_proxies = trusted_proxies

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(TrustedProxies(super().build_middleware_stack(), self._trusted_proxies))


def build_site(settings: Settings, service: Service, demo: bool, templates: Templates) -> Site:
    secret = settings.secret_key.get_secret_value()
    return Site(
        customers={customer.id: _web_customer(customer) for customer in settings.customers},
        public_url=settings.public_url,
        demo=demo,
        wait_seconds=settings.delivery.wait_seconds,
        templates=templates,
        intake=service.intake,
        leads=service.leads,
        outcomes=service.outcomes,
        tokens=FormTokens(secret),
        status_links=LinkSecrets(secret, "status"),
        receipt_links=LinkSecrets(secret, "receipt"),
        repeats=Repeats(secret),
        origins=OriginRule(settings.public_url, demo),
        contacts=service.look_up.contacts,
    )


def _web_customer(customer: Customer) -> web.Customer:
    return web.Customer(
        id=customer.id,
        firm=firm_of(customer),
        language=customer.language,
        origins=tuple(customer.allowed_origins),
        key_hashes=tuple(customer.api_key_hashes),
        rate=limits.parse(customer.rate_limit),
        person_rate=limits.parse(customer.rate_limit_person),
        collect_personnummer=customer.collect_personnummer,
        defaults=defaults_of(customer),
    )


def defaults_of(customer: Customer) -> Defaults:
    lead = customer.lead
    return Defaults(
        interest=InterestDefaults(**customer.interest.model_dump(exclude={"marketing"})),
        viewing=ViewingDefaults(**customer.viewing.model_dump()),
        lead=LeadDefaults(**lead.model_dump(exclude={"when"}), always=lead.when == "always") if lead else None,
        interest_as_lead=customer.interest.marketing == "lead",
    )


def firm_of(customer: Customer) -> Firm:
    theme = customer.theme.model_dump()
    return Firm(customer.name, customer.phone, customer.email, customer.privacy_url, **theme)
