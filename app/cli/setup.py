"""Commands for setup: check the configuration, create keys and personal links."""

import asyncio
import secrets
from hashlib import sha256
from typing import Annotated

import typer

from app.cli.output import stop
from app.cli.service import configured
from app.config.loader import SECRETS, configuration_path, warnings

commands = typer.Typer()


@commands.command()
def check(
    online: Annotated[bool, typer.Option("--online", help="Try each customer's login at Vitec.")] = False,
) -> None:
    """Validate the configuration; exit 0 or 1."""
    settings = configured(SECRETS)
    for line in warnings(configuration_path(), settings):
        typer.echo(f"Warning: {line}", err=True)
    typer.echo(f"{configuration_path()}: {len(settings.customers)} customer(s), no errors.")
    if online:
        from app.bootstrap.services import refused_logins

        faults = asyncio.run(refused_logins(settings))
        if faults:
            stop(*faults)
        typer.echo("Vitec accepts every login.")


@commands.command("api-key")
def api_key() -> None:
    """Create an API key. It is printed once, with its hash for the configuration."""
    key = secrets.token_urlsafe(32)
    typer.echo(f"API key, shown only now:     {key}")
    typer.echo(f'for the customer in TOML:    api_key_hashes = ["{sha256(key.encode()).hexdigest()}"]')


@commands.command()
def link(
    customer: Annotated[str, typer.Option(help="The customer's id.")],
    contact: Annotated[str, typer.Option(help="The contact's id in Vitec.")],
    form: Annotated[str, typer.Option(help="contact or loan-promise.")],
    expires: Annotated[str, typer.Option(help="45m, 12h, 30d; at most 90d.")] = "30d",
) -> None:
    """Create a personal link: one contact, one form."""
    settings = configured()
    from app.bootstrap.personal_link import make_link

    try:
        typer.echo(make_link(settings, customer, contact, form, expires))
    except ValueError as error:
        stop(str(error))
