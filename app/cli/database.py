"""Commands for the whole database: migrate, backup, move and others."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.cli.output import stop
from app.cli.service import configured, run_configured, using_database
from app.config.loader import REQUIRED
from app.storage.database import Database, require_existing, usable

if TYPE_CHECKING:
    from app.bootstrap.services import Service

commands = typer.Typer()


def _configured_url() -> str:
    """The database's address. Of all secrets only this one is needed."""
    return configured(REQUIRED).database_url.get_secret_value()


def _existing_database() -> Database:
    """Raises `DatabaseUnusableError`."""
    url = _configured_url()
    require_existing(url)
    return Database(url)


@commands.command()
def migrate() -> None:
    """Bring the database up to date."""
    from app.storage.migrations import newest, upgrade

    with using_database():
        changed = upgrade(Database(_configured_url()))
    typer.echo(f"The database is {'now' if changed else 'already'} at revision {newest()}.")


@commands.command()
def move(
    to: Annotated[str, typer.Option(help="postgresql://user:pass@host/db, or a file that contains it.")],
    give_up: Annotated[bool, typer.Option("--give-up", help="Undo a move that has not finished.")] = False,
) -> None:
    """Move everything from SQLite to PostgreSQL. If it is interrupted, run it again."""
    from app.maintenance.move import MoveError, move
    from app.maintenance.move import give_up as stay

    try:
        with using_database():
            source = _existing_database()
            if give_up:
                stay(source)
                typer.echo("The move has been undone: this database can be served again.")
                return
            moved = move(source, Database(_target_url(to)))
    except MoveError as error:
        stop(str(error))
    for table, contents in moved.items():
        typer.echo(f"{table:<16} {contents.rows:>9} row(s), the same in both: {contents.digest[:16]}")
    typer.echo("Set database_url to the new database. The old one can no longer be served.")


def _target_url(to: str) -> str:
    """`to`, or the content of the file that it names. All users of a machine can see a password on the command line."""
    try:
        url = to if to.startswith("postgresql://") else Path(to).read_text("utf-8").strip()
        make_url(url)
    except OSError as error:
        stop(f"--to: neither postgresql://… nor a file: {error.strerror}")
    except (ValueError, ArgumentError):
        stop("--to: is not an address such as postgresql://user:pass@host/db")
    return url


@commands.command()
def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]) -> None:
    """Copy the SQLite database to a file. Safe while the service runs. (For PostgreSQL: pg_dump.)"""
    from app.maintenance.backup import BackupError, back_up

    try:
        with using_database():
            back_up(_existing_database(), file)
    except BackupError as error:
        stop(str(error))
    typer.echo(f"{file}: {file.stat().st_size:,} bytes")


@commands.command()
def restored() -> None:
    """Run once after a restore. Parks undelivered submissions for review, and replays erasures."""
    from app.bootstrap.services import prepare_database
    from app.maintenance.restore import park_undelivered

    with using_database():
        database = _existing_database()
        prepare_database(database)
        with usable(), database.engine.begin() as connection:
            parked = park_undelivered(connection)
    erased = _replay_erasures()
    if erased:
        typer.echo(f"{len(erased)} submission(s) erased again, of people who had been erased.")
    uncertain = len(set(parked).difference(erased))
    typer.echo(
        f"{uncertain} submission(s) may have been delivered since the backup, and are now uncertain. List them with"
    )
    typer.echo("`intresse leads list --status uncertain`; send one again with `intresse leads retry`.")


def _replay_erasures() -> Sequence[str]:
    from app.privacy.erasure_log import ErasureLogError

    async def replay(service: "Service") -> Sequence[str]:
        if missing := service.privacy_requests.missing_log:
            typer.echo(
                f"There is no erasure log at {missing}: if it is elsewhere, name it in retention.erasure_log, and run "
                "this again.",
                err=True,
            )
        return await service.privacy_requests.replay_erasures()

    try:
        return run_configured(replay)
    except ErasureLogError as error:
        stop(f"erasures not replayed: {error}")


@commands.command("rotate-keys")
def rotate_keys() -> None:
    """Re-encrypt stored data with the first key. Safe while the service runs."""
    from app.maintenance.key_rotation import rotate

    done = run_configured(lambda service: rotate(service.database, service.keyring))
    typer.echo(f"Re-encrypted: {done.values} value(s).")
    if done.unreadable:
        stop(
            f"{done.unreadable} value(s) can't be decrypted with encryption_keys: "
            "keep them all, and find the missing one."
        )
    typer.echo("The database now needs only the first key. Personal links need the key that they were made with.")
