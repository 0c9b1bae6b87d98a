"""From pydantic's findings to faults: dotted fields, stable codes, one for each field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.applications import Interest, ViewingBooking, VitecModel
from app.domain.field_errors import Fault, faults_of
from app.domain.fields import Reading

PERSON = {"firstName": "Anna", "lastName": "Å"}
IN_JSON = Reading(form=False, now=datetime(2026, 6, 1, tzinfo=UTC))


def faults(model: type[VitecModel], members: Any) -> list[Fault]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(members, context=IN_JSON)
    return faults_of(refused.value)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"lastName": "Å"}, [Fault("firstName", "required")]),
        ({"firstName": " ", "lastName": "Å"}, [Fault("firstName", "required")]),
        ({"firstName": 1, "lastName": "Å"}, [Fault("firstName", "wrong_type")]),
        ({"firstName": "x" * 31, "lastName": "Å"}, [Fault("firstName", "too_long", {"max": 30})]),
        (PERSON | {"colour": "red"}, [Fault("colour", "unknown")]),
        (PERSON | {"telephone": {"fax": "1"}}, [Fault("telephone.fax", "unknown")]),
        (PERSON | {"telephone": "1"}, [Fault("telephone", "wrong_type", {"class_name": "Telephone"})]),
        (PERSON | {"email": {"emailAddress": "anna"}}, [Fault("email.emailAddress", "invalid_email")]),
        (
            PERSON | {"presentAccommodation": {"coordinate": {"latitud": 91}}},
            [Fault("presentAccommodation.coordinate.latitud", "too_large", {"le": 90.0})],
        ),
        (
            PERSON | {"presentAccommodation": {"price": -1}},
            [Fault("presentAccommodation.price", "too_small", {"ge": 0.0})],
        ),
        (
            PERSON | {"marketing": {"utmTags": [{"name": "a", "value": "b"}, {"name": "a"}]}},
            [Fault("marketing.utmTags.1.value", "required")],
        ),
        ({}, [Fault("firstName", "required"), Fault("lastName", "required")]),
    ],
)
def test_a_fault_names_its_field_as_the_body_does_and_says_why(members: Any, expected: list[Fault]) -> None:
    assert faults(Interest, members) == expected


def test_all_faults_come_at_once_in_the_models_order() -> None:
    members = {"status": "Sold", "lastName": 1, "telephone": {"cell": "x", "home": "y"}, "firstName": ""}
    assert [fault.field for fault in faults(Interest, members)] == [
        "firstName",
        "lastName",
        "telephone.home",
        "telephone.cell",
        "status",
    ]


def test_too_many_of_something_is_told_with_how_many_may_be() -> None:
    person = PERSON | {"categoryIds": ["1"] * 101}
    (fault,) = faults(ViewingBooking, {"updatePerson": person})
    assert (fault.field, fault.code, fault.params["max_length"]) == ("updatePerson.categoryIds", "too_many", 100)


def test_a_body_that_is_no_object_is_of_the_wrong_type() -> None:
    assert [(fault.field, fault.code) for fault in faults(Interest, ["x"])] == [("", "wrong_type")]


def test_a_field_has_one_fault() -> None:
    found = faults(ViewingBooking, {"updatePerson": PERSON | {"gdprApprovalDate": "x", "leadScore": 2**40}})
    assert [(fault.field, fault.code) for fault in found] == [
        ("updatePerson.gdprApprovalDate", "invalid_datetime"),
        ("updatePerson.leadScore", "too_large"),
    ]
