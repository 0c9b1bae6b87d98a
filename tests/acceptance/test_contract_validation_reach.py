"""Validation of e-mail addresses and phone numbers; one of them is enough."""

import pytest

from tests.acceptance.bodies import SITE, Members, fields, interest_path, viewing_path
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService
from tests.acceptance.single_member import UNREACHABLE, accepted, refused


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
def test_an_email_address_may_have_100_characters(service: RunningService, name: str) -> None:
    assert accepted(service, name, an_address(100)) == an_address(100)
    refused(service, name, an_address(101))


@pytest.mark.parametrize(
    "way",
    [
        {"email": {"emailAddress": "anna@example.se"}},
        {"telephone": {"home": "08-123 456 78"}},
        {"telephone": {"work": "08-123 456 78"}},
        {"telephone": {"cell": "070-174 06 05"}},
    ],
)
def test_any_one_way_to_reach_the_person_of_an_interest_is_enough(service: RunningService, way: Members) -> None:
    assert service.published(interest_path(), UNREACHABLE | way | {"consent": True})


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
def test_without_email_home_work_or_mobile_number_an_interest_is_refused(service: RunningService, way: Members) -> None:
    body = UNREACHABLE | way | {"consent": True}
    [name] = service.faults(interest_path(), body, SITE)
    assert name.partition(".")[0] in {"email", "telephone"}
    answer = service.client.post(interest_path(), data=fields(body), headers=SITE)
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
def test_any_one_way_to_reach_the_person_of_a_booking_is_enough(service: RunningService, way: Members) -> None:
    assert service.published(viewing_path(), {"updatePerson": UNREACHABLE | way, "consent": True})


@pytest.mark.parametrize(
    "way", [{}, {"email": {"emailAddress2": "anna@example.se"}}, {"otherPhone": "070-174 06 05"}, {"cellPhone": " "}]
)
def test_without_email_home_work_or_mobile_number_a_booking_is_refused(service: RunningService, way: Members) -> None:
    body = {"updatePerson": UNREACHABLE | way, "consent": True}
    [name] = service.faults(viewing_path(), body, SITE)
    assert name.startswith("updatePerson.")
    answer = service.client.post(viewing_path(), data=fields(body), headers=SITE)
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
def test_a_phone_number_is_taken_as_people_write_it(service: RunningService, typed: str, number: str) -> None:
    for name in ("telephone.cell", "updatePerson.telePhone"):
        sent = accepted(service, name, typed)
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
def test_a_phone_number_that_cannot_be_dialled_is_refused(service: RunningService, name: str, typed: str) -> None:
    refused(service, name, typed)


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
def test_a_real_email_address_is_taken(service: RunningService, address: str) -> None:
    for name in EMAILS:
        assert str(accepted(service, name, address)).partition("@")[0] == address.strip().partition("@")[0]


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
def test_what_is_no_email_address_is_refused(service: RunningService, name: str, address: str) -> None:
    refused(service, name, address)
