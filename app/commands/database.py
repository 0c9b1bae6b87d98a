"""What is done to a database as a whole."""

import typer

from app.commands.refusals import configured, using_database

commands = typer.Typer()


@commands.command()
def migrate() -> None:
    """Bring the database up to date."""
    from app.storage.database import Database
    from app.storage.migrations import newest, upgrade

    with using_database():
        changed = upgrade(Database(configured().database_url.get_secret_value()))
    typer.echo(f"The database is {'now' if changed else 'already'} at revision {newest()}.")
