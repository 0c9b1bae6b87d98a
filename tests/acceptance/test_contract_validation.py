"""Contract, section 3, "Validation": every rule at its edge."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.bodies import (
    FULL,
    SITE,
    Members,
    booking,
    faults_of,
    fields,
    interest,
    interest_path,
    key,
    member,
    viewing_path,
    with_member,
)
from tests.acceptance.desk import Desk
from tests.acceptance.html_page import page_of

HOUSE = "\U0001f3e0"  # two UTF-16 code units
UNREACHABLE = {"firstName": "Anna", "lastName": "Ek"}


def at(name: str, value: Any) -> tuple[str, Members]:
    """A new path and a right body with one member set; a booking where the member is one's."""
    is_booking = name.startswith("updatePerson.") or name in BOOKING_ONLY
    body = booking() if is_booking else interest()
    return (viewing_path() if is_booking else interest_path()), with_member(body, name, value)


BOOKING_ONLY = {"reminderTime", "smsReminder", "participated", "options.isDeadlineValidationEnabled"}


def accepted(desk: Desk, name: str, value: Any) -> Any:
    """What Vitec gets for the value."""
    path, body = at(name, value)
    return member(desk.sent(path, body), name)


def refused(desk: Desk, name: str, value: Any) -> None:
    """With a fault at the member, for a caller with a key, one without, and one who types."""
    path, body = at(name, value)
    assert set(desk.faults(path, body)) == {name}
    assert not desk.received(path)


LENGTHS = [
    ("firstName", 30),
    ("lastName", 30),
    ("address.streetAddress", 68),
    ("address.zipCode", 15),
    ("address.city", 25),
    ("updatePerson.firstName", 30),
    ("updatePerson.lastName", 30),
    ("updatePerson.address.streetAddress", 68),
    ("updatePerson.address.zipCode", 15),
    ("updatePerson.address.city", 25),
    ("updatePerson.contactId", 40),
]


@pytest.mark.parametrize(("name", "most"), LENGTHS)
def test_a_length_is_counted_in_utf_16_code_units_after_trimming(desk: Desk, name: str, most: int) -> None:
    if not name.endswith("contactId"):  # that one must exist
        assert accepted(desk, name, "a" * most) == "a" * most
        assert accepted(desk, name, f"  {'å' * most} \t") == "å" * most
        assert accepted(desk, name, HOUSE * (most // 2)) == HOUSE * (most // 2)
    refused(desk, name, "a" * (most + 1))
    refused(desk, name, HOUSE * (most // 2) + "ab"[: most % 2 + 1])
    refused(desk, name, f" {'a' * (most + 1)} ")


FOREIGN = [("socialSecurityNumber", 15), ("updatePerson.socialSecurityNumber", 20)]


@pytest.mark.parametrize(("name", "most"), FOREIGN)
def test_a_foreign_personnummer_has_its_documented_length(desk: Desk, name: str, most: int) -> None:
    marker = name.replace("socialSecurityNumber", "isForeignSocialSecurityNumber")

    def post(value: str) -> Any:
        path, body = at(name, value)
        answer = desk.client.post(path, json=with_member(body, marker, True), headers=key())
        return path, answer

    path, answer = post("X" * most)
    assert answer.status_code == 200
    assert member(desk.delivered(path).body, name) == "X" * most
    assert member(desk.delivered(path).body, marker) is True
    _, answer = post("X" * (most + 1))
    assert set(faults_of(answer)) == {name}


def an_address(length: int) -> str:
    rest = length - len("a" * 64 + "@" + ".se")
    return "a" * 64 + "@" + "b" * rest + ".se"


EMAILS = [
    "email.emailAddress",
    "email.emailAddress2",
    "updatePerson.email.emailAddress",
    "updatePerson.email.emailAddress2",
]


@pytest.mark.parametrize("name", EMAILS)
def test_an_email_address_may_have_100_characters(desk: Desk, name: str) -> None:
    assert accepted(desk, name, an_address(100)) == an_address(100)
    refused(desk, name, an_address(101))


@pytest.mark.parametrize("name", ["firstName", "lastName", "updatePerson.firstName", "updatePerson.lastName"])
@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0", "\u2003", "\u200b", "\ufeff", None])
def test_both_names_are_required_and_white_space_is_none(desk: Desk, name: str, blank: str | None) -> None:
    refused(desk, name, blank)


ONE_LINE = ["firstName", "address.streetAddress", "address.city", "presentAccommodation.other", "updatePerson.lastName"]


@pytest.mark.parametrize("name", [*ONE_LINE, "email.emailAddress", "telephone.home"])
@pytest.mark.parametrize("control", ["\n", "\r", "\t", "\x00", "\x07", "\x1b", "\x7f", "\x85"])
def test_control_characters_are_refused_in_one_line_fields(desk: Desk, name: str, control: str) -> None:
    refused(desk, name, f"An{control}na")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("Hej\nså\n\nfint", "Hej\nså\n\nfint"), ("Hej\r\nså", "Hej\nså"), ("Hej\rså", "Hej\nså"), ("  Hej \n", "Hej")],
)
def test_a_message_keeps_its_line_breaks(desk: Desk, typed: str, sent: str) -> None:
    assert str(accepted(desk, "contactMessage", typed)).replace("\r\n", "\n") == sent
    body = desk.submitted(viewing_path(), fields(booking(contactMessage=typed)))
    assert body["contactMessage"].replace("\r\n", "\n") == sent


def test_a_message_may_be_long_and_hold_any_script(desk: Desk) -> None:
    text = "Får vi komma? مرحبا 你好 " + HOUSE * 5000
    assert accepted(desk, "contactMessage", text) == text


@pytest.mark.parametrize(
    "way",
    [
        {"email": {"emailAddress": "anna@example.se"}},
        {"telephone": {"home": "08-123 456 78"}},
        {"telephone": {"work": "08-123 456 78"}},
        {"telephone": {"cell": "070-174 06 05"}},
    ],
)
def test_any_one_way_to_reach_the_person_of_an_interest_is_enough(desk: Desk, way: Members) -> None:
    assert desk.published(interest_path(), UNREACHABLE | way | {"consent": True})


@pytest.mark.parametrize(
    "way",
    [
        {},
        {"email": {}},
        {"email": {"emailAddress": " "}},
        {"email": {"emailAddress2": "anna@example.se"}},
        {"telephone": {"other": "070-174 06 05"}},
        {"telephone": {"cell": ""}},
    ],
)
def test_without_email_home_work_or_mobile_number_an_interest_is_refused(desk: Desk, way: Members) -> None:
    body = UNREACHABLE | way | {"consent": True}
    [name] = desk.faults(interest_path(), body, SITE)
    assert name.partition(".")[0] in {"email", "telephone"}
    answer = desk.client.post(interest_path(), data=fields(body), headers=SITE)
    assert answer.status_code == 400
    assert {"email.emailAddress", "telephone.cell"} & page_of(answer).faulty


@pytest.mark.parametrize(
    "way",
    [
        {"email": {"emailAddress": "anna@example.se"}},
        {"telePhone": "08-123 456 78"},
        {"workPhone": "08-123 456 78"},
        {"cellPhone": "070-174 06 05"},
    ],
)
def test_any_one_way_to_reach_the_person_of_a_booking_is_enough(desk: Desk, way: Members) -> None:
    assert desk.published(viewing_path(), {"updatePerson": UNREACHABLE | way, "consent": True})


@pytest.mark.parametrize(
    "way", [{}, {"email": {"emailAddress2": "anna@example.se"}}, {"otherPhone": "070-174 06 05"}, {"cellPhone": " "}]
)
def test_without_email_home_work_or_mobile_number_a_booking_is_refused(desk: Desk, way: Members) -> None:
    body = {"updatePerson": UNREACHABLE | way, "consent": True}
    [name] = desk.faults(viewing_path(), body, SITE)
    assert name.startswith("updatePerson.")
    answer = desk.client.post(viewing_path(), data=fields(body), headers=SITE)
    assert answer.status_code == 400
    assert {"email.emailAddress", "cellPhone"} & page_of(answer).faulty


PHONES = [
    "telephone.home",
    "telephone.work",
    "telephone.cell",
    "telephone.other",
    "updatePerson.telePhone",
    "updatePerson.workPhone",
    "updatePerson.cellPhone",
    "updatePerson.otherPhone",
]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0701740605", "46701740605"),
        ("070-174 06 05", "46701740605"),
        ("070 174 06 05", "46701740605"),
        ("070/174 06 05", "46701740605"),
        ("070.174.06.05", "46701740605"),
        ("070\u00a0174\u00a006\u00a005", "46701740605"),
        ("070–174 06 05", "46701740605"),
        ("  070-1740605  ", "46701740605"),
        ("+46701740605", "46701740605"),
        ("+46 70 174 06 05", "46701740605"),
        ("+46 (0)70-174 06 05", "46701740605"),
        ("0046 70 174 06 05", "46701740605"),
        ("(08) 123 456 78", "46812345678"),
        ("031-786 80 00", "46317868000"),
        ("+47 22 86 44 00", "4722864400"),
        ("+1 (212) 555-0123", "12125550123"),
        ("00358 9 1311 1", "358913111"),
    ],
)
def test_a_phone_number_is_taken_as_people_write_it(desk: Desk, typed: str, number: str) -> None:
    for name in ("telephone.cell", "updatePerson.telePhone"):
        sent = accepted(desk, name, typed)
        assert len(sent) <= 17
        digits = "".join(c for c in sent if c.isdigit())
        assert digits == number or "46" + digits[1:] == number


@pytest.mark.parametrize("name", PHONES)
@pytest.mark.parametrize(
    "typed",
    [
        "1",
        "12345",
        "ring mig",
        "070-174 06",
        "070-174 06 05 05 05 05",
        "+99 123 456 789",
        "+",
        "anna@example.se",
        "0" * 10,
    ],
)
def test_a_phone_number_that_cannot_be_dialled_is_refused(desk: Desk, name: str, typed: str) -> None:
    refused(desk, name, typed)


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.se",
        "anna.ek+bostad@mail.example.co.uk",
        "o'neil@example.se",
        "a@b.se",
        "ANNA@EXAMPLE.SE",
        "anna_ek-1@ex-ample.se",
        "123@example.se",
        "  anna@example.se ",
        "anna@xn--exmple-cua.se",
    ],
)
def test_a_real_email_address_is_taken(desk: Desk, address: str) -> None:
    for name in EMAILS:
        assert str(accepted(desk, name, address)).partition("@")[0] == address.strip().partition("@")[0]


@pytest.mark.parametrize("name", EMAILS)
@pytest.mark.parametrize(
    "address",
    [
        "anna",
        "anna@",
        "@example.se",
        "anna@example",
        "anna@example..se",
        "anna@.example.se",
        "anna@example.se.",
        ".anna@example.se",
        "an..na@example.se",
        "anna ek@example.se",
        "anna@exam ple.se",
        "anna@-example.se",
        "anna@example.se, ek@example.se",
        "Anna <anna@example.se>",
        "anna@ek@example.se",
        "anna@example_x.se",
        "a" * 65 + "@example.se",
        "mailto:anna@example.se",
        "anna@[127.0.0.1]",
    ],
)
def test_what_is_no_email_address_is_refused(desk: Desk, name: str, address: str) -> None:
    refused(desk, name, address)


BOTH_NUMBERS = ["socialSecurityNumber", "updatePerson.socialSecurityNumber"]


@pytest.mark.parametrize("name", BOTH_NUMBERS)
@pytest.mark.parametrize(
    "number",
    [
        "811228-9874",
        "8112289874",
        "19811228-9874",
        "198112289874",
        "191212121212",
        "121212+1212",
        "701063-2391",  # samordningsnummer
        "197010632391",
    ],
)
def test_a_personnummer_or_samordningsnummer_with_the_right_check_digit_is_taken(
    desk: Desk, name: str, number: str
) -> None:
    assert (
        str(accepted(desk, name, number)).replace("-", "").replace("+", "")[-10:]
        == "".join(c for c in number if c.isdigit())[-10:]
    )


@pytest.mark.parametrize("name", BOTH_NUMBERS)
@pytest.mark.parametrize(
    "number",
    [
        "811228-9873",
        "198112289870",
        "701063-2392",
        "811328-9874",
        "810229-0001",
        "811228",
        "811228-987",
        "811228-98744",
        "0000000000",
        "abcdef-ghij",
        "٨١١٢٢٨-٩٨٧٤",
    ],
)
def test_another_number_is_refused_unless_it_is_marked_as_foreign(desk: Desk, name: str, number: str) -> None:
    refused(desk, name, number)
    marker = name.replace("socialSecurityNumber", "isForeignSocialSecurityNumber")
    path, body = at(name, number)
    assert set(desk.faults(path, with_member(body, marker, False))) == {name}
    assert member(desk.sent(path, with_member(body, marker, True)), name) == number


def test_a_personnummer_is_judged_in_a_form_too(desk: Desk) -> None:
    for make, body in ((interest_path, fields(interest())), (viewing_path, fields(booking()))):
        answer = desk.client.post(make(FULL), data=body | {"socialSecurityNumber": "811228-9873"}, headers=SITE)
        assert answer.status_code == 400
        assert "socialSecurityNumber" in page_of(answer).faulty


@pytest.mark.parametrize("name", ["address.zipCode", "updatePerson.address.zipCode"])
@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("12345", "123 45"),
        ("123 45", "123 45"),
        (" 12345 ", "123 45"),
        ("1234", "1234"),
        ("0150", "0150"),
        ("123456", "123456"),
        ("SE-123 45", "SE-123 45"),
        ("SW1A 1AA", "SW1A 1AA"),
        ("12-345", "12-345"),
        ("D-10115", "D-10115"),
    ],
)
def test_five_digits_as_postcode_get_their_space_and_anything_else_goes_as_typed(
    desk: Desk, name: str, typed: str, sent: str
) -> None:
    assert accepted(desk, name, typed) == sent


ENUMS = [
    ("status", "Interested VeryInterested Assigned NotInterested"),
    (
        "presentAccommodation.estateType",
        "House RowHouse HousingCooperative Cottage Plot AgricultureProperty Tenancy OtherHousing CommercialProperty "
        "Condominium",
    ),
    ("updatePerson.obtainThrough", "Interest Phone Visit Agreement Other Email NotAsked"),
]


@pytest.mark.parametrize(("name", "values"), ENUMS)
def test_an_enum_is_taken_by_name_or_by_vitecs_number_and_sent_by_name(desk: Desk, name: str, values: str) -> None:
    for number, value in enumerate(values.split()):
        assert accepted(desk, name, value) == value
        assert accepted(desk, name, number) == value
        path, body = at(name, str(number))
        assert desk.client.post(path, data=fields(body), headers=key()).status_code == 303
        assert member(desk.delivered(path).body, name) == value


@pytest.mark.parametrize(("name", "values"), ENUMS)
def test_another_value_of_an_enum_is_refused(desk: Desk, name: str, values: str) -> None:
    wrong: list[Any] = ["Nothing", -1, len(values.split()), True, 1.5, [], {}, "1.0", "Interested,House", "٠", 10**12]
    for value in wrong:
        refused(desk, name, value)


QUANTITIES = ["livingSpace", "numberOfRooms", "price"]


@pytest.mark.parametrize("name", [f"presentAccommodation.{name}" for name in QUANTITIES])
def test_a_quantity_is_not_negative(desk: Desk, name: str) -> None:
    for value in (0, 0.5, 75, 75.5, 2500000):
        assert accepted(desk, name, value) == value
    wrong: list[Any] = [-1, -0.01, "75", True, [], "x", 1e30]
    for value in wrong:
        refused(desk, name, value)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("75", 75), ("75,5", 75.5), ("2 500 000", 2500000), ("2\u00a0500\u00a0000", 2500000), ("0", 0)],
)
def test_a_quantity_is_typed_as_swedes_write_numbers(desk: Desk, typed: str, sent: float) -> None:
    body = desk.submitted(interest_path(), fields(interest()) | {"presentAccommodation.price": typed})
    assert body["presentAccommodation"]["price"] == sent


@pytest.mark.parametrize("typed", ["-1", "många", "1e5x", "NaN", "inf", "--", "1,2,3", "3 rum"])
def test_a_typed_quantity_that_is_no_number_is_refused_at_its_field(desk: Desk, typed: str) -> None:
    answer = desk.client.post(
        interest_path(), data=fields(interest()) | {"presentAccommodation.livingSpace": typed}, headers=SITE
    )
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.faulty == {"presentAccommodation.livingSpace"}
    assert page.values["presentAccommodation.livingSpace"] == typed


def test_minutes_and_scores_are_whole_numbers_and_minutes_not_negative(desk: Desk) -> None:
    assert accepted(desk, "reminderTime", 0) == 0
    assert accepted(desk, "updatePerson.leadScore", -5) == -5
    for wrong in (-1, 1.5, "60", 2**31, True):
        refused(desk, "reminderTime", wrong)
    for wrong in (1.5, "7", 2**31, -(2**31) - 1):
        refused(desk, "updatePerson.leadScore", wrong)


@pytest.mark.parametrize("where", ["presentAccommodation.coordinate", "updatePerson.coordinate"])
def test_coordinates_are_on_the_globe(desk: Desk, where: str) -> None:
    for name, edge in (("longitud", 180), ("latitud", 90)):
        for value in (edge, -edge, 0, 18.0686):
            assert accepted(desk, f"{where}.{name}", value) == value
        for wrong in (edge + 0.001, -edge - 0.001, "18", True):
            refused(desk, f"{where}.{name}", wrong)


@pytest.mark.parametrize("name", ["isForeignSocialSecurityNumber", "smsReminder", "participated"])
def test_a_truth_is_true_or_false(desk: Desk, name: str) -> None:
    for value in (True, False):
        assert accepted(desk, name, value) is value
    wrong: list[Any] = ["true", 1, 0, [], "yes"]
    for value in wrong:
        refused(desk, name, value)


DATES = ["gdprApprovalDate", "updatePerson.gdprApprovalDate", "updatePerson.approvalDate"]


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00+00:00"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00"),
        ("2024-05-01T10:00:00-05:00", "2024-05-01T15:00:00+00:00"),
        ("2024-05-01T10:00:00", "2024-05-01T08:00:00+00:00"),  # summer in Sweden
        ("2024-01-15T10:00:00", "2024-01-15T09:00:00+00:00"),  # winter
        ("2024-01-15T10:00", "2024-01-15T09:00:00+00:00"),
        ("2024-07-01", "2024-06-30T22:00:00+00:00"),
        ("2024-01-15", "2024-01-14T23:00:00+00:00"),
        ("2024-02-29", "2024-02-28T23:00:00+00:00"),
    ],
)
def test_a_moment_without_offset_is_swedish_local_time_and_a_bare_date_its_first_second(
    desk: Desk, name: str, said: str, meant: str
) -> None:
    sent = datetime.fromisoformat(accepted(desk, name, said))
    assert sent.tzinfo is not None
    assert sent == datetime.fromisoformat(meant)


@pytest.mark.parametrize("name", DATES)
@pytest.mark.parametrize(
    "said",
    [
        "2024-02-30",
        "2023-02-29",
        "2024-13-01",
        "1 maj 2024",
        "2024-05-01T25:00:00",
        "01/05/2024",
        1714550400,
        True,
        "nu",
        {},
    ],
)
def test_what_is_no_moment_is_refused(desk: Desk, name: str, said: Any) -> None:
    refused(desk, name, said)


@pytest.mark.parametrize("name", DATES[:2])
def test_an_approval_in_the_future_becomes_now(desk: Desk, name: str) -> None:
    tomorrow = datetime.now(ZoneInfo("Europe/Stockholm")) + timedelta(days=1)
    for said in (tomorrow.isoformat(timespec="seconds"), f"{tomorrow:%Y-%m-%d}", "2999-01-01T00:00:00Z", "9999-12-30"):
        sent = datetime.fromisoformat(accepted(desk, name, said))
        assert timedelta(seconds=-2) < datetime.now(UTC) - sent < timedelta(seconds=20)


@pytest.mark.parametrize("caller", [SITE, key()])
def test_all_faults_of_an_interest_are_told_at_once(desk: Desk, caller: dict[str, str]) -> None:
    body = {
        "firstName": "",
        "lastName": "x" * 31,
        "address": {"streetAddress": "x" * 69, "zipCode": "x" * 16, "city": "x" * 26},
        "telephone": {"home": "1", "cell": "2", "fax": "3"},
        "email": {"emailAddress": "x", "emailAddress2": "y"},
        "gdprApprovalDate": "z",
        "presentAccommodation": {"estateType": "z", "livingSpace": -1, "coordinate": {"longitud": 181}},
        "status": "z",
        "contactMessage": 5,
        "fax": "1",
    }
    assert set(desk.faults(interest_path(), body, caller)) == {
        "firstName",
        "lastName",
        "address.streetAddress",
        "address.zipCode",
        "address.city",
        "telephone.home",
        "telephone.cell",
        "telephone.fax",
        "email.emailAddress",
        "email.emailAddress2",
        "gdprApprovalDate",
        "presentAccommodation.estateType",
        "presentAccommodation.livingSpace",
        "presentAccommodation.coordinate.longitud",
        "status",
        "contactMessage",
        "fax",
    }


def test_all_faults_of_a_booking_are_told_at_once(desk: Desk) -> None:
    person = {
        "customerId": "M99999",
        "lastName": "x" * 31,
        "address": {"countryCode": "XX"},
        "email": {"emailAddress2": "y"},
        "otherPhone": "1",
        "fax": "1",
    }
    faults = set(desk.faults(viewing_path(), {"updatePerson": person, "reminderTime": -1, "smsReminder": "x"}, SITE))
    assert faults >= {
        "updatePerson.customerId",
        "updatePerson.firstName",
        "updatePerson.lastName",
        "updatePerson.address.countryCode",
        "updatePerson.email.emailAddress2",
        "updatePerson.otherPhone",
        "updatePerson.fax",
        "reminderTime",
        "smsReminder",
        "consent",
    }
    assert faults & {"updatePerson.email.emailAddress", "updatePerson.email", "updatePerson.cellPhone"}


EVERYTHING_WRONG = {
    "firstName": "",
    "lastName": "x" * 31,
    "email.emailAddress": "x",
    "address.city": "x" * 26,
}


@pytest.mark.parametrize(("make", "phone"), [(interest_path, "telephone.cell"), (viewing_path, "cellPhone")])
def test_a_forms_faults_are_all_told_at_once_each_at_its_field(desk: Desk, make: Any, phone: str) -> None:
    typed = EVERYTHING_WRONG | {phone: "1"}
    answer = desk.client.post(make(), data=typed, headers=SITE)
    assert answer.status_code == 400
    page = page_of(answer)
    assert page.faulty == {*typed, "consent"}
    for name in page.faulty:
        identity = name.replace(".", "-")
        assert f"#{identity}" in page.links
        assert page.messages[f"{identity}-fault"].strip()
    assert {name: page.values[name] for name in typed} == typed


@pytest.mark.parametrize("make", [interest_path, viewing_path])
@pytest.mark.parametrize("typed", [{}, {"consent": "true"}, {"contactMessage": "Hej"}])
def test_an_empty_form_is_told_what_is_missing_at_each_field(desk: Desk, make: Any, typed: dict[str, str]) -> None:
    page = page_of(desk.client.post(make(), data={"ticks": "1"} | typed, headers=SITE))
    assert {"firstName", "lastName"} <= page.faulty
    assert {"email.emailAddress", "telephone.cell", "cellPhone"} & page.faulty
    assert "updatePerson" not in page.text


def test_an_empty_json_booking_is_told_what_is_missing(desk: Desk) -> None:
    missing: list[Members] = [{}, {"updatePerson": {}}, {"updatePerson": None}]
    for body in missing:
        faults = desk.faults(viewing_path(), body, SITE)
        assert any(name.startswith("updatePerson") for name in faults)
        assert "consent" in faults
    wrong: list[Any] = ["x", 5, [], True]
    for value in wrong:
        assert "updatePerson" in desk.faults(viewing_path(), {"updatePerson": value, "consent": True}, SITE)


CHECKED = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.text(max_size=70)
LINE = TEXT | st.sampled_from(["Anna", "  Ek ", HOUSE * 15, HOUSE * 16, "a\u0301" * 20, "ﬁ" * 30, "İ" * 30, "ß" * 30])
EMAIL = st.emails() | TEXT | st.builds("{}@{}.se".format, st.text(max_size=20), st.text(max_size=60))
NUMBER = st.from_regex(r"[+0-9() .x-]{3,25}", fullmatch=True) | st.integers(0, 10**14).map("+{}".format) | TEXT
MOMENT = st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(datetime.isoformat) | TEXT
DECIMAL = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**30), 10**30)


def optional(**kinds: Any) -> Any:
    return st.fixed_dictionaries({}, optional=kinds)


INTERESTS = st.fixed_dictionaries(
    {"firstName": LINE, "lastName": LINE, "email": optional(emailAddress=EMAIL, emailAddress2=EMAIL)},
    optional={
        "leadSourceId": TEXT,
        "socialSecurityNumber": TEXT | st.just("811228-9874"),
        "isForeignSocialSecurityNumber": st.booleans(),
        "telephone": optional(home=NUMBER, work=NUMBER, cell=NUMBER, other=NUMBER),
        "address": optional(streetAddress=LINE, zipCode=TEXT | st.just("12345"), city=LINE),
        "gdprApprovalDate": MOMENT,
        "contactMessage": TEXT,
        "status": st.integers(-1, 5) | st.sampled_from(["Interested", "assigned", "x"]),
        "presentAccommodation": optional(
            estateType=st.integers(-1, 11),
            livingSpace=DECIMAL,
            price=DECIMAL,
            other=TEXT,
            coordinate=optional(longitud=DECIMAL, latitud=DECIMAL),
        ),
        "marketing": optional(referrer=TEXT, utmTags=st.lists(optional(name=TEXT, value=TEXT), max_size=3)),
    },
)
PERSONS = st.fixed_dictionaries(
    {"firstName": LINE, "lastName": LINE, "email": optional(emailAddress=EMAIL)},
    optional={
        "cellPhone": NUMBER,
        "otherPhone": NUMBER,
        "address": optional(zipCode=TEXT, countryCode=st.sampled_from(["SE", "NO", "se", "no", "ZZ", "UK"])),
        "categoryIds": st.lists(TEXT, max_size=3),
        "userId": TEXT,
        "note": TEXT,
        "coordinate": optional(longitud=DECIMAL),
        "task": optional(note=TEXT, estateId=TEXT),
        "customField": optional(name=TEXT, value=TEXT),
        "approvalDate": MOMENT,
        "obtainThrough": st.integers(-1, 8),
        "leadScore": DECIMAL,
    },
)
BOOKINGS = st.fixed_dictionaries({"updatePerson": PERSONS}, optional={"reminderTime": DECIMAL, "contactMessage": TEXT})


def check(desk: Desk, path: str, body: Members) -> None:
    answer = desk.client.post(path, json=body, headers=key())
    if answer.status_code == 200:
        assert desk.delivered(path)
    else:
        assert faults_of(answer)  # and not Vitec's refusal, which has no errors


@CHECKED
@given(body=INTERESTS)
def test_whatever_we_accept_as_an_interest_vitec_accepts(desk: Desk, body: Members) -> None:
    check(desk, interest_path(), body)


@CHECKED
@given(body=BOOKINGS)
def test_whatever_we_accept_as_a_booking_vitec_accepts(desk: Desk, body: Members) -> None:
    check(desk, viewing_path(), body)


@CHECKED
@given(address=st.emails())
def test_any_address_that_the_standard_allows_is_sent_or_told_and_nothing_else(desk: Desk, address: str) -> None:
    check(desk, interest_path(), interest(email={"emailAddress": address}))
