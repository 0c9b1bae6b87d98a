"""A replica whose clock goes wrong, on a shared PostgreSQL: what it accepts is dated, counted and found as if its clock
were right."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import URL, func, select

from app.statistics.counter_job import CounterJob
from app.storage.database import Database
from app.storage.encryption import KeyedHash
from app.storage.schema import daily_counts
from app.submissions.person_index import PersonIndex
from tests.conftest import new_database
from tests.endurance.cluster import KEYRING, SECRET_KEY, Cluster, running_cluster
from tests.endurance.load import KEY, RETRY_CUSTOMER
from tests.endurance.process import faketime
from tests.servers import eventually, wait_until_ready

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(faketime() is None, reason="libfaketime is not installed")]

MINUTE = timedelta(minutes=1)
AT_ONCE = -MINUTE  # what came just now is settled


@pytest.fixture(scope="module")
def cluster(postgresql: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("clock")
    with new_database(postgresql, "template1") as url, running_cluster(folder, url, replicas=2, workers=0) as cluster:
        yield cluster


@pytest.fixture
def clock(cluster: Cluster, tmp_path: Path) -> Path:
    """The file that sets the second replica's clock, which is still right."""
    clock = tmp_path / "clock"
    clock.write_text("+0d")
    cluster.replicas[1].end()
    cluster.replicas[1].start(clock)
    with httpx.Client(base_url=cluster.load.urls[1]) as client:
        wait_until_ready(client)
    return clock


def is_now(moment: datetime) -> bool:
    return abs(datetime.now(UTC) - moment) < MINUTE


def set_clock(clock: Path, off: str, url: str) -> None:
    """Sets the clock; returns once that replica's own answers are dated by it."""
    clock.write_text(off)
    eventually(lambda: not is_now(parsedate_to_datetime(httpx.get(f"{url}/healthz").headers["date"])))


def post(url: str, address: str) -> str:
    """Posts an interest; returns its id."""
    answer = httpx.post(
        f"{url}/Advertising/Estate/{RETRY_CUSTOMER}/OBJ1/interest",
        json={"firstName": "Anna", "lastName": "Ek", "email": {"emailAddress": address}},
        headers={"Authorization": f"Bearer {KEY}", "Prefer": "respond-async"},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("off", ["+3650d", "-1h"])
async def test_submissions_accepted_by_a_replica_with_a_wrong_clock_are_counted_and_found(
    cluster: Cluster, clock: Path, off: str
) -> None:
    right, wrong = cluster.load.urls
    database = Database(cluster.database_url)
    counter = CounterJob(database, KEYRING, AT_ONCE)
    people = PersonIndex(database, KeyedHash(SECRET_KEY, "contacts"), AT_ONCE)

    async def counted() -> int:
        while await counter.count() or await people.fill():
            pass
        total = select(func.sum(daily_counts.c.submissions)).where(daily_counts.c.home == "OBJ1")
        return await database.read(lambda connection: connection.execute(total).scalar() or 0)

    try:
        before = await counted()
        posts = [post(right, f"right{off}@example.se")]
        assert await counted() == before + 1
        set_clock(clock, off, wrong)
        posts += [post(wrong, f"wrong{off}@example.se"), post(right, f"right{off}@example.se")]
        assert await counted() == before + 3
        assert await people.find(f"wrong{off}@example.se") == [posts[1]]
        assert all(
            is_now(datetime.fromtimestamp((UUID(submission_id).int >> 80) / 1000, UTC)) for submission_id in posts
        )
    finally:
        database.close()
