"""Validation: whatever we accept, Vitec accepts."""

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.bodies import Members, faults_of, interest, interest_path, key, viewing_path
from tests.acceptance.running_service import RunningService
from tests.acceptance.single_member import HOUSE

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


def check(service: RunningService, path: str, body: Members) -> None:
    answer = service.client.post(path, json=body, headers=key())
    if answer.status_code == 200:
        assert service.delivered(path)
    else:
        assert faults_of(answer)  # and not Vitec's refusal, which has no errors


@CHECKED
@given(body=INTERESTS)
def test_whatever_we_accept_as_an_interest_vitec_accepts(service: RunningService, body: Members) -> None:
    check(service, interest_path(), body)


@CHECKED
@given(body=BOOKINGS)
def test_whatever_we_accept_as_a_booking_vitec_accepts(service: RunningService, body: Members) -> None:
    check(service, viewing_path(), body)


@CHECKED
@given(address=st.emails())
def test_any_email_address_that_the_standard_allows_is_either_sent_or_reported(
    service: RunningService, address: str
) -> None:
    check(service, interest_path(), interest(email={"emailAddress": address}))
