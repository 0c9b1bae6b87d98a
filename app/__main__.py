"""The commands."""

import asyncio
import gc
import json
import os
import secrets
import signal
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated, NoReturn, TypeVar

import typer

from app import __version__, logs
from app.configuration import ConfigurationError, configuration_path, load
from app.domain.submission import Status
from app.settings import Settings
from app.storage.database import DatabaseUnusable

T = TypeVar("T")

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")]


def main() -> None:
    cli()


def _stop(*lines: str) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(1)


def _settings() -> Settings:
    try:
        return load(configuration_path())
    except ConfigurationError as error:
        _stop(*error.lines)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"intresse {__version__}")
        raise typer.Exit


@cli.callback()
def intresse(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Lead capture for Swedish estate brokers: forms in, Vitec Connect out, nothing lost between."""


@cli.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    demo: Annotated[bool, typer.Option("--demo", help="A made-up office; nothing in it is real.")] = False,
    no_deliver: Annotated[bool, typer.Option("--no-deliver", help="Leave the delivery to `intresse deliver`.")] = False,
) -> None:
    """The web service, and unless --no-deliver the delivery worker in it."""
    logs.configure()
    try:
        if demo or os.environ.get("INTRESSE_DEMO") == "1":
            _serve_demo(host, port, deliver=not no_deliver)
        else:
            from app.main import create_app

            _listen(create_app(_settings(), deliver=not no_deliver), host, port)
    except DatabaseUnusable as error:
        _stop(f"database: {error}")


def _serve_demo(host: str, port: int, *, deliver: bool) -> None:
    from app import demo

    public_url = f"http://127.0.0.1:{port}"
    api_key = secrets.token_urlsafe(32)
    with demo.demo(public_url, api_key) as staged:
        typer.echo(f"DEMO: nothing here is real. Open {public_url}  (customer {demo.CUSTOMER}, API key {api_key})")
        _listen(demo.demo_app(staged, deliver=deliver), host, port)


def _listen(app: object, host: str, port: int) -> None:
    import uvicorn

    # What start-up left lives as long as the process: it need not be looked through again and again. A post makes
    # some hundred objects, most of them freed at once, so a look every 20,000 finds as much garbage as one every 700.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    # Proxy headers are the configuration's matter (trusted_proxies), not the environment's.
    uvicorn.run(
        app,  # type: ignore[arg-type]
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=25,
    )


@cli.command()
def deliver() -> None:
    """A delivery worker alone."""
    logs.configure()
    import uvloop

    from app.main import build_service, prepare_database

    async def run() -> None:
        service = build_service(_settings())
        prepare_database(service.database)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with service.running(web=False):
            await stop.wait()

    try:
        uvloop.run(run())
    except DatabaseUnusable as error:
        _stop(f"database: {error}")


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    from app.storage.database import Database
    from app.storage.migrations import newest, upgrade

    try:
        database = Database(_settings().database_url.get_secret_value())
        changed = upgrade(database)
    except DatabaseUnusable as error:
        _stop(f"database: {error}")
    typer.echo(f"The database is {'now' if changed else 'already'} at revision {newest()}.")


@cli.command("api-key")
def api_key() -> None:
    """Make a key; print it once, and its hash for the configuration."""
    key = secrets.token_urlsafe(32)
    typer.echo(f"API key, shown only now:     {key}")
    typer.echo(f'for the customer in TOML:    api_key_hashes = ["{sha256(key.encode()).hexdigest()}"]')


@cli.command()
def sandbox(
    port: Port = 8001,
    customer: Annotated[str, typer.Option(help="Its customer.")] = "M00000",
    password: Annotated[str, typer.Option(help="The customer's password.")] = "demo",  # noqa: S107
    crm_password: Annotated[str, typer.Option(help="The customer's password for CRM/….")] = "demo-crm",  # noqa: S107
    username: Annotated[str, typer.Option(help="The partner's username.")] = "partner",
) -> None:
    """The Vitec Connect sandbox alone, strict, with faults to order under /_sandbox."""
    from app.vitec.sandbox import Customer, Office, create_sandbox

    office = Office([Customer(customer, password=password, crm_password=crm_password)], username=username)
    typer.echo(f"Vitec Connect sandbox on http://127.0.0.1:{port}: {username}, {customer}. Nothing here is real.")
    _listen(create_sandbox(office), "127.0.0.1", port)


@cli.command()
def check(
    online: Annotated[bool, typer.Option("--online", help="Try each customer's login at Vitec.")] = False,
) -> None:
    """Read the configuration and say what is wrong; exit 0 or 1."""
    settings = _settings()
    typer.echo(f"{configuration_path()}: {len(settings.customers)} customer(s), nothing wrong.")
    if online:
        from app.main import refused_logins

        faults = asyncio.run(refused_logins(settings))
        if faults:
            _stop(*faults)
        typer.echo("Vitec accepts every login.")


@cli.command()
def link(
    customer: Annotated[str, typer.Option(help="The customer's id.")],
    contact: Annotated[str, typer.Option(help="Vitec's id of the contact.")],
    form: Annotated[str, typer.Option(help="contact or loan-promise.")],
    expires: Annotated[str, typer.Option(help="45m, 12h, 30d; at most 90d.")] = "30d",
) -> None:
    """Print a personal link: one contact, one form."""
    settings = _settings()
    from app.personal_link import make_link

    try:
        typer.echo(make_link(settings, customer, contact, form, expires))
    except ValueError as error:
        _stop(str(error))


leads = typer.Typer(no_args_is_help=True, help="Submissions, without the console.")
cli.add_typer(leads, name="leads")
Which = Annotated[str, typer.Argument(help="Its id, or the reference that the visitor has.")]


def _on_leads(work: Callable[..., Awaitable[T]], *arguments: object) -> T:
    from app.leads import NoSuchSubmission, run
    from app.storage.database import StoreUnavailable

    try:
        return run(_settings(), lambda service: work(service, *arguments))
    except (DatabaseUnusable, StoreUnavailable) as error:
        _stop(f"database: {error}")
    except NoSuchSubmission as error:
        _stop(str(error))


OfStatus = Annotated[Status | None, typer.Option("--status", help="Only those with this status.")]
OfCustomer = Annotated[str | None, typer.Option("--customer", help="Only this customer's.")]
OlderThan = Annotated[str | None, typer.Option(help="Only those received longer ago: 45m, 12h, 30d.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@leads.command("list")
def leads_list(
    status: OfStatus = None,
    customer: OfCustomer = None,
    older_than: OlderThan = None,
    stuck: Annotated[bool, typer.Option("--stuck", help="Only what needs a person.")] = False,
    most: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest submissions, a line each, without personal data."""
    from app.leads import line_of, listing, record_of, search

    try:
        wanted = search(status, customer, older_than, stuck)
    except ValueError as error:
        _stop(str(error))
    found = _on_leads(listing, wanted, most)
    if as_json:
        typer.echo(json.dumps([record_of(one) for one in found], ensure_ascii=False, indent=2))
    else:
        for one in found:
            typer.echo(line_of(one))


@leads.command("show")
def leads_show(which: Which, as_json: AsJson = False) -> None:
    """A submission's steps, and Vitec's words."""
    from app.leads import lines_of, record_of, showing

    found = _on_leads(showing, which)
    if as_json:
        typer.echo(json.dumps(record_of(found), ensure_ascii=False, indent=2))
    else:
        for line in lines_of(found):
            typer.echo(line)


@leads.command("retry")
def leads_retry(which: Which) -> None:
    """Fill the configured members anew for the steps not yet done, and make them due now."""
    from app.leads import retrying

    if not _on_leads(retrying, which):
        _stop("nothing to retry: every step is done, it is held (release it), or a worker is at it")
    typer.echo("It is due now.")


@leads.command("release")
def leads_release(which: Which) -> None:
    """Send what was held, or what may have been carried out already (uncertain). A second time changes nothing."""
    from app.leads import releasing

    typer.echo("It is due now." if _on_leads(releasing, which) else "Nothing to do: it is neither held nor uncertain.")


@leads.command("discard")
def leads_discard(which: Which) -> None:
    """Close it for good: nothing more is sent, what is personal is erased. A second time changes nothing."""
    from app.leads import discarding

    done = _on_leads(discarding, which)
    typer.echo("It is closed." if done else "Nothing to do: it is delivered or closed, or a worker is at it.")


if __name__ == "__main__":
    main()
