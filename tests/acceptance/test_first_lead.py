"""A visitor's interest reaches the CRM, on either database."""

from collections.abc import Callable

import httpx

from app.sandbox import Office
from tests.conftest import CUSTOMER, ORIGIN
from tests.servers import eventually


def test_an_interest_posted_as_a_form_reaches_the_crm(
    database_url: str, start: Callable[..., httpx.Client], office: Office
) -> None:
    if database_url.startswith("postgresql"):
        from app.storage.database import Database
        from app.storage.migrations import upgrade

        database = Database(database_url)
        assert upgrade(database)
        database.close()
    client = start(database_url=database_url)
    answer = client.post(
        f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest?utm_source=google",
        data={"firstName": "Anna", "lastName": "Å", "telephone.cell": "070-174 06 05", "consent": "true"},
        headers={"Origin": ORIGIN},
    )
    assert answer.status_code == 303, answer.text
    assert "Tack" in client.get(answer.headers["location"]).text
    received = eventually(lambda: office.received)[0]
    assert received.body["telephone"] == {"cell": "+46701740605"}
    assert received.body["marketing"]["utmTags"] == [{"name": "utm_source", "value": "google"}]
    assert received.unknown_members == ()
