"""While the database is unavailable, the holder of a personal link loses nothing that was typed."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from sqlean import dbapi2

from app.bootstrap.personal_link import make_link
from app.config.settings import Settings
from app.sandbox import Office, Person
from tests.conftest import CUSTOMER


def test_a_loan_promise_is_shown_again_as_typed_while_the_database_is_down_and_accepted_afterwards(
    start: Callable[..., httpx.Client], configure: Callable[..., Settings], office: Office, tmp_path: Path
) -> None:
    office.contacts[CUSTOMER, "C1"] = Person(id="C1", customer_id=CUSTOMER, first_name="Anna", last_name="Ek")
    client = start()
    path = make_link(configure(), CUSTOMER, "C1", "loan-promise", "1h").removeprefix("https://leads.example.se")
    typed = {"bank": "Sparbanken Ankeborg", "financing": "Bank"}

    _rename(tmp_path, "submissions", "away")
    assert client.get(path).status_code == 200
    refused = client.post(path, data=typed)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert re.search(r'name="bank"[^>]* value="Sparbanken Ankeborg"', refused.text)
    assert re.search(r'<option value="Bank" selected', refused.text)

    _rename(tmp_path, "away", "submissions")
    assert client.post(path, data=typed).status_code == 303


def _rename(folder: Path, old: str, new: str) -> None:
    connection: Any = dbapi2.connect(f"{folder}/intresse.db")
    connection.execute("PRAGMA legacy_alter_table=ON")  # the other tables go on naming it as they did
    connection.execute(f"ALTER TABLE {old} RENAME TO {new}")
    connection.close()
