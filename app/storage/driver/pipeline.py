"""A transaction's statements and its commit in one round trip, by psycopg's pipeline mode.

For batches of posts: with smaller batches, it is 14 % more posts on PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from sqlalchemy import Connection

from app.storage.driver.compiled import translated_errors


def has_pipeline(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


@contextmanager
def pipeline(connection: Connection) -> Iterator[None]:
    """Sends statements without waiting for their answers; waits for all of them at the end. An error is raised by
    whichever statement is sent when it arrives, or at the end, and the statements after the failed one are not carried
    out. Raises `DBAPIError`."""
    driver = connection.connection.driver_connection
    assert driver is not None, "the connection is open"
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
