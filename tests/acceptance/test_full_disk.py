"""A full disk under SQLite: no receipt for what was not stored, nothing typed is lost, and the service recovers unaided
once there is room."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlean import dbapi2

from app.sandbox import Office
from tests.conftest import CUSTOMER, ORIGIN
from tests.servers import eventually

MEGABYTES = 4
FEW = 200  # posts, after which a full disk must have been noticed
PERSON = {"firstName": "Anna", "lastName": "Åkesson", "email.emailAddress": "anna@example.se", "consent": "true"}

IN_JSON = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "anna@example.se"}, "consent": True}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_503_with_all_that_was_typed_and_is_recovered_from_unaided(
    disk: Path, start: Callable[..., httpx.Client], office: Office
) -> None:
    client = start(database_url=f"sqlite:///{disk}/intresse.db", customer={"rate_limit": "100000/minute"})
    assert post(client, "BEFORE").status_code == 303
    fill(disk / "ballast")
    answers = until_refused(client)
    stored = [estate for estate, answer in answers.items() if answer.status_code == 303]
    refused = list(answers.values())[-1]
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert re.search(r'name="lastName"[^>]* value="Åkesson"', refused.text)
    assert re.search(r">\s*När är visningen\?</textarea>", refused.text)
    in_json = client.post(path("JSON"), json=IN_JSON, headers={"Origin": ORIGIN})
    assert (in_json.status_code, in_json.headers["Content-Type"]) == (503, "application/problem+json")
    assert [client.get("/readyz").status_code for _ in range(5)] == [503] * 5  # also what is smaller than a lead
    assert client.get(path("NEW")).status_code == 200  # the form is there for whoever comes

    (disk / "ballast").unlink()
    assert client.get("/readyz").status_code == 200
    assert post(client, "AFTER").status_code == 303
    wanted = {"BEFORE", *stored, "AFTER"}
    eventually(lambda: {call.path.split("/")[-2] for call in office.received} == wanted)
    with dbapi2.connect(disk / "intresse.db") as connection:
        assert connection.execute("SELECT count(*) FROM submissions").fetchone() == (len(wanted),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def until_refused(client: httpx.Client) -> dict[str, httpx.Response]:
    """Posts until one is refused. What still fits into the log's last blocks is accepted."""
    answers: dict[str, httpx.Response] = {}
    for number in range(FEW):
        answers[f"E{number}"] = post(client, f"E{number}")
        if answers[f"E{number}"].status_code != 303:
            return answers
    raise AssertionError("the disk did not get full")


def post(client: httpx.Client, estate: str) -> httpx.Response:
    form = PERSON | {"contactMessage": "När är visningen?", "email.emailAddress": f"anna.{estate}@example.se"}
    return client.post(path(estate), data=form, headers={"Origin": ORIGIN})


def path(estate: str) -> str:
    return f"/Advertising/Estate/{CUSTOMER}/{estate}/interest"


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return
