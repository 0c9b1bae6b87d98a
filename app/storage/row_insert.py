"""Rows of one table in one statement, in the driver's own form.

SQLAlchemy says the statement and what each value becomes for the driver; done anew for each row, that would cost more
than storing it. One statement for all rows, because the driver gives up Python's lock at each, and gets it back late.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, count
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

from app.storage.prepared import run_as_written

MOST_ROWS = 32  # in one statement: the driver keeps each size of statement prepared


class RowInsert:
    """Inserts rows that all name the same columns."""

    def __init__(self, table: Table, columns: Sequence[str], dialect: Dialect) -> None:
        """`dialect` must be one with positional parameters."""
        statement = insert(table).compile(dialect=dialect, column_keys=list(columns))
        order = statement.positiontup
        assert order is not None, "positional parameters are needed"
        self._values = itemgetter(*order)
        self._into, _, self._row = statement.string.partition(" VALUES ")
        self._statement = lru_cache(maxsize=MOST_ROWS)(self._make_statement)

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Values as the driver takes them. Raises `DBAPIError`."""
        for start in range(0, len(rows), MOST_ROWS):
            some = rows[start : start + MOST_ROWS]
            run_as_written(connection, self._statement(len(some)), tuple(chain.from_iterable(map(self._values, some))))

    def _make_statement(self, rows: int) -> str:
        number = count(1)
        values = re.sub("%s", lambda _: f"${next(number)}", ", ".join([self._row] * rows))
        return f"{self._into} VALUES {values}"
