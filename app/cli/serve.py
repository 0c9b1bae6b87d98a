"""Commands that run until they are stopped."""

import asyncio
import os
import secrets
import signal
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_address
from typing import Annotated

import typer

from app import logs
from app.cli.output import stop
from app.cli.service import configured, using_database
from app.config.loader import SECRETS, SERVING_SECRETS
from app.config.settings import Settings
from app.domain.submission import PATH_ID

commands = typer.Typer()

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait for PostgreSQL to come up.")]
Drain = Annotated[
    float, typer.Option(min=0, help="Seconds to keep serving after SIGTERM, while /healthz and /readyz fail.")
]


@commands.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    demo: Annotated[
        bool, typer.Option("--demo", help="Run the demo: a fictitious broker and a simulated CRM.")
    ] = False,
    no_deliver: Annotated[bool, typer.Option("--no-deliver", help="Leave the delivery to `intresse deliver`.")] = False,
    wait: Wait = 30,
    drain: Drain = 0,
) -> None:
    """Run the web service and a delivery worker."""
    logs.configure()
    with using_database():
        if demo or os.environ.get("INTRESSE_DEMO") == "1":
            _serve_demo(host, port, drain, deliver=not no_deliver)
        else:
            from app.bootstrap.web_app import create_app
            from app.cli.server import listen

            settings = _with_database(wait, SECRETS)
            listen(create_app(settings, deliver=not no_deliver), host, port, drain)


def _serve_demo(host: str, port: int, drain: float, *, deliver: bool) -> None:
    from app.cli.server import listen
    from app.demo import demo

    public_url = local_url(host, port)
    api_key = secrets.token_urlsafe(32)
    with demo.demo(public_url, api_key) as staged:
        announcement = f"DEMO: nothing here is real. Open {public_url}  (customer {demo.CUSTOMER}, API key {api_key})"
        listen(demo.demo_app(staged, deliver=deliver), host, port, drain, announcement=announcement)


def local_url(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens on `host`."""
    try:
        address = ip_address(host)
    except ValueError:  # a name
        address = IPv4Address("127.0.0.1")
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")
    authority = str(address) if address.version == 4 else f"[{address}]"
    return f"http://{authority}" if port == 80 else f"http://{authority}:{port}"


@commands.command()
def deliver(
    wait: Wait = 30,
    host: Annotated[str, typer.Option(help="The address to listen on, if there is a --port.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve /healthz, /readyz and /metrics on this port.")
    ] = None,
) -> None:
    """Run a delivery worker alone."""
    logs.configure()
    with using_database():
        if port is None:
            _deliver(_with_database(wait, SECRETS - SERVING_SECRETS))
        else:
            from app.bootstrap.web_app import create_worker_app
            from app.cli.server import listen

            listen(create_worker_app(_with_database(wait, SECRETS - {"console_password"})), host, port)


def _deliver(settings: Settings) -> None:
    import uvloop

    from app.bootstrap.services import build_service, prepare_database
    from app.cli.server import stop_at_hangup

    async def run() -> None:
        service = build_service(settings)
        prepare_database(service.database)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        stop_at_hangup()
        async with service.running(web=False):
            await stop.wait()

    uvloop.run(run())


def _with_database(wait: float, uses: frozenset[str]) -> Settings:
    """The configuration, once its database answers. After `wait` seconds it is returned anyway; the first use of the
    database then fails with the reason."""
    from app.storage.database import wait_for

    settings = configured(uses)
    wait_for(settings.database_url.get_secret_value(), wait)
    return settings


@commands.command()
def sandbox(
    port: Port = 8001,
    customer: Annotated[str, typer.Option(help="The customer's id.")] = "M00000",
    password: Annotated[str, typer.Option(help="The customer's password.")] = "demo",  # noqa: S107
    crm_password: Annotated[str, typer.Option(help="The customer's password for CRM/….")] = "demo-crm",  # noqa: S107
    username: Annotated[str, typer.Option(help="The partner's username.")] = "partner",
) -> None:
    """Run a strict stand-in for Vitec Connect. Faults can be injected under /_sandbox.

    It accepts any home and any time slot, and has the contacts C1, C2 and C3.
    """
    from app.cli.server import listen
    from app.sandbox import Customer, Office, create_sandbox, demo_contacts

    if not PATH_ID.fullmatch(customer):
        stop("--customer: 1-40 characters of letters, digits, _ - .")
    contacts = demo_contacts(customer, datetime.now(UTC))
    login = Customer(customer, password=password, crm_password=crm_password)
    office = Office([login], username=username, contacts=contacts)
    announcement = f"Vitec Connect sandbox on http://127.0.0.1:{port}: {username}, {customer}. Nothing here is real."
    listen(create_sandbox(office), "127.0.0.1", port, announcement=announcement)
