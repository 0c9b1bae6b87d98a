"""Validation: from a body's members to an application, with all errors at once and only what the caller may set."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.field_errors import FieldError
from app.domain.marketing import Marketing
from app.operations import interest as interest_module
from app.operations import lead as lead_module
from app.operations import viewing
from app.operations.interest import Interest
from app.operations.member_paths import LIST, TICK, leaves, member_tree, normalize_names
from app.operations.registry import POSTS
from app.operations.specification import PostSpec
from app.operations.viewing import ViewingBooking
from app.web.operations.body import Body
from app.web.operations.validation import ValidationContext, ValidationResult, marketing_of, validate
from tests.unit.operations.test_models import WHOLE_BOOKING, WHOLE_INTEREST, WHOLE_PERSON

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VISITOR = ValidationContext("M12345", with_key=False, collect_personnummer=False, consent_required=False, now=NOW)
CALLER = replace(VISITOR, with_key=True)
ASKING = replace(VISITOR, consent_required=True)
ANNA: dict[str, Any] = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "anna@example.se"}}


def in_json(members: dict[str, Any]) -> Body:
    return Body(False, members, {})


def in_form(members: dict[str, Any], **typed: str) -> Body:
    return Body(True, members, typed)


def interest(body: Body, rules: ValidationContext = VISITOR) -> ValidationResult:
    return validate(interest_module.POST, body, rules)


def booking(body: Body, rules: ValidationContext = VISITOR) -> ValidationResult:
    return validate(viewing.POST, body, rules)


def sent(read: ValidationResult) -> dict[str, Any]:
    assert read.faults == ()
    assert read.application is not None
    return read.application.body()


def faults(read: ValidationResult) -> list[tuple[str, str]]:
    assert read.application is None
    return [(fault.field, fault.code) for fault in read.faults]


def test_the_tree_of_names_is_the_models() -> None:
    tree = member_tree(ViewingBooking)
    assert tree["updatePerson"]["categoryIds"] == LIST
    assert tree["updatePerson"]["email"] == {"emailAddress": None, "emailAddress2": None}
    assert tree["updatePerson"]["coordinate"] == {"longitud": None, "latitud": None}
    assert tree["smsReminder"] == TICK
    assert tree["reminderTime"] is None
    assert member_tree(Interest)["status"] is None
    assert member_tree(Interest)["marketing"] == {"referrer": None, "utmTags": {}}


def test_a_visitor_sets_what_is_the_persons_own_and_nothing_else() -> None:
    without_number = {name: value for name, value in WHOLE_INTEREST.items() if not name.endswith("SecurityNumber")}
    assert sent(interest(in_json(without_number))) == {
        name: WHOLE_INTEREST[name]
        for name in (
            "marketing",
            "firstName",
            "lastName",
            "address",
            "telephone",
            "email",
            "gdprApprovalDate",
            "presentAccommodation",
            "contactMessage",
            "status",
        )
    }


def test_a_visitors_booking_sets_the_person_the_message_and_the_reminders_alone() -> None:
    without_number = {name: value for name, value in WHOLE_PERSON.items() if not name.endswith("SecurityNumber")}
    body = sent(booking(in_json(WHOLE_BOOKING | {"updatePerson": without_number})))
    person = body.pop("updatePerson")
    assert set(person) == {
        "customerId",
        "firstName",
        "lastName",
        "telePhone",
        "workPhone",
        "cellPhone",
        "otherPhone",
        "email",
        "address",
        "gdprApprovalDate",
    }
    assert set(body) == {
        "contactMessage",
        "reminderTime",
        "smsReminder",
        "mailConfirmation",
        "smsConfirmation",
        "marketing",
    }


@pytest.mark.parametrize(("spec", "whole"), [(interest_module.POST, WHOLE_INTEREST), (viewing.POST, WHOLE_BOOKING)])
def test_a_caller_with_a_key_sets_everything(spec: PostSpec, whole: dict[str, Any]) -> None:
    assert sent(validate(spec, in_json(whole), CALLER)) == whole


def test_members_that_a_visitor_may_not_set_are_not_even_validated() -> None:
    assert sent(interest(in_json(ANNA | {"leadSourceId": 5}))) == ANNA
    assert faults(interest(in_json(ANNA | {"leadSourceId": 5}), CALLER)) == [("leadSourceId", "wrong_type")]


@pytest.mark.parametrize("rules", [VISITOR, CALLER])
@pytest.mark.parametrize(
    ("members", "field"),
    [({"colour": "red"}, "colour"), ({"telephone": {"fax": "1"}}, "telephone.fax"), ({"email": {"x": 1}}, "email.x")],
)
def test_an_unknown_member_is_refused_by_name_in_json(
    rules: ValidationContext, members: dict[str, Any], field: str
) -> None:
    telephone = {"telephone": {"cell": "0701740605"}} if "email" in members else {}
    assert (field, "unknown") in faults(interest(in_json(ANNA | telephone | members), rules))


def test_a_personnummer_that_is_not_collected_is_refused_in_json_and_ignored_in_a_form() -> None:
    name = "socialSecurityNumber"
    person = ANNA | {name: "811228-9874"}
    assert faults(interest(in_json(person))) == [(name, "not_allowed")]
    assert faults(booking(in_json({"updatePerson": person}))) == [(f"updatePerson.{name}", "not_allowed")]
    assert sent(interest(in_form(person))) == ANNA


@pytest.mark.parametrize("marked", [True, False])
def test_the_mark_of_a_foreign_personnummer_without_one_is_ignored(marked: bool) -> None:
    person = ANNA | {"isForeignSocialSecurityNumber": marked}
    assert sent(interest(in_json(person))) == ANNA
    assert sent(booking(in_json({"updatePerson": person}))) == {"updatePerson": ANNA}


@pytest.mark.parametrize("rules", [CALLER, replace(VISITOR, collect_personnummer=True)])
def test_a_personnummer_is_taken_from_a_caller_with_a_key_and_where_it_is_collected(rules: ValidationContext) -> None:
    number = {"socialSecurityNumber": "811228-9874"}
    assert sent(interest(in_json(ANNA | number), rules)) == ANNA | number
    assert sent(booking(in_json({"updatePerson": ANNA | number}), rules)) == {"updatePerson": ANNA | number}


@pytest.mark.parametrize(
    ("ways", "reachable"),
    [
        ({"email": {"emailAddress": "a@b.se"}}, True),
        ({"telephone": {"home": "0701740605"}}, True),
        ({"telephone": {"work": "0701740605"}}, True),
        ({"telephone": {"cell": "0701740605"}}, True),
        ({"telephone": {"other": "0701740605"}}, False),
        ({"email": {"emailAddress2": "a@b.se"}}, False),
        ({"email": {}}, False),
        ({}, False),
    ],
)
def test_an_interest_needs_an_email_address_or_a_phone_number(ways: dict[str, Any], reachable: bool) -> None:
    read = interest(in_json({"firstName": "Anna", "lastName": "Å", **ways}))
    assert (read.application is not None) is reachable
    assert reachable or faults(read) == [("email.emailAddress", "contact_required")]


@pytest.mark.parametrize(
    ("ways", "reachable"),
    [
        ({"email": {"emailAddress": "a@b.se"}}, True),
        ({"telePhone": "0701740605"}, True),
        ({"workPhone": "0701740605"}, True),
        ({"cellPhone": "0701740605"}, True),
        ({"otherPhone": "0701740605"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("rules", [VISITOR, CALLER])
def test_a_booking_needs_an_email_address_or_a_phone_number(
    ways: dict[str, Any], reachable: bool, rules: ValidationContext
) -> None:
    read = booking(in_json({"updatePerson": {"firstName": "Anna", "lastName": "Å", **ways}}), rules)
    assert (read.application is not None) is reachable
    assert reachable or faults(read) == [("updatePerson.email.emailAddress", "contact_required")]


@pytest.mark.parametrize("rules", [VISITOR, CALLER])
@pytest.mark.parametrize(("customer_id", "same"), [("M12345", True), ("M67890", False)])
def test_a_booking_is_for_the_customer_of_its_path(rules: ValidationContext, customer_id: str, same: bool) -> None:
    read = booking(in_json({"updatePerson": ANNA | {"customerId": customer_id}}), rules)
    assert (read.application is not None) is same
    assert same or faults(read) == [("updatePerson.customerId", "customer_mismatch")]


@pytest.mark.parametrize(
    ("body", "consented"),
    [
        (in_form(ANNA, consent="true"), True),
        (in_form(ANNA, consent="on"), True),
        (in_form(ANNA, consent=" Yes "), True),
        (in_form(ANNA, consent="1"), True),
        (in_form(ANNA), False),
        (in_form(ANNA, consent="false"), False),
        (in_form(ANNA, consent="0"), False),
        (in_form(ANNA, consent="nej"), False),
        (in_json(ANNA | {"consent": True}), True),
        (in_json(ANNA | {"consent": False}), False),
        (in_json(ANNA), False),
    ],
)
def test_consent_is_a_tick(body: Body, consented: bool) -> None:
    read = interest(body, ASKING)
    assert (read.consented_at is not None) is consented
    assert (read.application is not None) is consented
    assert consented or faults(read) == [("consent", "consent_required")]
    assert interest(body, VISITOR).application is not None
    assert interest(body, replace(ASKING, with_key=True)).application is not None


def test_the_time_of_approval_is_a_consent_in_json_and_not_in_a_form() -> None:
    approved = ANNA | {"gdprApprovalDate": "2026-05-01"}
    assert interest(in_json(approved), ASKING).application is not None
    assert booking(in_json({"updatePerson": approved}), ASKING).application is not None
    assert faults(interest(in_form(approved), ASKING)) == [("consent", "consent_required")]


def test_an_approval_in_a_form_is_a_consent_unless_the_box_must_be_ticked() -> None:
    members = ANNA | {"timeSlotId": "S1", "email": "anna@example.se", "gdpr": {"hasApproved": "true"}}
    body = in_form(members)
    for rules in (VISITOR, CALLER, replace(ASKING, with_key=True)):
        assert validate(viewing.ATTEND_POST, body, rules).consented_at == NOW
    assert faults(validate(viewing.ATTEND_POST, body, ASKING)) == [("consent", "consent_required")]


PUBLIC = [post for post in POSTS if post.asks_consent]
SAID_ON = {"gdprApprovalDate": "2026-05-01"}
APPROVED: dict[str, Any] = {"gdpr": {"hasApproved": True}}


def silent(post: PostSpec, **beside: Any) -> dict[str, Any]:
    """The example of a body, without its consent."""
    return {name: value for name, value in post.example.items() if name != "consent"} | beside


def with_the_person(post: PostSpec, members: dict[str, Any]) -> dict[str, Any]:
    return silent(post, **{post.person: post.example[post.person] | members} if post.person else members)


def asked(post: PostSpec, members: dict[str, Any]) -> ValidationResult:
    return validate(post, Body(False, normalize_names(members, post.tree), {}), ASKING)


@pytest.mark.parametrize(
    "approval", [SAID_ON, APPROVED, {"GdprApprovalDate": "2026-05-01"}, {"Gdpr": {"HasApproved": True}}]
)
@pytest.mark.parametrize("post", PUBLIC, ids=lambda post: post.paths[0])
def test_either_of_vitecs_members_is_a_consent_on_every_public_form(post: PostSpec, approval: dict[str, Any]) -> None:
    assert faults(asked(post, silent(post))) == [("consent", "consent_required")]
    for members in (silent(post, **approval), with_the_person(post, approval)):
        read = asked(post, members)
        own = dict(leaves(sent(read))).keys() - dict(leaves(sent(asked(post, silent(post, consent=True))))).keys()
        assert own == {post.approval} or (not own and read.consented_at)


@pytest.mark.parametrize("post", PUBLIC, ids=lambda post: post.paths[0])
def test_the_time_of_approval_is_kept_even_if_vitec_has_no_member_for_it(post: PostSpec) -> None:
    consented_at = asked(post, silent(post, **SAID_ON)).consented_at
    assert consented_at is None or consented_at.isoformat() == "2026-05-01T00:00:00+02:00"
    assert consented_at or post.approval == "gdprApprovalDate"
    ahead = asked(post, silent(post, gdprApprovalDate="2099-01-01")).consented_at
    assert ahead in (None, NOW)


@pytest.mark.parametrize("post", PUBLIC, ids=lambda post: post.paths[0])
@pytest.mark.parametrize(
    ("approval", "fault"),
    [
        ({"gdprApprovalDate": "yesterday"}, ("gdprApprovalDate", "invalid_datetime")),
        ({"gdprApprovalDate": True}, ("gdprApprovalDate", "wrong_type")),
        ({"gdpr": {"hasApproved": "yes"}}, ("gdpr.hasApproved", "wrong_type")),
        ({"gdpr": True}, ("gdpr", "wrong_type")),
        ({"gdpr": {"colour": "red"}}, ("gdpr.colour", "unknown")),
        ({"gdpr": {"hasApproved": False}}, ("consent", "consent_required")),
        ({"gdpr": {}}, ("consent", "consent_required")),
    ],
    ids=str,
)
def test_a_false_or_invalid_approval_is_an_error_on_every_public_form(
    post: PostSpec, approval: dict[str, Any], fault: tuple[str, str]
) -> None:
    found = faults(asked(post, silent(post, **approval)))
    assert fault in found or (
        post.approval == fault[0] == "gdprApprovalDate" and ("consent", "consent_required") in found
    )
    if post.person and fault[0] != "consent" and post.approval != f"{post.person}.{fault[0]}":
        assert (f"{post.person}.{fault[0]}", fault[1]) in faults(asked(post, with_the_person(post, approval)))


def test_an_approval_is_an_unknown_member_where_consent_is_not_asked_for() -> None:
    lead = {"contactId": "C1", "assignedToId": "A1", "leadSourceId": "L1"}
    assert faults(validate(lead_module.POST, in_json(lead | APPROVED), CALLER)) == [("gdpr", "unknown")]


@pytest.mark.parametrize("value", ["true", 1, ["true"], {}])
def test_consent_in_json_is_a_boolean(value: Any) -> None:
    assert faults(interest(in_json(ANNA | {"consent": value}), ASKING)) == [("consent", "wrong_type")]


def test_all_errors_of_a_submission_are_reported_at_once() -> None:
    members = {
        "lastName": "x" * 31,
        "socialSecurityNumber": "1",
        "telephone": {"other": "x"},
        "status": "Sold",
        "colour": "red",
    }
    assert sorted(faults(interest(in_json(members), ASKING))) == [
        ("colour", "unknown"),
        ("consent", "consent_required"),
        ("email.emailAddress", "contact_required"),
        ("firstName", "required"),
        ("lastName", "too_long"),
        ("socialSecurityNumber", "not_allowed"),
        ("status", "invalid_choice"),
        ("telephone.other", "invalid_phone"),
    ]


def test_an_unreadable_body_has_only_that_error() -> None:
    body = Body(False, {}, {}, faults=(FieldError("", "invalid_json"),))
    assert interest(body, ASKING) == ValidationResult(None, None, (FieldError("", "invalid_json"),))


@pytest.mark.parametrize(
    ("members", "ticks", "expected"),
    [
        ({}, {"ticks": "1"}, [False, False, False]),
        ({"smsReminder": "true"}, {"ticks": "1"}, [True, False, False]),
        ({}, {}, [None, None, None]),
        ({"smsReminder": "true"}, {}, [True, None, None]),
    ],
)
def test_a_tick_that_was_removed_in_our_form_is_false(
    members: dict[str, Any], ticks: dict[str, str], expected: list[bool | None]
) -> None:
    body = sent(booking(in_form({"updatePerson": ANNA, **members}, **ticks)))
    assert [body.get(name) for name in ("smsReminder", "mailConfirmation", "smsConfirmation")] == expected


@pytest.mark.parametrize("value", ["x", 1, [], True, ["x"]])
@pytest.mark.parametrize("name", ["updatePerson", "options"])
def test_a_member_of_the_wrong_type_is_an_error_and_not_an_exception(name: str, value: Any) -> None:
    members = {"updatePerson": ANNA} | {name: value}
    assert (name, "wrong_type") in faults(booking(in_json(members), CALLER))


def marketing(body: Body, query: list[tuple[str, str]], referer: str | None = None) -> Marketing:
    read = interest(body)
    assert read.application is not None
    return marketing_of(body, read.application, query, referer)


def test_tags_come_from_the_address_then_the_inputs_then_the_member() -> None:
    member = {"utmTags": [{"name": "utm_source", "value": "3"}, {"name": "utm_term", "value": "3"}]}
    body = replace(
        in_form(ANNA | {"marketing": member}), tags=(("utm_source", "2"), ("utm_medium", "2"), ("utm_term", "2"))
    )
    query = [("utm_source", "1"), ("lang", "sv"), ("title", "x"), ("gclid", "1")]
    tags = [("utm_source", "1"), ("gclid", "1"), ("utm_medium", "2"), ("utm_term", "2")]
    assert marketing(body, query).tags == tuple(tags)


def test_an_empty_member_of_a_tag_counts_as_absent() -> None:
    tag = {"name": "utm_source", "value": "1", "id": None, "note": ""}
    assert marketing(in_json(ANNA | {"marketing": {"utmTags": [tag]}}), []).tags == (("utm_source", "1"),)
    named = in_json(ANNA | {"marketing": {"utmTags": [tag | {"id": 5}]}})
    assert faults(interest(named)) == [("marketing.utmTags.0.id", "unknown")]


@pytest.mark.parametrize(
    ("member", "asked", "referer", "page"),
    [
        ("https://a.se/1", "https://b.se/2", "https://c.se/3", "https://a.se/1"),
        (None, "https://b.se/2", "https://c.se/3", "https://b.se/2"),
        (None, None, "https://c.se/3", "https://c.se/3"),
        ("javascript:x", "about:blank", "https://c.se/3", "https://c.se/3"),
        (None, None, None, None),
    ],
)
def test_the_page_is_the_submitted_one_or_else_the_referer(
    member: str | None, asked: str | None, referer: str | None, page: str | None
) -> None:
    members = ANNA | ({"marketing": {"referrer": member}} if member else {})
    query = [("referrer", asked)] if asked else []
    assert marketing(in_json(members), query, referer).referrer == page
