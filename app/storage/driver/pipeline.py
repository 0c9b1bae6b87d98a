"""A whole transaction in one round trip, by psycopg's pipeline mode.

For batches of posts: with smaller batches, it is 14 % more posts on PostgreSQL, and 7 % more with BEGIN in it, too.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from sqlalchemy import Connection

from app.storage.driver.compiled import translated_errors


def has_pipeline(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def is_in_pipeline(connection: Connection) -> bool:
    driver: Any = connection.connection.driver_connection
    return bool(driver.pgconn.pipeline_status)


def is_closed(connection: Connection) -> bool:
    """Whether the server has closed the connection while it was idle, as far as this machine knows."""
    driver: Any = connection.connection.driver_connection
    try:
        for _ in range(2):  # the server's last words, and then the end
            driver.pgconn.consume_input()
    except connection.dialect.loaded_dbapi.Error:
        return True
    return False


@contextmanager
def pipeline(connection: Connection) -> Iterator[None]:
    """Sends statements without waiting for their answers; waits for all of them at the end. An error is raised by
    whichever statement is sent when it arrives, or at the end, and the statements after the failed one are not carried
    out. Raises `DBAPIError`."""
    driver: Any = connection.connection.driver_connection
    open_pipeline = ExitStack()
    with translated_errors(connection, driver, "(pipeline)"):
        open_pipeline.enter_context(driver.pipeline())
        try:
            yield
        except BaseException:
            with suppress(connection.dialect.loaded_dbapi.Error):  # only a consequence of the first error
                open_pipeline.close()
            raise
        open_pipeline.close()
