"""A stored application gives the same plan again, for every operation. Retries depend on it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.domain.consent import ConsentRecord
from app.domain.datetimes import STOCKHOLM
from app.domain.fields import ReadContext
from app.domain.marketing import normalize_marketing
from app.domain.submission import Operation, Status, Submission
from app.operations.final_price import FinalPriceDefaults
from app.operations.interest import InterestDefaults
from app.operations.lead import LeadDefaults
from app.operations.planning import Defaults, DeliveryRequest, SubmissionContext
from app.operations.registry import OPERATIONS, plan
from app.operations.stored_application import StoredApplication, StoredApplicationError
from app.operations.valuation import ValuationDefaults
from app.operations.viewing import ViewingDefaults
from tests.unit.operations.test_known_contacts import leads, moments, promises, texts

NOW = datetime(2026, 11, 22, 12, 0, 30, 123456, tzinfo=UTC)
LEAD = LeadDefaults(
    when="always",
    lead_source_id="LS1",
    assigned_to_id="contact-agent",
    fallback_assigned_to_id="FALL",
    office_id="O1",
    assignment_source_id="AS1",
)
CONFIGURED = Defaults(
    InterestDefaults(lead_source_id="L", marketing="lead"),
    ViewingDefaults(lead_source_id="L"),
    ValuationDefaults(lead_source_id="L", receiver_user_id="U"),
    FinalPriceDefaults(status="Assigned"),
    LEAD,
)
BOUNDED = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])

phones = st.sampled_from(
    ["070-174 06 05", "08-123 456 78 ankn 12", "+46 8 12345678 ext 1234", "+1 650 253 0000", "0046701740605"]
)
emails = st.sampled_from(["anna@example.se", "ANNA@Exämple.SE", "a+b@xn--exmple-cua.se", "é@example.se"])
address = st.fixed_dictionaries(
    {}, optional={"streetAddress": texts, "zipCode": st.sampled_from(["12345", "123 45", "0150"]), "city": texts}
)
numbers = st.integers(0, 10**30) | st.floats(0, 1e30) | st.sampled_from([0, 3.5, 79228162514264337593543950335])
foreign = {
    "isForeignSocialSecurityNumber": st.booleans(),
    "socialSecurityNumber": st.sampled_from(["19811218-9876", "x"]),
}
interests = st.fixed_dictionaries(
    {"firstName": texts, "lastName": texts},
    optional={
        "telephone": st.fixed_dictionaries({}, optional={"cell": phones, "home": phones}),
        "email": st.fixed_dictionaries({}, optional={"emailAddress": emails}),
        "address": address,
        "contactMessage": texts,
        "gdprApprovalDate": moments,
        "status": st.integers(0, 3),
        "presentAccommodation": st.fixed_dictionaries({}, optional={"price": numbers, "estateType": st.integers(0, 9)}),
        **foreign,
    },
)
bookings = st.fixed_dictionaries(
    {
        "updatePerson": st.fixed_dictionaries(
            {"firstName": texts, "lastName": texts},
            optional={
                "cellPhone": phones,
                "email": st.fixed_dictionaries({}, optional={"emailAddress": emails}),
                "address": address,
                "approvalDate": moments,
                "gdprApprovalDate": moments,
                "categoryIds": st.lists(texts, max_size=3),
                "note": texts,
                "leadScore": st.integers(-3, 3) | st.just(2.0),
                "obtainThrough": st.integers(0, 6),
                **foreign,
            },
        )
    },
    optional={"reminderTime": st.integers(0, 90), "smsReminder": st.booleans(), "returnBookingId": st.booleans()},
)
lead_of_a_seller = dict.fromkeys(("assignmentSourceId", "leadSourceId", "message"), texts)
valuations = st.fixed_dictionaries(
    {"firstName": texts, "lastName": texts},
    optional={
        "cellPhone": phones,
        "email": emails,
        "address": address,
        "gdpr": st.fixed_dictionaries({}, optional={"hasApproved": st.booleans()}),
        "lead": st.fixed_dictionaries({}, optional=lead_of_a_seller),
        "receiver": st.fixed_dictionaries({}, optional={"userId": texts}),
    },
)
watchers = st.fixed_dictionaries(
    {"firstName": texts, "lastName": texts},
    optional={
        "telephone": st.fixed_dictionaries({}, optional={"cell": phones, "work": phones}),
        "email": st.fixed_dictionaries({}, optional={"emailAddress": emails}),
        "address": address,
        **foreign,
    },
)
final_prices = st.fixed_dictionaries(
    {"person": watchers},
    optional={"prospectiveBuyerStatus": st.integers(0, 2), "leadSourceId": texts, "message": texts},
)
cancelled = st.fixed_dictionaries(
    {"booking": texts}, optional={"firstName": texts, "lastName": texts, "email": emails, "cellPhone": texts}
)
tags = st.lists(st.tuples(st.sampled_from(["utm_source", "UTM_X", "gclid"]), texts), max_size=4)


def again(order: DeliveryRequest) -> DeliveryRequest:
    """The application as it is read back from the disk."""
    kept = json.loads(json.dumps(StoredApplication.of(order, ()).to_json(), ensure_ascii=False).encode())
    submission = Submission(
        "id", order.customer_id, order.operation, order.resource, Status.PENDING, "sv", NOW, None, ()
    )
    return StoredApplication.from_json(kept).request(submission)


def check(operation: Operation, members: dict[str, Any], pairs: list[tuple[str, str]], with_key: bool) -> None:
    try:
        application = (
            OPERATIONS[operation].posts[0].model.model_validate(members, context=ReadContext(form=False, now=NOW))
        )
    except ValidationError:
        return
    consented = None if with_key else (NOW - timedelta(seconds=1)).astimezone(STOCKHOLM)
    context = SubmissionContext(with_key, consented, normalize_marketing(tuple(pairs), ["https://example.se/hem?x=å"]))
    resource = tuple(f"R{number}" for number in range(OPERATIONS[operation].posts[0].id_count))
    order = DeliveryRequest("M12345", operation, resource, application, context)
    for defaults in (
        CONFIGURED,
        Defaults(InterestDefaults(), ViewingDefaults(sms_reminder=False, mail_confirmation=False)),
    ):
        assert plan(again(order), defaults) == plan(order, defaults)
    assert again(order).submitted == order.submitted


@BOUNDED
@given(members=interests, pairs=tags, with_key=st.booleans())
def test_an_interest_plans_the_same_again(
    members: dict[str, Any], pairs: list[tuple[str, str]], with_key: bool
) -> None:
    check(Operation.INTEREST, members, pairs, with_key)


@BOUNDED
@given(members=bookings, pairs=tags, with_key=st.booleans())
def test_a_booking_plans_the_same_again(members: dict[str, Any], pairs: list[tuple[str, str]], with_key: bool) -> None:
    check(Operation.VIEWING, members, pairs, with_key)


@BOUNDED
@given(members=leads, pairs=tags, with_key=st.booleans())
def test_a_lead_plans_the_same_again(members: dict[str, Any], pairs: list[tuple[str, str]], with_key: bool) -> None:
    check(Operation.LEAD, members, pairs, with_key)


@BOUNDED
@given(members=promises, with_key=st.booleans())
def test_a_loan_promise_plans_the_same_again(members: dict[str, Any], with_key: bool) -> None:
    check(Operation.LOAN_PROMISE, members, [], with_key)


@BOUNDED
@given(members=valuations, pairs=tags, with_key=st.booleans())
def test_a_valuation_plans_the_same_again(
    members: dict[str, Any], pairs: list[tuple[str, str]], with_key: bool
) -> None:
    check(Operation.VALUATION, members, pairs, with_key)


@BOUNDED
@given(members=final_prices, pairs=tags, with_key=st.booleans())
def test_a_final_price_plans_the_same_again(
    members: dict[str, Any], pairs: list[tuple[str, str]], with_key: bool
) -> None:
    check(Operation.FINAL_PRICE, members, pairs, with_key)


@BOUNDED
@given(members=cancelled)
def test_a_cancellation_plans_the_same_again_and_keeps_whose_it_is(members: dict[str, Any]) -> None:
    check(Operation.CANCELLATION, members, [], False)


@pytest.mark.parametrize("name", ["\u200b \u200b \u200b", "\ufeff \u200bÅ", "\u200b\n\u200b \ufeff x"], ids=ascii)
def test_a_name_with_invisible_edges_plans_the_same_again(name: str) -> None:
    check(Operation.INTEREST, {"firstName": name, "lastName": "Å"}, [], True)


WHOLE = StoredApplication(
    ("OBJ1",),
    {"firstName": "Anna"},
    SubmissionContext(
        False, NOW.replace(microsecond=0), normalize_marketing((("utm_source", "google"),), ["https://a.se/1"])
    ),
    ConsentRecord(1, "sv", "Mäklarhuset", None),
    "OBJ1",
    "Storgatan 1",
    NOW.replace(microsecond=0),
    ({"firstName": "Anna"}, {}),
    (("OBJ1",), ("C1",)),
)


def test_a_stored_application_is_read_back_unchanged() -> None:
    assert StoredApplication.from_json(json.loads(json.dumps(WHOLE.to_json()))) == WHOLE


def test_the_time_of_consent_is_stored_to_the_second() -> None:
    exact = replace(WHOLE, context=replace(WHOLE.context, consented_at=NOW))
    assert StoredApplication.from_json(json.loads(json.dumps(exact.to_json()))) == WHOLE


def test_campaigns_and_homes_are_read_from_it() -> None:
    assert WHOLE.campaign.source == "google"


def test_applications_stored_with_complete_bodies_are_still_read() -> None:
    stored = {name: value for name, value in WHOLE.to_json().items() if name != "differences"}
    stored["bodies"] = [dict(body) for body in WHOLE.bodies]
    assert StoredApplication.from_json(json.loads(json.dumps(stored))) == WHOLE


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 1) | st.sampled_from([0.0, 1.0, "", "1", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
MEMBERS = st.dictionaries(st.sampled_from(["a", "b", "c"]), JSON_VALUES)


@given(MEMBERS, st.lists(st.tuples(MEMBERS, st.sets(st.sampled_from(["a", "b", "c", "marketing"]))), max_size=3))
def test_bodies_are_read_as_they_were_however_they_differ_from_what_was_submitted(
    submitted: dict[str, Any], changes: list[tuple[dict[str, Any], set[str]]]
) -> None:
    marketing = WHOLE.context.marketing.member
    bodies = [
        {name: value for name, value in {**submitted, "marketing": marketing, **more}.items() if name not in left_out}
        for more, left_out in changes
    ]
    stored = json.dumps(replace(WHOLE, submitted=submitted, bodies=tuple(bodies)).to_json())
    read = StoredApplication.from_json(json.loads(stored)).bodies
    assert [json.dumps(body, sort_keys=True) for body in read] == [json.dumps(body, sort_keys=True) for body in bodies]


def test_a_member_that_is_sent_as_submitted_is_stored_once() -> None:
    order = replace(WHOLE, bodies=({**WHOLE.submitted, "marketing": WHOLE.context.marketing.member},))
    assert order.to_json()["differences"] == [{"set": {}, "unset": []}]


_STORED = WHOLE.to_json()
_NO_DIFFERENCES: list[Any] = [None, [1], [{}], [{"set": {}}], [{"set": 1, "unset": []}]]
DAMAGED: list[Any] = [
    *(None, [], "text", 7, {}),
    *({**_STORED, "differences": damaged} for damaged in _NO_DIFFERENCES),
    *({**_STORED, name: "x"} for name in ("application", "marketing", "consent", "consentedAt")),
    *({**_STORED, "bodies": None}, {**_STORED, "bodies": [1]}),
    *({name: value for name, value in _STORED.items() if name != gone} for gone in ("resource", "withKey")),
]


@pytest.mark.parametrize("stored", DAMAGED, ids=range(len(DAMAGED)))
def test_a_value_that_is_not_a_stored_application_is_recognised(stored: Any) -> None:
    with pytest.raises(StoredApplicationError):
        StoredApplication.from_json(stored)
