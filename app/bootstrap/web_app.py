"""Builds the web application from the configuration and the running service."""

import contextlib
from collections.abc import AsyncIterator, Iterable

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from app.bootstrap.console import build_console
from app.bootstrap.customer_mapping import web_customer
from app.bootstrap.services import DELIVERY, Service, build_service, on_sigterm, prepare_database
from app.config.settings import Settings
from app.submissions.cancellations import Cancellations
from app.web import health
from app.web.api_docs import swagger_ui
from app.web.app import App
from app.web.console.routes import routes as console_routes
from app.web.http.security_headers import SecurityHeaders, all_headers
from app.web.operations import problems
from app.web.operations.customer import OriginRule
from app.web.operations.dependencies import Dependencies
from app.web.operations.tokens import FormTokens, IdempotencyKeys, LinkSecrets
from app.web.rendering.templates import Templates
from app.web.rendering.theme import prepare_colours
from app.web.routes import routes

log = structlog.get_logger()


def create_app(
    settings: Settings,
    *,
    demo: bool = False,
    deliver: bool = True,
    templates: Templates | None = None,
    extra_routes: Iterable[BaseRoute] = (),
) -> Starlette:
    """The web service. Raises `DatabaseUnusableError`."""
    service = build_service(settings)
    prepare_database(service.database)
    deps = build_dependencies(settings, service, demo, templates or Templates())

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with on_sigterm(lambda: service.background.stop_early(DELIVERY)):
            async with service.running(deliver=deliver):
                if demo:
                    log.warning("demo: nothing here is real")
                yield

    app = App(
        deps,
        settings.trusted_proxies,
        problems.exception_handlers(deps),
        routes=[
            *routes(deps, service.keyring),
            *(console_routes(build_console(settings, deps, service)) if settings.console_password else ()),
            *service.monitoring.routes(),
            *extra_routes,
            *swagger_ui.routes(demo=demo),
        ],
        lifespan=lifespan,
    )
    health.serve_health(app, service.database, lambda: service.background.down)
    return app


def create_worker_app(settings: Settings) -> Starlette:
    """A delivery worker with health checks and metrics over HTTP. Raises `DatabaseUnusableError`."""
    service = build_service(settings)
    prepare_database(service.database)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with service.running(web=False):
            yield

    secure = settings.public_url.startswith("https://")
    app = Starlette(
        routes=[*health.router.routes, *service.monitoring.routes()],
        middleware=[Middleware(SecurityHeaders, secure=secure)],
        lifespan=lifespan,
    )
    app.state.server_headers = all_headers(secure=secure)
    health.serve_health(app, service.database, lambda: service.background.down)
    return app


def build_dependencies(settings: Settings, service: Service, demo: bool, templates: Templates) -> Dependencies:
    secret = settings.secret_key.get_secret_value()
    customers = {customer.id: web_customer(customer) for customer in settings.customers}
    prepare_colours(customer.firm.accent for customer in customers.values())
    return Dependencies(
        customers=customers,
        public_url=settings.public_url,
        demo=demo,
        wait_seconds=settings.delivery.wait_seconds,
        templates=templates,
        now=service.database.now,
        intake=service.intake,
        submissions=service.submissions,
        cancellations=Cancellations(service.database),
        outcomes=service.outcomes,
        tokens=FormTokens(secret),
        status_links=LinkSecrets(secret, "status"),
        receipt_links=LinkSecrets(secret, "receipt"),
        idempotency_keys=IdempotencyKeys(secret),
        origins=OriginRule(settings.public_url, demo),
        contacts=service.contact_reader.contacts,
        homes=service.home_cache,
        page_views=service.page_views,
    )
