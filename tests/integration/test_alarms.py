"""Alarms of a running service: sent once when an incident starts, and once when it ends."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select, update

from app.alarms import alerts, detection, runner, store
from app.bootstrap.services import Service
from app.bootstrap.web_app import create_app
from app.cli.service import run
from app.config.settings import Settings
from app.sandbox import Fault, Office
from app.storage.schema import notices, submissions
from app.submissions.erasure import erase
from tests.conftest import API_KEY, CUSTOMER, ORIGIN
from tests.integration.alarm_receivers import SECRET, Hook, PostOffice, hook, post_office
from tests.integration.storage_helpers import opened
from tests.servers import client_of, eventually, serve

Start = Callable[..., httpx.Client]
INTEREST = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
BOOKING = f"/Viewing/{CUSTOMER}/VIS1/SLOT1/Participant"
PERSON = {
    "firstName": "Anna",
    "lastName": "Å",
    "email": {"emailAddress": "anna@example.se"},
    "telephone": {"cell": "0701740605"},
    "contactMessage": "Ring efter fem",
}
VISITOR = {"updatePerson": {"firstName": "Anna", "lastName": "Å", "cellPhone": "0701740605"}}
OPERATOR, BROKER = "drift@example.se", "info@maklarhuset.se"
PERSONAL = ("Anna", "anna@example.se", "701740605", "Ring efter fem", "OBJ1", "VIS1")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "DETECT_SECONDS", 0.05)
    monkeypatch.setattr(runner, "DETECT_SHARE", 1)
    monkeypatch.setattr(runner, "SEND_SECONDS", 0.02)
    monkeypatch.setattr(store, "REPORT_EVERY", timedelta(0))
    monkeypatch.setattr(detection, "REFUSAL_SHOWN_WITHIN", timedelta(seconds=1))
    monkeypatch.setattr(alerts, "RETRY_DELAYS", (timedelta(milliseconds=20),))


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One kind is enough here: `test_incidents` tries the rules on both."""
    return f"sqlite:///{tmp_path}/intresse.db"


@pytest.fixture
def intresse_rows(database_url: str) -> Callable[[], list[Any]]:
    """Returns all submissions as they are when called."""

    def read() -> list[Any]:
        with opened(database_url) as database, database.engine.connect() as connection:
            return list(connection.execute(select(submissions)))

    return read


@pytest.fixture
def webhook() -> Iterator[Hook]:
    with hook() as taking:
        yield taking


@pytest.fixture
def mail() -> Iterator[PostOffice]:
    with post_office() as office:
        yield office


@pytest.fixture
def options(database_url: str, webhook: Hook, mail: PostOffice) -> dict[str, Any]:
    """The configuration of a service with both alert channels, which retries a refused login every second."""
    return {
        "database_url": database_url,
        "vitec": {"paused_probe_seconds": 1},
        "alarms": {
            "webhook_url": webhook.url,
            "webhook_secret": SECRET,
            "smtp_url": f"smtp://127.0.0.1:{mail.port}",
            "mail_from": "intresse@example.se",
            "mail_to": [OPERATOR],
            "language": "en",
        },
    }


def post(client: httpx.Client, path: str = INTEREST, body: dict[str, Any] = PERSON) -> str:
    headers = {"Authorization": f"Bearer {API_KEY}", "Prefer": "respond-async"}
    submission_id: str = client.post(path, json=body, headers=headers).raise_for_status().json()["id"]
    return submission_id


def status(client: httpx.Client, submission_id: str) -> str:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    found: str = client.get(f"/submissions/{submission_id}", headers=headers).json()["status"]
    return found


def make_older(database_url: str, **columns: timedelta) -> None:
    """Shifts the times of all submissions, as if time had passed."""
    with opened(database_url) as database, database.engine.begin() as connection:
        now = datetime.now(UTC)
        connection.execute(update(submissions).values({name: now - age for name, age in columns.items()}))


def subjects(office: PostOffice) -> list[str]:
    return [mail["Subject"] for mail in office.to(OPERATOR)]


def test_a_paused_login_and_its_end_are_alerted_by_webhook_and_mail(
    start: Start, options: dict[str, Any], office: Office, webhook: Hook, mail: PostOffice
) -> None:
    client = start(**options)
    office.inject(Fault(status=401))
    submission_id = post(client)
    eventually(lambda: webhook.alarms("paused") and mail.mails)
    office.clear_faults()
    eventually(lambda: status(client, submission_id) == "delivered")
    eventually(lambda: webhook.alarms("paused", over=True) and len(mail.mails) == 2)
    (raised,) = webhook.alarms("paused")
    assert (raised["customerId"], raised["about"]) == (CUSTOMER, ["advertising"])
    assert subjects(mail) == ["Mäklarhuset: Vitec refuses the login", "Mäklarhuset: Vitec accepts the login again"]
    assert mail.mails[0]["Auto-Submitted"] == "auto-generated"


def test_a_refused_submission_is_an_incident_until_an_operator_deals_with_it(
    start: Start, configure: Callable[..., Settings], options: dict[str, Any], office: Office, webhook: Hook
) -> None:
    client = start(**options)
    office.inject(Fault(status=400, times=1))
    submission_id = post(client)
    eventually(lambda: webhook.alarms("rejected"))
    assert webhook.alarms("rejected")[0]["submissions"][0]["id"] == submission_id

    async def retry(service: Service) -> bool:
        submission = await service.submissions.get(submission_id)
        assert submission is not None
        return await service.operator_actions.retry(submission)

    assert run(configure(**options), retry)
    eventually(lambda: webhook.alarms("rejected", over=True))
    eventually(lambda: status(client, submission_id) == "delivered")
    assert len(webhook.received) == 2


def test_a_booking_refused_after_its_receipt_is_alerted_at_once(
    start: Start,
    options: dict[str, Any],
    office: Office,
    webhook: Hook,
    mail: PostOffice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "REPORT_EVERY", timedelta(hours=1))
    client = start(**options, delivery={"wait_seconds": 0})
    office.inject(Fault(status=400, operation="viewing"))
    for name in ("Anna", "Bo"):
        post(client, BOOKING, {"updatePerson": VISITOR["updatePerson"] | {"firstName": name}})
        eventually(lambda: len(subjects(mail)) == 1 + (name == "Bo"))  # noqa: B023  # it is called here
    assert subjects(mail)[0] == "Mäklarhuset: Vitec refused bookings whose visitors have a receipt (1)"
    eventually(lambda: len(webhook.alarms("refused-booking")) == 2)


def test_a_refusal_that_the_page_showed_to_its_visitor_alarms_nobody(
    start: Start,
    options: dict[str, Any],
    office: Office,
    webhook: Hook,
    intresse_rows: Callable[[], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(detection, "REFUSAL_SHOWN_WITHIN", timedelta(minutes=1))  # on a busy machine it may take long
    client = start(**options)
    office.inject(Fault(status=400, operation="viewing"))
    answer = client.post(BOOKING, json=VISITOR | {"consent": True}, headers={"Origin": ORIGIN})
    assert answer.status_code == 400
    (full,) = eventually(lambda: [row for row in intresse_rows() if row.told_at])
    monkeypatch.setattr(detection, "REFUSAL_SHOWN_WITHIN", timedelta(0))
    office.clear_faults()
    office.inject(Fault(status=400, times=1))
    other = post(client)
    (raised,) = eventually(lambda: webhook.alarms("rejected"))
    assert [submission["id"] for submission in raised["submissions"]] == [other]
    assert full.status == "rejected"


def test_a_booking_that_is_refused_while_its_visitor_waits_is_no_emergency(
    start: Start, options: dict[str, Any], office: Office, webhook: Hook
) -> None:
    office.inject(Fault(status=400, operation="viewing"))
    post(start(**options), BOOKING, VISITOR)
    eventually(lambda: webhook.alarms("rejected"))
    assert webhook.alarms("refused-booking") == []


@pytest.mark.parametrize(
    ("on_ambiguous", "fault", "kind"),
    [
        ("park", Fault(cut=True), "uncertain"),
        ("retry", Fault(cut=True), "uncertain"),
        ("retry", Fault(status=503), "failed"),
    ],
)
def test_uncertain_and_failed_submissions_are_alerted(
    start: Start, options: dict[str, Any], office: Office, webhook: Hook, on_ambiguous: str, fault: Fault, kind: str
) -> None:
    client = start(**options, customer={"on_ambiguous": on_ambiguous}, delivery={"give_up_hours": 0.000001})
    office.inject(fault)
    post(client)
    eventually(lambda: webhook.alarms(kind))


def test_held_submissions_are_alerted(start: Start, options: dict[str, Any], webhook: Hook) -> None:
    post(start(**options, deliver=False))
    with opened(options["database_url"]) as database, database.engine.begin() as connection:
        connection.execute(update(submissions).values(status="held", due_at=None))
    eventually(lambda: webhook.alarms("held"))


def test_held_submissions_are_alerted_again_a_week_before_they_are_discarded_and_when_they_are_released(
    start: Start, configure: Callable[..., Settings], options: dict[str, Any], webhook: Hook, mail: PostOffice
) -> None:
    submission_id = post(start(**options, deliver=False))
    with opened(options["database_url"]) as database, database.engine.begin() as connection:
        connection.execute(update(submissions).values(status="held", due_at=None))
    make_older(options["database_url"], received_at=timedelta(days=22))
    eventually(lambda: webhook.alarms("held"))
    assert webhook.alarms("soon-discarded") == []
    make_older(options["database_url"], received_at=timedelta(days=24))
    eventually(lambda: webhook.alarms("soon-discarded"))
    assert webhook.alarms("soon-discarded")[0]["submissions"][0]["id"] == submission_id

    async def release(service: Service) -> bool:
        submission = await service.submissions.get(submission_id)
        assert submission is not None
        return await service.operator_actions.release(submission)

    assert run(configure(**options), release)
    eventually(lambda: webhook.alarms("soon-discarded", over=True) and webhook.alarms("held", over=True))
    eventually(lambda: len(mail.mails) == 4)
    assert "Mäklarhuset: leads are about to be discarded (1)" in subjects(mail)
    assert len(webhook.received) == 4


def test_an_overdue_submission_and_its_delivery_are_alerted(
    start: Start, options: dict[str, Any], office: Office, webhook: Hook
) -> None:
    client = start(**options, delivery={"retry_seconds": [1]})
    office.inject(Fault(status=503))
    post(client)
    make_older(options["database_url"], delivery_since=timedelta(minutes=61))
    eventually(lambda: webhook.alarms("overdue"))
    office.clear_faults()
    eventually(lambda: webhook.alarms("overdue", over=True))
    assert len(webhook.received) == 2


def test_receivers_that_are_down_hold_up_nothing_and_get_the_alert_later_with_the_same_id(
    start: Start, options: dict[str, Any], office: Office, webhook: Hook, mail: PostOffice
) -> None:
    webhook.refuses, mail.refuses = 1_000_000, 1_000_000
    client = start(**options)
    office.inject(Fault(status=400, times=1))
    post(client)
    eventually(lambda: len(webhook.ids) > 2)
    delivered = client.post(INTEREST, json=PERSON, headers={"Authorization": f"Bearer {API_KEY}"})
    assert delivered.status_code == 200
    webhook.refuses = mail.refuses = 0
    eventually(lambda: webhook.received and mail.mails)
    assert len(set(webhook.ids)) == 1
    assert len(mail.mails) == len(webhook.received) == 1


def test_a_recipient_that_is_refused_for_now_gets_the_alert_later_and_nobody_twice(
    start: Start, options: dict[str, Any], office: Office, mail: PostOffice
) -> None:
    mail.greylisted.add(OPERATOR)
    options["alarms"] |= {"mail_to": [OPERATOR, BROKER]}
    client = start(**options)
    office.inject(Fault(status=400, times=1))
    post(client)
    eventually(lambda: mail.to(BROKER))
    mail.greylisted.clear()
    eventually(lambda: mail.to(OPERATOR))
    assert len(mail.mails) == 2


def test_neither_a_restart_nor_a_second_process_repeats_or_loses_an_alert(
    start: Start,
    configure: Callable[..., Settings],
    options: dict[str, Any],
    office: Office,
    webhook: Hook,
    mail: PostOffice,
) -> None:
    webhook.refuses = 1_000_000
    office.inject(Fault(status=400))
    with serve(create_app(configure(**options))) as url, client_of(url) as before:
        post(before)
        eventually(lambda: mail.mails and webhook.ids)
    webhook.refuses = 0
    both = [start(**options), start(**options)]
    eventually(lambda: webhook.received)
    for number, client in enumerate(both, 2):
        post(client, body=PERSON | {"firstName": f"Bo {number}"})
        eventually(lambda: len(webhook.received) == len(mail.mails) == number)  # noqa: B023  # it is called here
    assert len(set(webhook.ids)) == len(webhook.received)
    assert len({alarm["submissions"][0]["id"] for alarm in webhook.alarms("rejected")}) == 3


def test_an_alarm_contains_no_personal_data(
    start: Start, options: dict[str, Any], office: Office, webhook: Hook, mail: PostOffice
) -> None:
    client = start(**options)
    office.inject(Fault(status=400, body='{"message": "Anna får inte", "modelState": {}}'))
    post(client)
    eventually(lambda: webhook.received and mail.mails)
    text = "".join(webhook.bodies) + mail.mails[0].as_string() + mail.mails[0].get_content()
    assert not [word for word in PERSONAL if word in text]


def test_an_office_with_lead_mail_gets_the_lead_while_vitec_is_down_and_an_alert_when_it_arrives(
    start: Start, options: dict[str, Any], office: Office, webhook: Hook, mail: PostOffice
) -> None:
    client = start(
        **options, delivery={"retry_seconds": [1]}, customer={"lead_mail": {"to": BROKER, "after_minutes": 1}}
    )
    office.inject(Fault(status=503))
    submission_id = post(client)
    make_older(options["database_url"], received_at=timedelta(minutes=2))
    (lead,) = eventually(lambda: mail.to(BROKER))
    assert lead["Subject"].startswith("En anmälan som inte har nått Vitec än (")
    for words in ("Förnamn: Anna", "Mobil: +46701740605", "E-post: anna@example.se", "Meddelande: Ring efter fem"):
        assert words in lead.get_content()
    office.clear_faults()
    eventually(lambda: status(client, submission_id) == "delivered")
    eventually(lambda: len(mail.to(BROKER)) == 2)
    assert "väntar inte längre" in mail.to(BROKER)[1]["Subject"]
    assert webhook.alarms("undelivered") == []
    with opened(options["database_url"]) as database, database.engine.connect() as connection:
        kept = "".join(str(row) for row in connection.execute(select(notices)))
    assert not [word for word in PERSONAL if word in kept]


SELLER: dict[str, Any] = {"firstName": "Anna", "lastName": "Å", "email": "anna@example.se", "cellPhone": "0701740605"}
SELLER |= {"address": {"streetAddress": "Storgatan 1", "city": "Ankeborg"}, "lead": {"message": "Ring efter fem"}}
WATCHER = {name: PERSON[name] for name in PERSON if name != "contactMessage"}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (
            f"/v2/Advertising/Form/{CUSTOMER}/Valuation",
            SELLER,
            ("Gäller: Värdering", "Gatuadress: Storgatan 1", "Meddelande: Ring efter fem"),
        ),
        (
            f"/Advertising/Estate/{CUSTOMER}/OBJ1/FinalPriceWatched",
            {"person": WATCHER, "message": "Ring efter fem", "marketing": {"referrer": f"{ORIGIN}/hem"}},
            (
                "Gäller: Slutpris",
                "Id i Vitec: OBJ1",
                "Meddelande: Ring efter fem",
                f"Sida: {ORIGIN}/hem",
            ),
        ),
    ],
    ids=["valuation", "final price"],
)
def test_lead_mail_covers_valuations_and_final_prices_too(
    start: Start,
    options: dict[str, Any],
    office: Office,
    mail: PostOffice,
    path: str,
    body: Any,
    words: tuple[str, ...],
) -> None:
    customer = {"valuation": {}, "final_price": {}, "lead_mail": {"to": BROKER, "after_minutes": 1}}
    client = start(**options, customer=customer)
    office.inject(Fault(status=503))
    post(client, path, body)
    make_older(options["database_url"], received_at=timedelta(minutes=2))
    (lead,) = eventually(lambda: mail.to(BROKER))
    for line in ("Förnamn: Anna", "Mobil: +46701740605", "E-post: anna@example.se", *words):
        assert line in lead.get_content()


def test_lead_mail_of_a_lead_that_has_stopped_does_not_promise_that_it_will_be_sent(
    start: Start, options: dict[str, Any], office: Office, mail: PostOffice
) -> None:
    client = start(**options, customer={"lead_mail": {"to": BROKER, "after_minutes": 1}})
    office.inject(Fault(status=400))
    post(client)
    eventually(lambda: mail.to(OPERATOR))
    make_older(options["database_url"], received_at=timedelta(minutes=2))
    (lead,) = eventually(lambda: mail.to(BROKER))
    assert "skickas inte till Vitec igen av sig själv" in lead.get_content()


def test_lead_mail_of_a_cancellation_names_the_visitor_the_home_and_the_time(
    start: Start, options: dict[str, Any], office: Office, mail: PostOffice
) -> None:
    customer = {"viewing": {"cancel": True}, "lead_mail": {"to": BROKER, "after_minutes": 1}}
    client = start(**options, customer=customer, delivery={"wait_seconds": 1})
    typed = {"firstName": "Anna", "lastName": "Å", "cellPhone": "0701740605", "consent": "on"}
    home = {"estate": "OBJ1", "title": "Storgatan 1", "slots": "SLOT1@2099-12-06T13:00/2099-12-06T13:15"}
    booked = client.post(f"{BOOKING}?{urlencode(home)}", data=typed, headers={"Origin": ORIGIN})
    receipt = httpx.URL(booked.headers["location"])
    office.inject(Fault(status=503, operation="cancellation"))
    client.post(f"{receipt.path}/cancellation?{receipt.query.decode()}", timeout=30)
    make_older(options["database_url"], received_at=timedelta(minutes=2))
    (lead,) = eventually(lambda: mail.to(BROKER))
    words = ("Gäller: Avbokning", "Bostad: Storgatan 1", "Tid: 6 december 13:00")
    for line in (*words, "Förnamn: Anna", "Mobil: +46701740605"):
        assert line in lead.get_content()


@pytest.mark.parametrize("is_erased", [True, False], ids=["erased", "delivered"])
def test_a_mail_about_a_lead_that_is_erased_or_delivered_meanwhile_is_not_sent(
    start: Start, options: dict[str, Any], office: Office, mail: PostOffice, database_url: str, is_erased: bool
) -> None:
    mail.refuses = 1_000_000
    client = start(
        **options, customer={"lead_mail": {"to": BROKER, "after_minutes": 1}}, delivery={"retry_seconds": [1]}
    )
    office.inject(Fault(status=503))
    submission_id = post(client)
    make_older(options["database_url"], received_at=timedelta(minutes=2))

    def queued() -> list[Any]:
        with opened(database_url) as database, database.engine.connect() as connection:
            of_office = notices.c.receiver == "office"
            return list(connection.execute(select(notices).where(of_office)))

    eventually(lambda: [alert for alert in queued() if alert.attempts > 1])
    if is_erased:
        with opened(database_url) as database, database.engine.begin() as connection:
            erase(connection, [submission_id])
    else:
        office.clear_faults()
    eventually(lambda: queued() and not [alert for alert in queued() if not alert.over and alert.due_at])
    mail.refuses = 0
    assert not [message for message in mail.to(BROKER) if "Anna" in message.get_content()]
