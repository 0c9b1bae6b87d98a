"""Up-to-date databases, made by copying: the migrations take 50 ms, a copy hardly any time."""

from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.applications import Starlette

from app.bootstrap.web_app import create_app
from app.config.settings import Settings
from app.storage.database import Database
from app.storage.migrations import upgrade


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "intresse.db"
        with closing(Database(f"sqlite:///{file}")) as database:
            upgrade(database)
        return file.read_bytes()


def put_migrated(url: str) -> None:
    """If the URL is that of a SQLite file that does not exist yet, creates it, empty and up to date."""
    kind, _, path = url.partition(":///")
    if kind == "sqlite" and not Path(path).exists():
        Path(path).write_bytes(_migrated())


def migrated_app(settings: Settings, *, deliver: bool = True, demo: bool = False) -> Starlette:
    """The service on an up-to-date database."""
    put_migrated(settings.database_url.get_secret_value())
    return create_app(settings, deliver=deliver, demo=demo)
