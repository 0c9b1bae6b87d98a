"""No post is answered before it is on disk."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlean import dbapi2 as sqlite3  # the service's own: two SQLites in a process don't see each other's locks

from app.storage import database
from app.submissions.outcomes import Outcomes
from tests.acceptance.answers import assert_kept, is_pending
from tests.acceptance.bodies import PHONE, SITE, booking, fields, interest, interest_path, key, problem, viewing_path
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import run_service


def test_a_post_that_cannot_be_stored_is_never_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another connection holds SQLite's only write lock for longer than we wait for it."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SECONDS", 1)
    with run_service(tmp_path, deliver=False) as service, ThreadPoolExecutor(4) as threads:
        locker = sqlite3.connect(str(tmp_path / "intresse.db"), isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        typed = {path: fields(body) for path, body in ((interest_path(), interest()), (viewing_path(), booking()))}
        forms = [threads.submit(service.client.post, path, data=data, headers=SITE) for path, data in typed.items()]
        programs = [
            threads.submit(service.client.post, interest_path(), json=interest(), headers=SITE),
            threads.submit(service.client.post, viewing_path(), json=booking(), headers=key()),
        ]
        answers = [form.result() for form in forms], [program.result() for program in programs]
        locker.execute("ROLLBACK")
        locker.close()
        for answer, data in zip(answers[0], typed.values(), strict=True):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            page = page_of(answer)
            assert_kept(page, data)
            assert PHONE in page.text
        for answer in answers[1]:
            problem(answer, 503)
            assert int(answer.headers["retry-after"]) > 0
        assert page_of(answers[0][0]).submit(service.client, {}, **SITE).status_code == 303


def test_after_a_503_the_form_has_the_same_token_so_that_another_press_is_no_second_lead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_SECONDS", 1)
    with run_service(tmp_path, deliver=False) as service:
        path = interest_path()
        fresh = page_of(service.client.get(path))
        locker = sqlite3.connect(str(tmp_path / "intresse.db"), isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        away = fresh.submit(service.client, fields(interest()), **SITE)
        locker.execute("ROLLBACK")
        locker.close()
        assert away.status_code == 503
        again = page_of(away)
        assert again.values["token"] == fresh.values["token"]
        answers = [again.submit(service.client, {}, **SITE) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        with sqlite3.connect(str(tmp_path / "intresse.db")) as reader:
            assert reader.execute("SELECT count(*) FROM submissions").fetchone() == (1,)


def test_whatever_fails_after_the_commit_no_answer_says_that_nothing_was_received(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    with run_service(tmp_path, deliver=False) as service:
        monkeypatch.setattr(Outcomes, "wait", fail)
        form = service.client.post(viewing_path(), data=fields(booking()), headers=SITE)
        assert form.status_code == 303
        assert service.client.get(form.headers["location"]).status_code == 200
        is_pending(service.client.post(interest_path(), json=interest(), headers=key()))


def test_what_was_accepted_is_on_disk_before_anyone_is_answered(tmp_path: Path) -> None:
    with run_service(tmp_path, deliver=False) as service:
        answer = service.client.post(interest_path(), json=interest(), headers=key() | {"Prefer": "respond-async"})
        pending = is_pending(answer)
        with sqlite3.connect(str(tmp_path / "intresse.db")) as reader:
            tables = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [str(row) for table in tables for row in reader.execute(f"SELECT * FROM {table}")]
        assert any(pending["id"] in row for row in rows)
        assert not any("anna@example.se" in row for row in rows)


def test_what_was_accepted_before_a_restart_is_delivered_after_it(tmp_path: Path) -> None:
    path = interest_path()
    with run_service(tmp_path, deliver=False) as service:
        assert service.client.post(path, data=fields(interest()), headers=SITE).status_code == 303
    with run_service(tmp_path) as service:
        assert service.delivered(path).body["firstName"] == "Anna"
