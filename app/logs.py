"""Structured logs, one JSON object a line, without personal data by construction.

Only the keys in `KEYS` are written: a value under any other key, which might come from a form, never reaches the log.
Of an exception, the types and code locations are written, never the messages, because these quote what was typed.
"""

import contextlib
import io
import logging
import os
import stat
import sys
import time
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

KEYS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "exception",
        # our own ids, names from the configuration, numbers and fixed words
        "submission",
        "submissions",
        "count",
        "customer",
        "operation",
        "function_group",
        "step",
        "status",
        "outcome",
        "http_status",
        "detail",
        "repeated",
        "path_template",
        "alarm",
        "receiver",
        "url",
        "version",
        "revision",
        "task",
        "line",
        # times
        "since",
        "to",
        "now",
        "newest",
    }
)


OUTAGE = "store unavailable"
OUTAGE_SECONDS = 60.0  # between two lines that say the same


def configure(stream: Any = None) -> None:
    """Writes our own logs and the libraries' to `stream` (default: standard output)."""
    logging.basicConfig(handlers=[_Library()], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_locations,
            _known_keys,
            _Outages(),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.WriteLoggerFactory(_Unfailing(stream or _standard_output())),  # type: ignore[arg-type]  # the two it calls
        cache_logger_on_first_use=True,
    )


def _standard_output() -> Any:
    """Standard output. If it is a pipe whose reader hangs, lines are lost instead of holding up the service. They go to
    the pipe one by one, past Python's buffer, so that none is lost in part."""
    try:
        file = sys.stdout.fileno()
        mode = os.fstat(file).st_mode
    except (OSError, ValueError, AttributeError):  # closed, or a test's
        return sys.stdout
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return sys.stdout
    os.set_blocking(file, False)
    return io.TextIOWrapper(io.FileIO(file, "w", closefd=False), "utf-8", write_through=True)


class _Unfailing:
    """Ignores errors: a full disk may cost log lines, but not the work that they report."""

    # A stream that is full, closed, or None: standard output was closed before the start.
    _LOST = contextlib.suppress(OSError, ValueError, AttributeError)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with self._LOST:
            self._stream.write(text)

    def flush(self) -> None:
        with self._LOST:
            self._stream.flush()


class _Library(logging.Handler):
    """Logs a library's message without its arguments, and the code locations of an exception. A message without
    arguments may have been formatted already, as asyncio's are, which quote exceptions and what a callback was given:
    its place in the code is logged instead."""

    def emit(self, record: logging.LogRecord) -> None:
        what = f": {record.msg}" if record.args else f" at {record.filename}:{record.lineno}"
        log = structlog.get_logger()
        log.log(record.levelno, "library", detail=f"{record.name}{what}"[:200], exc_info=record.exc_info)


def _known_keys(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value for key, value in event.items() if key in KEYS and value is not None}


class _Outages:
    """Passes one line a minute of those that only say that the database is still away: the background loops, which try
    again every second, would write thousands an hour. What a visitor met is always written."""

    def __init__(self) -> None:
        self._written_at: dict[tuple[Any, ...], float] = {}  # few: our own tasks, and names of errors

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["event"] == OUTAGE and not event.keys() & {"customer", "submission"}:
            same = event["level"], event.get("task"), event.get("detail")
            if time.monotonic() - self._written_at.get(same, -OUTAGE_SECONDS) < OUTAGE_SECONDS:
                raise structlog.DropEvent
            self._written_at[same] = time.monotonic()
        return event


def _exception_locations(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info if isinstance(info, BaseException) else None
    if info is True:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = _chain(error)
    return event


def _chain(error: BaseException) -> list[str]:
    """Each exception of the chain: its class, and the lines that it passed through, innermost first."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None and len(lines) < 5:
        frames = traceback.extract_tb(current.__traceback__)[-8:]
        locations = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
        lines.append(f"{type(current).__name__} at {locations}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines
