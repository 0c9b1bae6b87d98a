"""Migrations on either kind of database."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, bindparam, inspect, text

from app.bootstrap.services import prepare_database
from app.storage.column_types import UtcDateTime
from app.storage.database import Database, DatabaseUnusableError
from app.storage.migrations import HERE, current, is_current, newest, upgrade
from app.storage.schema import metadata


@pytest.fixture
def template() -> str:
    return "template1"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database, without tables."""
    with closing(Database(database_url)) as database:
        yield database


def set_revision(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_a_migrated_database_is_what_the_code_works_with(database: Database) -> None:
    upgrade(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def _shape(engine: Engine) -> dict[str, object]:
    """What `compare_metadata` does not compare: keys, conditions of indexes, foreign keys."""
    inspector = inspect(engine)
    return {
        table: {
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": [
                (key["constrained_columns"], key["referred_table"], key["options"].get("ondelete"))
                for key in inspector.get_foreign_keys(table)
            ],
            "unique": sorted(tuple(key["column_names"]) for key in inspector.get_unique_constraints(table)),
            "indexes": {
                index["name"]: (
                    index["column_names"],
                    {name: str(option) for name, option in index.get("dialect_options", {}).items()},
                )
                for index in inspector.get_indexes(table)
            },
            "nullable": {column["name"]: column["nullable"] for column in inspector.get_columns(table)},
        }
        for table in metadata.tables
    }


def test_a_migrated_database_has_the_keys_and_conditions_of_the_schema(database: Database) -> None:
    upgrade(database)
    migrated = _shape(database.engine)
    with database.engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == _shape(database.engine)
    derived = {"alarms", "notices", "daily_counts", "home_campaigns", "delivery_times", "tallied"}
    kept = {"submissions", "cancellations", "person_index", "steps", "attempts", "moves", "logins", "console_sessions"}
    known = {"arrivals", "clock", "leases"}
    assert set(migrated) == kept | derived | known


def test_bringing_up_to_date_says_whether_anything_was_missing(database: Database) -> None:
    with database.engine.connect() as connection:
        assert (current(connection), is_current(connection)) == (None, False)
    assert [upgrade(database), upgrade(database)] == [True, False]
    with database.engine.connect() as connection:
        assert (current(connection), is_current(connection)) == (newest(), True)


@pytest.mark.parametrize("revision", sorted(path.name[:4] for path in (HERE / "versions").glob("[0-9]*.py")))
def test_every_revision_is_brought_forward(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    assert upgrade(database) == (revision != newest())
    with database.engine.connect() as connection:
        assert is_current(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_two_migrations_at_once_wait_for_each_other(database: Database, database_url: str) -> None:
    program = "import sys; from app.storage import database, migrations as m; m.upgrade(database.Database(sys.argv[1]))"
    running = [subprocess.Popen([sys.executable, "-c", program, database_url]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with database.engine.connect() as connection:
        assert current(connection) == newest()


def test_a_second_time_loses_nothing(database: Database) -> None:
    upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO submissions (id, customer_id, operation, resource, status, language, received_at,"
                " delivery_since, function_group, payload) VALUES ('S1', 'M1', 'interest', 'OBJ1', 'pending', 'sv',"
                " :at, :at, 'advertising', 'x')"
            ).bindparams(bindparam("at", datetime(2026, 6, 1, 12, tzinfo=UTC), UtcDateTime))
        )
    upgrade(database)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM submissions")).scalars().all() == ["S1"]


def test_a_database_newer_than_the_code_is_left_alone(database: Database) -> None:
    upgrade(database)
    set_revision(database, "9999")
    with pytest.raises(DatabaseUnusableError, match=rf"at revision 9999, newer than this version's {newest()}$"):
        upgrade(database)
    with database.engine.connect() as connection:
        assert current(connection) == "9999"


def test_a_sqlite_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path}/theirs.db")) as database:
        with database.engine.begin() as connection:
            connection.execute(text("CREATE TABLE theirs (id INTEGER)"))
        with pytest.raises(DatabaseUnusableError, match=r"theirs.db is the database of another program$"):
            upgrade(database)
        assert inspect(database.engine).get_table_names() == ["theirs"]


def test_a_replica_of_the_previous_version_is_ready_with_a_newer_schema(database: Database) -> None:
    upgrade(database)
    set_revision(database, "9999")
    with database.engine.connect() as connection:
        assert is_current(connection)
    set_revision(database, "0000")
    with database.engine.connect() as connection:
        assert not is_current(connection)


def test_the_newest_revision_is_alembics_head() -> None:
    assert ScriptDirectory(str(HERE)).get_current_head() == newest()


def test_sqlite_is_brought_up_to_date_at_the_start_and_postgresql_by_a_command(database: Database) -> None:
    if database.is_sqlite:
        prepare_database(database)
    else:
        with pytest.raises(DatabaseUnusableError, match="run `intresse migrate` first"):
            prepare_database(database)
        upgrade(database)
        prepare_database(database)
    with database.engine.connect() as connection:
        assert is_current(connection)


def test_a_database_newer_than_the_code_stops_the_start(database: Database) -> None:
    upgrade(database)
    set_revision(database, "9999")
    with pytest.raises(DatabaseUnusableError):
        prepare_database(database)
    with database.engine.connect() as connection:
        assert current(connection) == "9999"


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////proc/none/intresse.db"])
def test_a_database_that_cannot_be_reached_or_opened_is_reported_in_one_line(url: str) -> None:
    with pytest.raises(DatabaseUnusableError) as error:
        upgrade(Database(url))
    assert str(error.value)
    assert "\n" not in str(error.value)
