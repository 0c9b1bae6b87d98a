"""The applications have exactly Vitec's members, and Vitec accepts what we accept."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.domain.fields import ReadContext
from app.operations.final_price import FinalPrice
from app.operations.interest import EstateType, Interest, InterestStatus
from app.operations.loan_promise import LoanEstateType, LoanPromise
from app.operations.members import VitecModel
from app.operations.valuation import Valuation
from app.operations.viewing import ObtainThrough, ViewingBooking
from app.sandbox import schemas

PERSON: dict[str, Any] = {"firstName": "Anna", "lastName": "Å"}
IN_JSON = ReadContext(form=False, now=datetime(2026, 6, 1, 12, tzinfo=UTC))

WHOLE_INTEREST: dict[str, Any] = {
    "leadSourceId": "LS1",
    "assignmentSourceId": "AS1",
    "marketing": {"referrer": "https://a.se/", "utmTags": [{"name": "utm_source", "value": "google"}]},
    "firstName": "Anna",
    "lastName": "Å",
    "socialSecurityNumber": "811228-9874",
    "isForeignSocialSecurityNumber": False,
    "address": {"streetAddress": "Storgatan 1", "zipCode": "123 45", "city": "Ankeborg"},
    "telephone": {
        "home": "+46812345678",
        "work": "+46846500404",
        "cell": "+46701740605",
        "other": "+46701740606",
    },
    "email": {"emailAddress": "anna@example.se", "emailAddress2": "anna@example.com"},
    "gdprApprovalDate": "2026-05-01T10:00:00+02:00",
    "presentAccommodation": {
        "estateType": "HousingCooperative",
        "livingSpace": 75,
        "numberOfRooms": 2.5,
        "price": 3000000,
        "other": "Balkong",
        "coordinate": {"longitud": 18.07, "latitud": 59.33},
    },
    "contactMessage": "Hej!\n\nVi ses.",
    "status": "VeryInterested",
}
WHOLE_PERSON: dict[str, Any] = {
    "customerId": "M12345",
    "contactId": "C1",
    "firstName": "Anna",
    "lastName": "Å",
    "socialSecurityNumber": "19811228-9874",
    "isForeignSocialSecurityNumber": False,
    "telePhone": "+46812345678",
    "workPhone": "+46846500404",
    "cellPhone": "+46701740605",
    "otherPhone": "+46701740606",
    "email": {"emailAddress": "anna@example.se"},
    "address": {"streetAddress": "Storgatan 1", "zipCode": "0150", "city": "Oslo", "countryCode": "NO"},
    "categoryIds": ["1", "2"],
    "userId": "U1",
    "wishAdvertising": True,
    "note": "Ring\ninte",
    "coordinate": {"longitud": 18.07, "latitud": 59.33},
    "task": {"predefinedTaskId": "T1", "note": "Ring", "estateId": "OBJ1", "assignedTo": "U1"},
    "customField": {"name": "Skonummer", "value": "38"},
    "approval": True,
    "approvalDate": "2026-05-01T10:00:00+02:00",
    "gdprApprovalDate": "2026-05-01T10:00:00+02:00",
    "obtainThrough": "Interest",
    "leadScore": 3,
}
WHOLE_BOOKING: dict[str, Any] = {
    "updatePerson": WHOLE_PERSON,
    "participated": False,
    "reminderTime": 60,
    "smsReminder": True,
    "mailConfirmation": True,
    "smsConfirmation": False,
    "returnBookingId": True,
    "contactMessage": "Hej!",
    "leadSourceId": "LS1",
    "options": {"isDeadlineValidationEnabled": True, "enableBookingLimitValidation": True},
    "marketing": {"referrer": "https://a.se/"},
}
WHOLE_VALUATION: dict[str, Any] = {
    "firstName": "Anna",
    "lastName": "Å",
    "email": "anna@example.se",
    "cellPhone": "+46701740605",
    "address": {"streetAddress": "Storgatan 1", "zipCode": "123 45", "city": "Ankeborg"},
    "gdpr": {"hasApproved": True},
    "lead": {"assignmentSourceId": "AS1", "leadSourceId": "LS1", "message": "Hej!\n\nVi ses."},
    "marketing": {"referrer": "https://a.se/", "utmTags": [{"name": "utm_source", "value": "google"}]},
    "receiver": {"userId": "U1"},
}
WHOLE_FINAL_PRICE: dict[str, Any] = {
    "person": {
        "firstName": "Anna",
        "lastName": "Å",
        "socialSecurityNumber": "19811228-9874",
        "isForeignSocialSecurityNumber": False,
        "address": {"streetAddress": "Storgatan 1", "zipCode": "123 45", "city": "Ankeborg"},
        "email": {"emailAddress": "anna@example.se", "emailAddress2": "anna@example.com"},
        "telephone": {"home": "+46812345678", "work": "+46846500404", "cell": "+46701740605", "other": "+46701740606"},
    },
    "prospectiveBuyerStatus": "Assigned",
    "leadSourceId": "LS1",
    "marketing": {"referrer": "https://a.se/", "utmTags": [{"name": "utm_source", "value": "google"}]},
    "message": "Hej!",
}
WHOLE: list[tuple[Any, dict[str, Any]]] = [
    (Interest, WHOLE_INTEREST),
    (ViewingBooking, WHOLE_BOOKING),
    (Valuation, WHOLE_VALUATION),
    (FinalPrice, WHOLE_FINAL_PRICE),
]


def interest(**members: Any) -> Interest:
    return Interest.model_validate(PERSON | members, context=IN_JSON)


def booking(person: dict[str, Any] | None = None, **members: Any) -> ViewingBooking:
    return ViewingBooking.model_validate({"updatePerson": PERSON | (person or {}), **members}, context=IN_JSON)


def codes(model: type[VitecModel], members: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(members, context=IN_JSON)
    return [(".".join(map(str, e["loc"])), e["type"]) for e in refused.value.errors()]


@pytest.mark.parametrize(
    ("word", "choice", "loan_choice"),
    [
        ("Bostadsrätt", EstateType.HOUSING_COOPERATIVE, LoanEstateType.APARTMENT),
        ("villa", EstateType.HOUSE, LoanEstateType.HOUSE),
        ("FRITIDSHUS", EstateType.COTTAGE, LoanEstateType.COTTAGE),
    ],
)
def test_a_type_of_home_may_be_in_swedish_as_in_a_websites_own_form(
    word: str, choice: EstateType, loan_choice: LoanEstateType
) -> None:
    members = PERSON | {"presentAccommodation": {"estateType": word}}
    home = Interest.model_validate(members, context=IN_JSON).present_accommodation
    assert home is not None
    assert home.estate_type is choice
    assert LoanPromise.model_validate({"estateType": word}, context=IN_JSON).estate_type is loan_choice


@pytest.mark.parametrize(("model", "whole"), WHOLE)
def test_every_member_is_sent_unchanged(model: Any, whole: dict[str, Any]) -> None:
    assert model.model_validate(whole, context=IN_JSON).body() == whole


def test_a_complete_application_of_each_kind_is_documented_and_accepted_by_vitec() -> None:
    from app.sandbox.validation import unknown_members

    sent = {name: value for name, value in WHOLE_BOOKING.items() if name != "marketing"}  # ours, for a Lead
    for members, body in (
        (WHOLE_INTEREST, schemas.AdvertisingInterestApplication),
        (sent, schemas.AddNewViewingParticipant),
        (WHOLE_VALUATION, schemas.ValuationForm),
        (WHOLE_FINAL_PRICE, schemas.FinalPriceWatched),
    ):
        body.model_validate(members)
        assert list(unknown_members(members, body)) == []


def test_our_members_are_those_that_vitec_documents() -> None:
    def names(model: Any) -> set[str]:
        return {field.alias for field in model.model_fields.values()}

    assert names(Interest) == names(schemas.AdvertisingInterestApplication)
    assert names(ViewingBooking) == names(schemas.AddNewViewingParticipant) | {"marketing"}
    assert names(Valuation) == names(schemas.ValuationForm)
    assert names(FinalPrice) == names(schemas.FinalPriceWatched)
    assert names(FinalPrice.model_fields["person"].annotation) == names(schemas.FinalPricePerson)
    person = ViewingBooking.model_fields["update_person"].annotation
    assert names(person) == names(schemas.UpdatePerson)


@pytest.mark.parametrize(
    ("model", "members", "expected"),
    [
        (Interest, {"lastName": "Å"}, [("firstName", "missing")]),
        (Interest, PERSON | {"firstName": "x" * 31}, [("firstName", "too_long")]),
        (Interest, PERSON | {"first_name": "Anna"}, [("first_name", "extra_forbidden")]),
        (
            Interest,
            PERSON | {"socialSecurityNumber": "811228-9875"},
            [("socialSecurityNumber", "invalid_personnummer")],
        ),
        (
            Interest,
            PERSON | {"isForeignSocialSecurityNumber": True, "socialSecurityNumber": "x" * 16},
            [("socialSecurityNumber", "too_long")],
        ),
        (
            Interest,
            PERSON | {"isForeignSocialSecurityNumber": "x", "socialSecurityNumber": "x"},
            [("isForeignSocialSecurityNumber", "wrong_type"), ("socialSecurityNumber", "invalid_personnummer")],
        ),
        (Interest, PERSON | {"address": {"streetAddress": "x" * 69}}, [("address.streetAddress", "too_long")]),
        (Interest, PERSON | {"address": {"city": "x" * 26}}, [("address.city", "too_long")]),
        (Interest, PERSON | {"address": {"countryCode": "NO"}}, [("address.countryCode", "extra_forbidden")]),
        (Interest, PERSON | {"leadSourceId": "a\nb"}, [("leadSourceId", "control_characters")]),
        (
            ViewingBooking,
            {"updatePerson": PERSON | {"contactId": "x" * 41}},
            [("updatePerson.contactId", "too_long")],
        ),
        (ViewingBooking, {}, [("updatePerson", "missing")]),
        (Valuation, PERSON | {"lastName": "x" * 31}, [("lastName", "too_long")]),
        (Valuation, PERSON | {"email": "a" * 60 + "@" + "b" * 36 + ".example"}, [("email", "too_long")]),
        (Valuation, PERSON | {"email": {"emailAddress": "a@example.se"}}, [("email", "wrong_type")]),
        (Valuation, PERSON | {"address": {"streetAddress": "x" * 69}}, [("address.streetAddress", "too_long")]),
        (Valuation, PERSON | {"cellPhone": "12"}, [("cellPhone", "invalid_phone")]),
        (FinalPrice, {}, [("person", "missing")]),
        (FinalPrice, {"person": PERSON | {"firstName": " "}}, [("person.firstName", "required")]),
        (FinalPrice, {"person": PERSON, "prospectiveBuyerStatus": 3}, [("prospectiveBuyerStatus", "invalid_choice")]),
        (
            ViewingBooking,
            {"updatePerson": {"firstName": "", "lastName": "Å"}},
            [("updatePerson.firstName", "required")],
        ),
        (
            ViewingBooking,
            {"updatePerson": PERSON | {"isForeignSocialSecurityNumber": True, "socialSecurityNumber": "x" * 21}},
            [("updatePerson.socialSecurityNumber", "too_long")],
        ),
        (ViewingBooking, {"updatePerson": PERSON, "reminderTime": -1}, [("reminderTime", "greater_than_equal")]),
    ],
)
def test_a_broken_documented_rule_is_reported_at_its_member(model: Any, members: Any, expected: Any) -> None:
    assert codes(model, members) == expected


def test_a_foreign_number_goes_as_typed_whatever_the_order_of_the_members() -> None:
    application = interest(socialSecurityNumber="FR-123", isForeignSocialSecurityNumber=True)
    assert application.social_security_number == "FR-123"
    assert booking({"socialSecurityNumber": "x" * 20, "isForeignSocialSecurityNumber": True}).update_person


@pytest.mark.parametrize(
    ("enum", "names"),
    [
        (InterestStatus, ["Interested", "VeryInterested", "Assigned", "NotInterested"]),
        (
            EstateType,
            [
                "House",
                "RowHouse",
                "HousingCooperative",
                "Cottage",
                "Plot",
                "AgricultureProperty",
                "Tenancy",
                "OtherHousing",
                "CommercialProperty",
                "Condominium",
            ],
        ),
        (ObtainThrough, ["Interest", "Phone", "Visit", "Agreement", "Other", "Email", "NotAsked"]),
    ],
)
def test_a_choice_may_be_vitecs_number_and_is_sent_by_name(enum: Any, names: list[str]) -> None:
    assert [member.value for member in enum] == names

    def sent(value: Any) -> Any:
        if enum is InterestStatus:
            return interest(status=value).body()["status"]
        if enum is EstateType:
            return interest(presentAccommodation={"estateType": value}).body()["presentAccommodation"]["estateType"]
        return booking({"obtainThrough": value}).body()["updatePerson"]["obtainThrough"]

    for number, name in enumerate(names):
        assert sent(number) == sent(name) == name


def test_absent_members_are_not_sent() -> None:
    assert interest(address={}).body() == PERSON | {"address": {}}
    assert interest(contactMessage=None).body() == PERSON
    assert booking().body() == {"updatePerson": PERSON}


def test_sweden_is_left_out_of_an_address() -> None:
    assert booking({"address": {"city": "Ankeborg", "countryCode": "se"}}).body()["updatePerson"]["address"] == {
        "city": "Ankeborg"
    }


def test_an_application_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        interest().first_name = "Bo"  # type: ignore[misc]


_text = st.text(max_size=120)
_value = _text | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
_PLAIN: dict[str, Any] = {
    **dict.fromkeys(("first", "last", "message", "estate"), "A"),
    "email": "anna@example.se",
    "phone": "0701740605",
    "address": {},
    "approved": "2026-01-01",
    "status": "0",
}
_email = st.sampled_from(["anna@example.se", "x" * 60 + "@example.se", "å@exämple.se"])


@given(
    first=_text,
    last=_text,
    message=_text,
    email=_email,
    estate=_value,
    price=_value,
    phone=st.from_regex(r"(0|\+46)7[0236] ?[0-9]{3} ?[0-9]{4}( x[0-9]{1,5})?", fullmatch=True),
    address=st.dictionaries(st.sampled_from(["streetAddress", "zipCode", "city"]), _text),
    approved=st.datetimes().map(datetime.isoformat),
    status=_value | st.sampled_from(["Interested", "veryinterested", "3"]),
)
@example(**_PLAIN, price=7.9228e28)  # near the end of what a .NET decimal holds
@example(**_PLAIN, price=2.0**96)
@example(**_PLAIN, price=2**96 - 1)
def test_what_we_accept_as_an_interest_vitec_accepts(
    first: Any,
    last: Any,
    message: Any,
    email: Any,
    estate: Any,
    price: Any,
    phone: Any,
    address: Any,
    approved: Any,
    status: Any,
) -> None:
    members = {
        "firstName": first or "Anna",
        "lastName": last or "Å",
        "contactMessage": message,
        "email": {"emailAddress": email},
        "telephone": {"cell": phone},
        "address": address,
    }
    application = None
    for more in (
        {
            "gdprApprovalDate": approved,
            "status": status,
            "presentAccommodation": {"estateType": estate, "price": price},
        },
        {"gdprApprovalDate": approved},
        {"status": status},
        {"presentAccommodation": {"estateType": estate}},
        {"presentAccommodation": {"price": price}},
        {},
    ):
        try:
            application = Interest.model_validate(members | more, context=IN_JSON)
        except ValidationError:
            continue
        schemas.AdvertisingInterestApplication.model_validate(application.body())
