"""Ids, references and statuses."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, String

from app.domain.ids import REFERENCE_ALPHABET, REFERENCE_LENGTH, first_id_of, ids_of_reference, new_id, reference_of
from app.domain.submission import (
    DONE,
    FINAL,
    PATH_ID,
    STOPPED,
    FunctionGroup,
    Operation,
    Status,
    Step,
    StepStatus,
    Submission,
)
from app.operations.registry import OPERATIONS, group_of
from app.storage.schema import steps, submissions


@pytest.mark.parametrize("text", ["M12345", "a", "x" * 40, "A-1_b.2", "...", ".a", "-", "_"])
def test_an_id_in_a_path_is_1_to_40_letters_digits_and_three_signs(text: str) -> None:
    assert PATH_ID.fullmatch(text)


@pytest.mark.parametrize(
    "text", ["", "x" * 41, ".", "..", "a/b", "a b", "a%2Fb", "å", "a\n", ".\n", "a\x00", "１", "a:b", "a~b", "a,b"]
)
def test_anything_else_in_a_path_is_no_id(text: str) -> None:
    assert not PATH_ID.fullmatch(text)


FIRST_SECOND = 1735689600  # 2025-01-01: before the first submission ever
LAST_SECOND = FIRST_SECOND + 2**30 - 1


def id_of(milliseconds: int, rest: int) -> str:
    """An id with that time in milliseconds since 1970. `rest` are its lower 80 bits, some of which are the version."""
    return str(UUID(int=milliseconds << 80 | rest))


def test_an_id_is_a_uuid_of_version_7_and_contains_its_time() -> None:
    moment = datetime(2026, 11, 29, 12, 0, 0, 123_000, UTC)
    ids = [UUID(new_id(moment)) for _ in range(1000)]
    assert {(id_.version, id_.variant) for id_ in ids} == {(7, RFC_4122)}
    assert {id_.int >> 80 for id_ in ids} == {int(moment.timestamp() * 1000)}
    assert len(set(ids)) == len(ids)


def a_days_work() -> list[str]:
    """5,000 ids, spread randomly over a day."""
    return [id_of(1_780_000_000_000 + n * 17_280, int(UUID(new_id(datetime.now(UTC)))) % 2**80) for n in range(5000)]


ids = st.builds(id_of, st.integers(FIRST_SECOND * 1000, LAST_SECOND * 1000 + 999), st.integers(0, 2**80 - 1))


def test_a_reference_can_be_read_over_a_phone() -> None:
    assert not set("01OI") & set(REFERENCE_ALPHABET)
    references = [reference_of(submission_id) for submission_id in a_days_work()]
    assert {len(reference) for reference in references} == {REFERENCE_LENGTH}
    assert set("".join(references)) <= set(REFERENCE_ALPHABET)
    assert {reference[0] for reference in references} == set(REFERENCE_ALPHABET)  # the random part, all of it


def test_references_do_not_repeat_in_a_days_work() -> None:
    assert max(Counter(map(reference_of, a_days_work())).values()) == 1


def test_submissions_of_the_same_second_seldom_share_a_reference() -> None:
    same_second = [reference_of(new_id(datetime.now(UTC))) for _ in range(50)]
    assert len(set(same_second)) >= 40


@given(ids)
def test_an_id_lies_between_those_of_its_reference(submission_id: str) -> None:
    first, after = ids_of_reference(reference_of(submission_id))
    assert first <= submission_id < after


@given(ids, ids)
def test_a_reference_identifies_the_second_to_search_in(one: str, other: str) -> None:
    first, after = ids_of_reference(reference_of(one))
    assert int(UUID(after)) - int(UUID(first)) == 1000 << 80
    same_second = int(UUID(one)) // (1000 << 80) == int(UUID(other)) // (1000 << 80)
    assert (first <= other < after) is same_second


@given(st.text(REFERENCE_ALPHABET, min_size=REFERENCE_LENGTH, max_size=REFERENCE_LENGTH), st.integers(0, 2**80 - 1))
def test_every_reference_belongs_to_some_ids(reference: str, rest: int) -> None:
    first, after = ids_of_reference(reference)
    random_part = sum(
        REFERENCE_ALPHABET.index(letter) << shift for letter, shift in zip(reference, (5, 0), strict=False)
    )
    submission_id = str(UUID(int=int(UUID(first)) + (rest >> 10 << 10) + random_part))
    assert first <= submission_id < after
    assert reference_of(submission_id) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2345678",
        "234567899",
        "2345678O",
        "2345678l",
        "2345678å",
        "2345 678",
        "01a225cf-7cef-7536-9b64-2e3e544415ce",
    ],
)
def test_an_invalid_reference_is_recognised(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # nobody reads its text
        ids_of_reference(text)


def test_an_id_of_today_has_a_reference() -> None:
    submission_id = new_id(datetime.now(UTC))
    first, after = ids_of_reference(reference_of(submission_id))
    assert first <= submission_id < after


def test_ids_sort_in_the_order_of_their_creation() -> None:
    """Even within a millisecond, and relative to those of the milliseconds before and after."""
    moments = [datetime(2026, 11, 29, 12, tzinfo=UTC) + timedelta(microseconds=n) for n in range(3000)]
    ids = [new_id(moment) for moment in moments]
    assert ids == sorted(set(ids))
    assert all(first_id_of(moment) <= submission_id for moment, submission_id in zip(moments, ids, strict=True))
    assert ids[999] < first_id_of(moments[1000]) <= ids[1000]
    assert all(PATH_ID.fullmatch(submission_id) for submission_id in ids)


def test_the_public_statuses_are_the_documented_ones() -> None:
    documented = {"pending", "delivered", "rejected", "failed", "uncertain", "held", "unreadable"}
    assert {status.value for status in Status} == documented


def test_a_final_step_has_an_outcome_that_its_submission_can_take() -> None:
    assert set(StepStatus) - {StepStatus.WAITING, StepStatus.SENDING, StepStatus.UNREADABLE} == FINAL
    passed_over = {StepStatus.SKIPPED}  # only ever a step after the submission's own
    assert {Status(step.value) for step in FINAL - passed_over} == set(Status) - {
        Status.PENDING,
        Status.HELD,
        Status.UNREADABLE,
    }


def test_a_step_that_has_ended_is_either_done_or_stops_what_comes_after() -> None:
    assert DONE | STOPPED == FINAL
    assert not DONE & STOPPED


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (submissions.c.status, Status),
        (submissions.c.operation, Operation),
        (steps.c.status, StepStatus),
        (steps.c.operation, Operation),
        (submissions.c.function_group, FunctionGroup),
    ],
    ids=str,
)
def test_every_status_and_operation_fits_its_column(column: Column[str], values: type[StrEnum]) -> None:
    assert isinstance(column.type, String)
    assert column.type.length is not None
    assert max(map(len, values)) <= column.type.length


def submission(operation: Operation, *steps_of: Operation) -> Submission:
    its_steps = tuple(Step(n, step, (), StepStatus.WAITING, 0) for n, step in enumerate(steps_of))
    return Submission(
        new_id(datetime.now(UTC)), "M1", operation, (), Status.PENDING, "sv", datetime.now(UTC), None, its_steps
    )


@pytest.mark.parametrize(
    ("operation", "steps_of", "position"),
    [
        (Operation.INTEREST, (Operation.INTEREST,), 0),
        (Operation.VIEWING, (Operation.VIEWING, Operation.CONTACT, Operation.LEAD), 0),
        (Operation.LEAD, (Operation.CONTACT, Operation.LEAD), 1),
    ],
)
def test_the_main_step_is_the_submissions_own_operation(
    operation: Operation, steps_of: tuple[Operation, ...], position: int
) -> None:
    assert submission(operation, *steps_of).main.position == position


def test_a_submission_is_read_out_by_the_reference_of_its_id() -> None:
    kept = submission(Operation.INTEREST, Operation.INTEREST)
    assert kept.reference == reference_of(kept.id)
    assert replace(kept, language="en").reference == kept.reference


def test_operations_below_crm_use_the_crm_password_and_all_others_that_of_advertising() -> None:
    assert OPERATIONS.keys() == set(Operation)
    for operation in (Operation.LEAD, Operation.CONTACT, Operation.LOAN_PROMISE):
        assert group_of(operation) is FunctionGroup.CRM
    for operation in (Operation.INTEREST, Operation.VIEWING, Operation.VALUATION, Operation.CANCELLATION):
        assert group_of(operation) is FunctionGroup.ADVERTISING
