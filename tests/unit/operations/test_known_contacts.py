"""Leads and loan promises: the strict sandbox accepts what we accept; we refuse what it refuses by a rule."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.characters import trim
from app.domain.marketing import Marketing
from app.domain.submission import Operation
from app.operations import lead, loan_promise
from app.operations.interest import InterestDefaults
from app.operations.lead import LeadDefaults
from app.operations.loan_promise import Financing, LoanEstateType, LoanPromiseStatus
from app.operations.planning import Defaults, DeliveryRequest, SubmissionContext
from app.operations.registry import OPERATIONS, plan
from app.operations.viewing import ViewingDefaults
from app.sandbox import schemas
from app.sandbox.answers import RefusedError
from app.sandbox.validation import read_body, unknown_members
from app.web.operations.body import as_form, parse_json
from app.web.operations.validation import ValidationContext, validate

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SAID = SubmissionContext(with_key=True, consented_at=None, marketing=Marketing())
DEFAULTS = Defaults(InterestDefaults(), ViewingDefaults(), LeadDefaults(lead_source_id="LS1", assigned_to_id="GROUP1"))
VITECS: dict[Operation, type[schemas.Body]] = {
    Operation.LEAD: schemas.Lead,
    Operation.LOAN_PROMISE: schemas.LoanPromise,
}
BOUNDED = settings(max_examples=400, deadline=None)


def ours(operation: Operation, members: dict[str, Any], *, form: bool = False) -> dict[str, Any] | None:
    """The body that we would send to Vitec for a caller with an API key; None if we refuse."""
    spec = lead.POST if operation is Operation.LEAD else loan_promise.POST
    with_key = ValidationContext("M12345", True, False, False, NOW, filled=OPERATIONS[operation].filled(DEFAULTS))
    body = as_form(list(members.items()), [], spec) if form else parse_json(json.dumps(members).encode())
    application = validate(spec, body, with_key).application
    if application is None:
        return None
    resource = ("C1",) if operation is Operation.LOAN_PROMISE else ()
    return dict(plan(DeliveryRequest("M12345", operation, resource, application, SAID), DEFAULTS)[-1].body)


def vitec_takes(operation: Operation, body: dict[str, Any]) -> bool:
    try:
        read_body(json.dumps(body, ensure_ascii=False).encode(), "application/json", VITECS[operation], "body")
    except RefusedError:
        return False
    return True


texts = st.text(st.characters(codec="utf-8"), max_size=60) | st.text("aÅ😀 \u200b\ufeff\n\x85\u2028\x00\t", max_size=45)
ids = st.text(st.sampled_from("aZ0_-.Å😀 "), max_size=42)
odd = st.none() | st.booleans() | st.integers(-3, 12) | st.floats(allow_nan=False, allow_infinity=False) | texts
moments = st.one_of(
    st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)).map(datetime.isoformat),
    st.dates().map(lambda day: day.isoformat()),
    st.dates().map(lambda day: f"{day.isocalendar().year:04}-W{day.isocalendar().week:02}"),
    st.dates().map(lambda day: day.strftime("%Y%m%d")),
    st.sampled_from(
        [
            "2026-12-31T10:00Z",
            "2026-12-31T10:00:00+14:00",
            "2026-12-31T10:00:00+01:00:30",
            "2026-12-31 10:00",
            "2026-12-31T24:00:00",
            "2026-12-31T23:59:60",
            "1850-01-01",
            "0001-01-01",
            "9999-12-31",
            "2026-12-31T10:00:00.1234567+01:00",
        ]
    ),
)


def choice(enum: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([*(member.value for member in enum), *range(-1, 9), "", "house", "1"]) | odd


marketings = st.fixed_dictionaries(
    {}, optional={"referrer": texts, "utmTags": st.lists(st.fixed_dictionaries({"name": texts, "value": texts}))}
)
leads = st.fixed_dictionaries(
    {"contactId": ids | odd},
    optional={
        **dict.fromkeys(("assignedToId", "leadSourceId", "officeId", "assignmentSourceId", "message"), texts | odd),
        "marketing": marketings | odd,
    },
)
promises = st.fixed_dictionaries(
    {},
    optional={
        "bank": texts | odd,
        "validUntil": moments | odd,
        "estateId": texts | odd,
        "estateType": choice(LoanEstateType),
        "status": choice(LoanPromiseStatus),
        "financing": choice(Financing),
    },
)


@pytest.mark.parametrize("member", ["assignedToId", "leadSourceId"])
@pytest.mark.parametrize("blank", ["", " \t", "\u200b", "\ufeff \u200b", "\u2003"], ids=ascii)
def test_a_blank_required_member_is_filled_in_or_refused(member: str, blank: str) -> None:
    body = ours(Operation.LEAD, {"contactId": "C1", member: blank})
    assert body is None or body[member] in {"LS1", "GROUP1"}


@BOUNDED
@given(members=leads)
def test_whatever_lead_we_accept_vitec_accepts(members: dict[str, Any]) -> None:
    body = ours(Operation.LEAD, members)
    assert body is None or (vitec_takes(Operation.LEAD, body) and not list(unknown_members(body, schemas.Lead)))


@BOUNDED
@given(members=promises)
def test_whatever_loan_promise_we_accept_vitec_accepts(members: dict[str, Any]) -> None:
    body = ours(Operation.LOAN_PROMISE, members)
    taken = body is None or vitec_takes(Operation.LOAN_PROMISE, body)
    assert taken, body
    assert not list(unknown_members(body, schemas.LoanPromise))


@BOUNDED
@given(moment=moments)
def test_whatever_date_we_accept_vitec_accepts(moment: str) -> None:
    body = ours(Operation.LOAN_PROMISE, {"validUntil": moment})
    assert body is None or vitec_takes(Operation.LOAN_PROMISE, body), body


# Our date-time and enums by name are more generous than Vitec's on purpose, and blank is "not said".
GENEROUS = ("validUntil", "estateType", "status", "financing")


def stated(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None and name not in GENEROUS}


@BOUNDED
@given(members=leads)
def test_a_lead_that_vitec_refuses_by_its_rules_is_refused(members: dict[str, Any]) -> None:
    body = {"assignedToId": "A", "leadSourceId": "L"} | stated(members)
    blank = [name for name, value in body.items() if isinstance(value, str) and not trim(value)]
    trimmed = {name: trim(value) if isinstance(value, str) else value for name, value in body.items()}
    trimmed.pop("marketing", None)  # a tag never costs a lead
    if not blank and not vitec_takes(Operation.LEAD, trimmed):
        assert ours(Operation.LEAD, body) is None


@BOUNDED
@given(members=promises)
def test_a_loan_promise_that_vitec_refuses_by_its_rules_is_refused(members: dict[str, Any]) -> None:
    # A 0 where Vitec counts from 1 is what .NET sends for an enum that was not set.
    body = {name: value for name, value in stated(members).items() if name == "financing" or value != 0}
    if not vitec_takes(Operation.LOAN_PROMISE, body):
        assert ours(Operation.LOAN_PROMISE, body) is None


@pytest.mark.parametrize(
    ("member", "enum", "first"),
    [("estateType", LoanEstateType, 1), ("status", LoanPromiseStatus, 1), ("financing", Financing, 0)],
)
def test_each_choice_is_accepted_by_name_or_vitecs_number_and_nothing_else(member: str, enum: Any, first: int) -> None:
    names = [choice.value for choice in enum]
    for number, name in enumerate(names, first):
        for value in (name, number):
            assert ours(Operation.LOAN_PROMISE, {member: value}) == {member: name}
        assert vitec_takes(Operation.LOAN_PROMISE, {member: number})
        assert ours(Operation.LOAN_PROMISE, {member: str(number)}, form=True) == {member: name}
    assert first == 0 or ours(Operation.LOAN_PROMISE, {member: 0}) == {}
    for wrong in (-1, first + len(names), -1, "Castle", True, 1.0, [names[0]], "٣", "1" * 30, "+1"):
        assert ours(Operation.LOAN_PROMISE, {member: wrong}) is None, wrong


def test_a_contact_id_has_one_to_forty_utf16_units() -> None:
    for right in ("C", "C" * 40, "😀" * 20, f" {'C' * 40}\t"):
        body = ours(Operation.LEAD, {"contactId": right})
        assert body
        assert body["contactId"] == right.strip()
    for wrong in ("", " ", "C" * 41, "😀" * 20 + "C", "a\nb", 5, None):
        assert ours(Operation.LEAD, {"contactId": wrong}) is None, wrong


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("2026-12-31", "2026-12-31T23:59:59+01:00"),
        ("2027-06-30", "2027-06-30T23:59:59+02:00"),
        (" 2027-06-30 ", "2027-06-30T23:59:59+02:00"),
        ("2027-03-28", "2027-03-28T23:59:59+02:00"),
        ("2026-12-31T10:00:00", "2026-12-31T10:00:00+01:00"),
        ("2026-12-31T10:00:00Z", "2026-12-31T10:00:00Z"),
        ("2026-12-31T10:00:00-05:00", "2026-12-31T10:00:00-05:00"),
    ],
)
def test_a_bare_valid_until_is_that_days_last_second_in_sweden(value: str, sent: str) -> None:
    assert ours(Operation.LOAN_PROMISE, {"validUntil": value}) == {"validUntil": sent}


@pytest.mark.parametrize("value", ["20261231", "2026-W53-4"])
def test_a_bare_date_in_iso_8601s_other_spellings_is_that_days_last_second_too_or_refused(value: str) -> None:
    assert ours(Operation.LOAN_PROMISE, {"validUntil": value}) in (None, {"validUntil": "2026-12-31T23:59:59+01:00"})


@pytest.mark.parametrize("wrong", ["2026-02-30", "2026-13-01", "31/12 2026", "soon", "10:00", 1798675200, True])
def test_an_invalid_datetime_is_refused(wrong: Any) -> None:
    assert ours(Operation.LOAN_PROMISE, {"validUntil": wrong}) is None
