"""The log contains no personal data: only known keys are written, and never an exception's message."""

import ast
import io
import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

import app
from app import logs

Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written() -> Iterator[Written]:
    """What has been logged since the test began, as it stands in the stream."""
    before = structlog.get_config()
    stream = io.StringIO()
    logs.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.configure(**before)


def without_time(event: dict[str, Any]) -> dict[str, Any]:
    assert event.pop("timestamp").endswith("Z")
    return event


def test_an_event_is_one_line_of_json(written: Written) -> None:
    log = structlog.get_logger()
    log.info("accepted", submission="S1", customer="M12345", repeated=False)
    log.error("login refused", customer="Mäklarhuset\nM12345")
    assert [without_time(event) for event in written()] == [
        {"event": "accepted", "level": "info", "submission": "S1", "customer": "M12345", "repeated": False},
        {"event": "login refused", "level": "error", "customer": "Mäklarhuset\nM12345"},
    ]


@pytest.mark.parametrize("key", ["email", "name", "body", "value", "first_name", "message", "error", "address"])
def test_a_key_that_is_not_known_is_never_written(written: Written, key: str) -> None:
    structlog.get_logger().info("accepted", submission="S1", **{key: "anna@example.se"})
    (event,) = written()
    assert without_time(event) == {"event": "accepted", "level": "info", "submission": "S1"}


def test_whatever_our_own_code_logs_is_a_known_key() -> None:
    """Otherwise it would be lost without a word."""
    unknown = []
    for module in Path(app.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Call) and re.match(r"\(?log\.", ast.unparse(node.func)):
                keys = {keyword.arg for keyword in node.keywords} - logs.KEYS - {"exc_info"}  # None: `**`, not readable
                unknown += [(module.name, node.lineno, key) for key in keys]
    assert unknown == []


def test_bound_values_follow_the_same_rule(written: Written) -> None:
    structlog.get_logger().bind(email="anna@example.se", customer="M12345").info("accepted")
    (event,) = written()
    assert without_time(event) == {"event": "accepted", "level": "info", "customer": "M12345"}


def test_absent_values_are_not_written(written: Written) -> None:
    structlog.get_logger().info("attempt", http_status=None, step=0)
    assert without_time(written()[0]) == {"event": "attempt", "level": "info", "step": 0}


def test_debug_events_are_not_written(written: Written) -> None:
    structlog.get_logger().debug("accepted", submission="S1")
    assert written() == []


def test_while_the_database_is_away_one_line_a_minute_says_so_and_each_visitor_has_their_own(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = structlog.get_logger()
    for seconds in (0, 1, 59, 61):
        monkeypatch.setattr(time, "monotonic", lambda seconds=seconds: float(seconds))
        log.error("store unavailable", detail="OperationalError")
        log.error("store unavailable", detail="SQLITE_FULL")
        log.error("store unavailable", detail="OperationalError", customer="M12345")
    told = [(event["detail"], event.get("customer")) for event in written()]
    assert Counter(told) == {("OperationalError", None): 2, ("SQLITE_FULL", None): 2, ("OperationalError", "M12345"): 4}


class TypedByAVisitor(Exception):
    pass


def fail() -> None:
    try:
        int("anna@example.se")
    except ValueError as error:
        raise TypedByAVisitor("anna@example.se") from error


def test_an_exception_is_written_as_types_and_places_and_never_with_its_message(written: Written) -> None:
    try:
        fail()
    except TypedByAVisitor:
        structlog.get_logger().exception("fault", path_template="/x")
    (event,) = written()
    assert "anna" not in json.dumps(event)
    outer, inner = event["exception"]
    assert outer.startswith("TypedByAVisitor at test_logs.py:")
    assert inner.startswith("ValueError at test_logs.py:")
    assert event["path_template"] == "/x"


def test_an_exception_may_be_handed_over(written: Written) -> None:
    structlog.get_logger().error("fault", exc_info=TypedByAVisitor("anna@example.se"))
    (event,) = written()
    assert event["exception"] == ["TypedByAVisitor at "]


def test_a_librarys_message_is_written_as_a_template_or_as_its_place(written: Written) -> None:
    """asyncio formats its messages itself: they quote an exception, or the arguments of a callback."""
    library = logging.getLogger("library")
    library.warning("%s is odd", "anna@example.se")
    library.warning(f"{'anna@example.se'} is odd")
    template, formatted = [event["detail"] for event in written()]
    assert template == "library: %s is odd"
    assert re.fullmatch(r"library at test_logs\.py:\d+", formatted)


def test_an_exception_that_hides_its_context_is_written_alone(written: Written) -> None:
    try:
        try:
            fail()
        except TypedByAVisitor:
            raise RuntimeError("anna@example.se") from None
    except RuntimeError:
        structlog.get_logger().exception("fault")
    assert [line.partition(" ")[0] for line in written()[0]["exception"]] == ["RuntimeError"]


def test_a_reader_that_hangs_costs_whole_lines_and_does_not_hold_up_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = structlog.get_config()
    read, write = os.pipe()
    with os.fdopen(read) as reader, os.fdopen(write, "w") as writer:
        monkeypatch.setattr("sys.stdout", writer)
        logs.configure()
        for number in range(3000):  # several times what a pipe holds
            structlog.get_logger().info("accepted", count=number)
        structlog.configure(**before)
        writer.close()
        numbers = [json.loads(line)["count"] for line in reader]
    assert 0 < len(numbers) < 3000
    assert numbers == list(range(len(numbers)))


def test_a_process_that_began_without_standard_output_works_on(monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    monkeypatch.setattr("sys.stdout", None)
    logs.configure()
    structlog.get_logger().info("accepted", submission="S1")
    structlog.configure(**before)
