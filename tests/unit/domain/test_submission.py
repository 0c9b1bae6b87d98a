"""Ids, references and statuses."""

from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from sqlalchemy import Column, String

from app.domain.submission import (
    FINAL,
    PATH_ID,
    REFERENCE_ALPHABET,
    REFERENCE_LENGTH,
    NewStep,
    Operation,
    Status,
    Step,
    StepStatus,
    Submission,
    new_id,
    new_reference,
)
from app.storage.schema import steps, submissions


@pytest.mark.parametrize("text", ["M12345", "a", "x" * 40, "A-1_b.2", "...", ".a", "-", "_"])
def test_an_id_in_a_path_is_1_to_40_letters_digits_and_three_signs(text: str) -> None:
    assert PATH_ID.fullmatch(text)


@pytest.mark.parametrize(
    "text", ["", "x" * 41, ".", "..", "a/b", "a b", "a%2Fb", "å", "a\n", ".\n", "a\x00", "１", "a:b", "a~b", "a,b"]
)
def test_anything_else_in_a_path_is_no_id(text: str) -> None:
    assert not PATH_ID.fullmatch(text)


def test_a_reference_can_be_read_over_a_phone() -> None:
    assert not set("01OI") & set(REFERENCE_ALPHABET)
    references = [new_reference() for _ in range(1000)]
    assert {len(reference) for reference in references} == {REFERENCE_LENGTH}
    assert set("".join(references)) == set(REFERENCE_ALPHABET)  # all of it, and nothing else


def test_references_do_not_repeat_in_a_days_work() -> None:
    assert max(Counter(new_reference() for _ in range(5000)).values()) == 1


def test_ids_stand_in_the_order_of_their_making() -> None:
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(set(ids))
    assert all(PATH_ID.fullmatch(identity) for identity in ids)


def test_the_public_statuses_are_the_documented_ones() -> None:
    assert {status.value for status in Status} == {"pending", "delivered", "rejected", "failed", "uncertain", "held"}


def test_a_final_step_has_an_outcome_that_its_submission_can_take() -> None:
    assert set(StepStatus) - {StepStatus.WAITING, StepStatus.SENDING} == FINAL
    assert {Status(step.value) for step in FINAL} == set(Status) - {Status.PENDING, Status.HELD}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (submissions.c.status, Status),
        (submissions.c.operation, Operation),
        (steps.c.status, StepStatus),
        (steps.c.operation, Operation),
    ],
    ids=str,
)
def test_every_status_and_operation_fits_its_column(column: Column[str], values: type[StrEnum]) -> None:
    assert isinstance(column.type, String)
    assert column.type.length is not None
    assert max(map(len, values)) <= column.type.length


def test_the_first_step_is_the_submissions_own() -> None:
    both = tuple(Step(position, Operation.VIEWING, ("V", "S"), StepStatus.WAITING, 0) for position in range(2))
    submission = Submission(
        "id", "REF", "M1", Operation.VIEWING, ("V", "S"), Status.PENDING, "sv", datetime.now(UTC), None, both
    )
    assert submission.first is both[0]


def test_a_step_to_come_cannot_be_changed() -> None:
    step = NewStep(Operation.INTEREST, ("OBJ1",), {})
    with pytest.raises(AttributeError):
        step.resource = ()  # type: ignore[misc]
