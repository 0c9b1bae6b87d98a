"""Web forms for estate brokers, delivered to Vitec Connect."""

import sys
from io import TextIOWrapper
from typing import Annotated

import structlog
import typer

from app import __version__, logs
from app.cli import database, lead_actions, leads, privacy, serve, setup
from app.config.loader import DEFAULT_PATH

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # an error is one line, also in a container's log
    help=__doc__,
    epilog=f"The configuration is {DEFAULT_PATH}, or the file that INTRESSE_CONFIG names.",
)
for group in (serve, database, setup):
    cli.add_typer(group.commands)
for group in (lead_actions, privacy):
    leads.commands.add_typer(group.commands)
cli.add_typer(leads.commands, name="leads")


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # not if it was closed before the start
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # any name can be printed, in any locale
    if any(map(_is_undecodable, sys.argv[1:])):
        sys.exit("intresse: the arguments must be in UTF-8")
    try:
        cli()
    except OSError as error:  # as when the disk under standard output is full
        sys.exit(f"intresse: {error}")


def _is_undecodable(argument: str) -> bool:
    """Whether it has bytes that Python could not decode. No id, name or address has such, and no database takes it."""
    return any("\udc80" <= character <= "\udcff" for character in argument)


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"intresse {__version__}")
        raise typer.Exit


@cli.callback()
def intresse(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Lead capture for Swedish estate brokers: forms in, Vitec Connect out, nothing lost between."""
    if not structlog.is_configured():
        logs.configure(sys.stderr)  # standard output is for what was asked for; `serve` and `deliver` log there


if __name__ == "__main__":
    main()
