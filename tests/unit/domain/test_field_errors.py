"""From pydantic's errors to field errors: dotted fields, stable codes, one for each field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.field_errors import FieldError, field_errors_of
from app.domain.fields import ReadContext
from app.operations.interest import Interest
from app.operations.members import VitecModel
from app.operations.viewing import ViewingBooking

PERSON = {"firstName": "Anna", "lastName": "Å"}
IN_JSON = ReadContext(form=False, now=datetime(2026, 6, 1, tzinfo=UTC))


def faults(model: type[VitecModel], members: Any) -> list[FieldError]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(members, context=IN_JSON)
    return field_errors_of(refused.value)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"lastName": "Å"}, [FieldError("firstName", "required")]),
        ({"firstName": " ", "lastName": "Å"}, [FieldError("firstName", "required")]),
        ({"firstName": 1, "lastName": "Å"}, [FieldError("firstName", "wrong_type")]),
        ({"firstName": "x" * 31, "lastName": "Å"}, [FieldError("firstName", "too_long", {"max": 30})]),
        (PERSON | {"colour": "red"}, [FieldError("colour", "unknown")]),
        (PERSON | {"telephone": {"fax": "1"}}, [FieldError("telephone.fax", "unknown")]),
        (PERSON | {"telephone": "1"}, [FieldError("telephone", "wrong_type", {"class_name": "Telephone"})]),
        (PERSON | {"email": {"emailAddress": "anna"}}, [FieldError("email.emailAddress", "invalid_email")]),
        (
            PERSON | {"presentAccommodation": {"coordinate": {"latitud": 91}}},
            [FieldError("presentAccommodation.coordinate.latitud", "too_large", {"le": 90.0})],
        ),
        (
            PERSON | {"presentAccommodation": {"price": -1}},
            [FieldError("presentAccommodation.price", "too_small", {"ge": 0.0})],
        ),
        (
            PERSON | {"marketing": {"utmTags": [], "campaign": "x"}},
            [FieldError("marketing.campaign", "unknown")],
        ),
        ({}, [FieldError("firstName", "required"), FieldError("lastName", "required")]),
    ],
)
def test_an_error_names_its_field_as_in_the_body_and_has_a_code(members: Any, expected: list[FieldError]) -> None:
    assert faults(Interest, members) == expected


def test_all_errors_are_reported_at_once_in_the_models_order() -> None:
    members = {"status": "Sold", "lastName": 1, "telephone": {"cell": "x", "home": "y"}, "firstName": ""}
    assert [fault.field for fault in faults(Interest, members)] == [
        "firstName",
        "lastName",
        "telephone.home",
        "telephone.cell",
        "status",
    ]


def test_too_many_items_are_reported_with_the_maximum() -> None:
    person = PERSON | {"categoryIds": ["1"] * 101}
    (fault,) = faults(ViewingBooking, {"updatePerson": person})
    assert (fault.field, fault.code, fault.params["max_length"]) == ("updatePerson.categoryIds", "too_many", 100)


def test_a_body_that_is_no_object_is_of_the_wrong_type() -> None:
    assert [(fault.field, fault.code) for fault in faults(Interest, ["x"])] == [("", "wrong_type")]


def test_a_field_has_at_most_one_error() -> None:
    errors = faults(ViewingBooking, {"updatePerson": PERSON | {"gdprApprovalDate": "x", "leadScore": 2**40}})
    assert [(fault.field, fault.code) for fault in errors] == [
        ("updatePerson.gdprApprovalDate", "invalid_datetime"),
        ("updatePerson.leadScore", "too_large"),
    ]
