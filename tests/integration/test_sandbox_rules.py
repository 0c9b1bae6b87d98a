"""The sandbox accepts what Vitec documents and refuses the first value beyond it: every limit, at its edge."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app.sandbox import Customer, Office, Person, serve_sandbox

OFFICE = Office([Customer("M1", "secret")], contacts=[Person(id="C1", customer_id="M1")])

INTEREST = "/Advertising/Estate/M1/OBJ1/interest"
VIEWING = "/Viewing/M1/VIS1/SLOT1/Participant"
LEAD = "/CRM/Lead/M1"
LOAN_PROMISE = "/CRM/Buyer/M1/C1/LoanPromise"

SMALLEST: dict[str, dict[str, Any]] = {
    INTEREST: {"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": "anna@example.se"}},
    VIEWING: {"updatePerson": {"customerId": "M1", "cellPhone": "0701740605"}},
    LEAD: {"contactId": "C1", "assignedToId": "A1", "leadSourceId": "S1"},
    LOAN_PROMISE: {},
}
PARAMETER = {INTEREST: "application", VIEWING: "participant", LEAD: "lead", LOAN_PROMISE: "loanPromise"}

Post = Callable[[str, Any], httpx.Response]
Values = tuple[list[Any], list[Any]]

LENGTHS = [
    (INTEREST, "firstName", 30),
    (INTEREST, "lastName", 30),
    (INTEREST, "socialSecurityNumber", 15),
    (INTEREST, "address.streetAddress", 68),
    (INTEREST, "address.zipCode", 15),
    (INTEREST, "address.city", 25),
    (INTEREST, "telephone.home", 17),
    (INTEREST, "telephone.work", 17),
    (INTEREST, "telephone.cell", 17),
    (INTEREST, "telephone.other", 17),
    (INTEREST, "email.emailAddress", 100),
    (INTEREST, "email.emailAddress2", 100),
    (VIEWING, "updatePerson.customerId", 40),
    (VIEWING, "updatePerson.firstName", 30),
    (VIEWING, "updatePerson.lastName", 30),
    (VIEWING, "updatePerson.socialSecurityNumber", 20),
    (VIEWING, "updatePerson.telePhone", 17),
    (VIEWING, "updatePerson.workPhone", 17),
    (VIEWING, "updatePerson.cellPhone", 17),
    (VIEWING, "updatePerson.otherPhone", 17),
    (VIEWING, "updatePerson.email.emailAddress", 100),
    (VIEWING, "updatePerson.email.emailAddress2", 100),
    (VIEWING, "updatePerson.address.streetAddress", 68),
    (VIEWING, "updatePerson.address.zipCode", 15),
    (VIEWING, "updatePerson.address.city", 25),
]
REQUIRED = [
    (INTEREST, "firstName"),
    (INTEREST, "lastName"),
    (VIEWING, "updatePerson.customerId"),
    (LEAD, "contactId"),
    (LEAD, "assignedToId"),
    (LEAD, "leadSourceId"),
]
ENUMS = [
    (INTEREST, "status", 0, "Interested VeryInterested Assigned NotInterested"),
    (
        INTEREST,
        "presentAccommodation.estateType",
        0,
        "House RowHouse HousingCooperative Cottage Plot AgricultureProperty Tenancy OtherHousing CommercialProperty "
        "Condominium",
    ),
    (VIEWING, "updatePerson.obtainThrough", 0, "Interest Phone Visit Agreement Other Email NotAsked"),
    (LOAN_PROMISE, "estateType", 1, "Apartment Cottage House"),
    (
        LOAN_PROMISE,
        "status",
        1,
        "AutomaticVerification CanNotVerify VerifiedByBank IsBeingProcessed CouldNotBeVerified NoLoanPromiseExists "
        "PreApprovalVerifiedByBank",
    ),
    (LOAN_PROMISE, "financing", 0, "Unknown Bank Other"),
]

# Per kind of member: what is taken, what is refused, and who is of that kind.
TEXT: Values = (["x" * 5000, "", None], [7, True, [], {}])
FLAG: Values = ([True, False], [1, 0, "true", "", None])
DECIMAL: Values = ([0, -1, 72.5, 4_500_000, 2**96 - 1, 7.9228e28], ["72.5", "", True, None, 2**96, 8e28, [1]])
INTEGER: Values = ([0, 60, 2**31 - 1, -(2**31)], [60.5, 60.0, "60", True, None, 2**31, -(2**31) - 1])
DATE_TIME: Values = (
    ["2026-10-18T13:00:00+02:00", "2026-10-18T13:00:00.1234567Z", "2026-10-18T13:00:00"],
    ["2026-10-18", "2026-02-30T13:00:00Z", "18/10 2026", "1792324800", 1792324800, "", None],
)
OBJECT: Values = ([None, {}], ["x", [], 1])
KINDS = [
    (TEXT, INTEREST, "leadSourceId assignmentSourceId contactMessage presentAccommodation.other marketing.referrer"),
    (TEXT, VIEWING, "contactMessage leadSourceId updatePerson.userId updatePerson.note"),
    (TEXT, VIEWING, "updatePerson.task.predefinedTaskId updatePerson.task.note updatePerson.task.estateId"),
    (TEXT, VIEWING, "updatePerson.task.assignedTo updatePerson.customField.name updatePerson.customField.value"),
    (TEXT, LEAD, "officeId assignmentSourceId message marketing.referrer"),
    (TEXT, LOAN_PROMISE, "bank estateId"),
    (FLAG, INTEREST, "isForeignSocialSecurityNumber"),
    (FLAG, VIEWING, "participated smsReminder mailConfirmation smsConfirmation returnBookingId"),
    (FLAG, VIEWING, "options.isDeadlineValidationEnabled options.enableBookingLimitValidation"),
    (FLAG, VIEWING, "updatePerson.isForeignSocialSecurityNumber updatePerson.wishAdvertising updatePerson.approval"),
    (DECIMAL, INTEREST, "presentAccommodation.livingSpace presentAccommodation.numberOfRooms"),
    (DECIMAL, INTEREST, "presentAccommodation.price presentAccommodation.coordinate.longitud"),
    (DECIMAL, INTEREST, "presentAccommodation.coordinate.latitud"),
    (DECIMAL, VIEWING, "updatePerson.coordinate.longitud updatePerson.coordinate.latitud"),
    (INTEGER, VIEWING, "reminderTime updatePerson.leadScore"),
    (DATE_TIME, INTEREST, "gdprApprovalDate"),
    (DATE_TIME, VIEWING, "updatePerson.gdprApprovalDate updatePerson.approvalDate"),
    (DATE_TIME, LOAN_PROMISE, "validUntil"),
    (OBJECT, INTEREST, "address telephone marketing presentAccommodation"),
    (OBJECT, VIEWING, "options updatePerson.address updatePerson.email updatePerson.task updatePerson.customField"),
    (OBJECT, LEAD, "marketing"),
]


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    with serve_sandbox(OFFICE) as url, httpx.Client(base_url=url, auth=("partner", "secret")) as client:

        def post(path: str, body: Any) -> httpx.Response:
            return client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})

        yield post


def with_member(path: str, member: str, value: Any) -> dict[str, Any]:
    """The smallest accepted body for `path` with one more member; `member` has dots."""
    body: dict[str, Any] = json.loads(json.dumps(SMALLEST[path]))
    *outer, last = member.split(".")
    place = body
    for name in outer:
        place = place.setdefault(name, {})
    place[last] = value
    return body


def assert_taken(response: httpx.Response) -> None:
    assert response.status_code in (200, 204), response.text


def assert_refused(response: httpx.Response, key: str) -> None:
    assert response.status_code == 400
    assert response.json()["message"] == "The request is invalid."
    assert list(response.json()["modelState"]) == [key]
    assert all(isinstance(message, str) for message in response.json()["modelState"][key])


@pytest.mark.parametrize("path", SMALLEST)
def test_the_smallest_body_is_taken(post: Post, path: str) -> None:
    assert_taken(post(path, SMALLEST[path]))


@pytest.mark.parametrize(("path", "member", "longest"), LENGTHS)
def test_a_text_may_be_as_long_as_documented_and_no_longer(post: Post, path: str, member: str, longest: int) -> None:
    assert_taken(post(path, with_member(path, member, "å" * longest)))
    assert_refused(post(path, with_member(path, member, "å" * (longest + 1))), f"{PARAMETER[path]}.{member}")


def test_a_contact_id_is_forty_characters_at_most(post: Post) -> None:
    unknown = post(LEAD, with_member(LEAD, "contactId", "C" * 40))
    assert unknown.status_code == 404
    assert_refused(post(LEAD, with_member(LEAD, "contactId", "C" * 41)), "lead.contactId")
    too_long = with_member(VIEWING, "updatePerson.contactId", "C" * 41)
    assert_refused(post(VIEWING, too_long), "participant.updatePerson.contactId")


def test_an_emoji_counts_as_two_characters(post: Post) -> None:
    assert_taken(post(INTEREST, with_member(INTEREST, "firstName", "🏡" * 15)))
    assert_refused(post(INTEREST, with_member(INTEREST, "firstName", "🏡" * 15 + "a")), "application.firstName")


@pytest.mark.parametrize(("path", "member"), REQUIRED)
@pytest.mark.parametrize("nothing", ["", " \t\u00a0", None])
def test_a_required_text_may_not_be_blank(post: Post, path: str, member: str, nothing: str | None) -> None:
    assert_refused(post(path, with_member(path, member, nothing)), f"{PARAMETER[path]}.{member}")


@pytest.mark.parametrize(("path", "member"), REQUIRED)
def test_a_required_text_cannot_be_left_out(post: Post, path: str, member: str) -> None:
    body = with_member(path, member, "")
    *outer, last = member.split(".")
    del (body[outer[0]] if outer else body)[last]
    assert_refused(post(path, body), f"{PARAMETER[path]}.{member}")


def test_a_booking_needs_a_visitor(post: Post) -> None:
    assert_refused(post(VIEWING, {}), "participant.updatePerson")
    assert_refused(post(VIEWING, {"updatePerson": None}), "participant.updatePerson")


@pytest.mark.parametrize("name", ["", " ", None])
def test_vitec_takes_a_visitor_without_a_name(post: Post, name: str | None) -> None:
    assert_taken(post(VIEWING, with_member(VIEWING, "updatePerson.firstName", name)))
    assert_taken(post(VIEWING, with_member(VIEWING, "updatePerson.lastName", name)))


@pytest.mark.parametrize(("path", "member", "first", "names"), ENUMS)
def test_an_enum_goes_by_name_or_documented_number(post: Post, path: str, member: str, first: int, names: str) -> None:
    known = names.split()
    for value in [*known, *range(first, first + len(known))]:
        assert_taken(post(path, with_member(path, member, value)))
    for wrong in [first - 1, first + len(known), known[0].lower(), str(first), "", True, float(first), None]:
        assert_refused(post(path, with_member(path, member, wrong)), f"{PARAMETER[path]}.{member}")


@pytest.mark.parametrize(
    ("path", "member", "values"),
    [(path, member, values) for values, path, members in KINDS for member in members.split()],
)
def test_a_member_takes_values_of_its_own_json_type_only(post: Post, path: str, member: str, values: Values) -> None:
    taken, refused = values
    for value in taken:
        assert_taken(post(path, with_member(path, member, value)))
    for value in refused:
        assert_refused(post(path, with_member(path, member, value)), f"{PARAMETER[path]}.{member}")
