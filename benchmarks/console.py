"""The console's speed on SQLite and PostgreSQL: `make benchmark-console`.

The overview and a search by e-mail with 1,000,000 submissions, relative to 10,000; and the rate of durable posts while
an operator uses the console all the time (`console_operator`), relative to the rate without.
"""

import argparse
import asyncio
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import httpx

from app import logs
from app.bootstrap import console
from app.bootstrap.web_app import create_app
from app.config import loader
from app.config.settings import Settings
from benchmarks import service
from benchmarks.aged_database import SEARCHED_EMAIL, fill
from benchmarks.databases import KINDS, database_url
from benchmarks.interference import Interference, alternate
from benchmarks.sample_requests import PATH
from benchmarks.service import CONSOLE_PASSWORD, PUBLIC_URL

ROOT = Path(__file__).parents[1]
FEW, MANY = 10_000, 1_000_000
ROUNDS = 40
OTHER_CUSTOMERS = "".join(
    f'[[customers]]\nid = "{customer}"\nname = "{customer}"\npassword = "x"\n' for customer in ("M2", "M3")
)
OVERVIEW_GOAL, SEARCH_GOAL, POSTS_GOAL = 3.0, 1.5, 0.95


@dataclass(frozen=True)
class Latencies:
    """Median milliseconds."""

    overview: float
    search: float


def settings_for(url: str, folder: Path) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "intresse.toml"
    file.write_text(service.configuration(url) + OTHER_CUSTOMERS, "utf-8")
    return loader.load(file)


async def measure(settings: Sequence[Settings]) -> list[Latencies]:
    """Alternates between the databases, so that other work on the machine affects them alike."""
    clients = [await _signed_in(each) for each in settings]
    overviews: list[list[float]] = [[] for _ in settings]
    searches: list[list[float]] = [[] for _ in settings]
    for number in range(-3, ROUNDS):  # the first few warm up
        for index, client in enumerate(clients):
            overview, search = (
                await _timed(client, "/console"),
                await _timed(client, f"/console/submissions?q={SEARCHED_EMAIL}"),
            )
            if number >= 0:
                overviews[index].append(overview)
                searches[index].append(search)
    return [
        Latencies(statistics.median(overview), statistics.median(search))
        for overview, search in zip(overviews, searches, strict=True)
    ]


async def _signed_in(settings: Settings) -> httpx.AsyncClient:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(settings)), base_url=PUBLIC_URL)
    answer = await client.post("/console/sign-in", data={"password": CONSOLE_PASSWORD}, headers={"Origin": PUBLIC_URL})
    assert answer.status_code == 303, answer.text
    page = await client.get("/console/submissions", params={"q": SEARCHED_EMAIL})
    assert page.text.count('class="reference"') == 5, "the search did not find the five submissions"
    return client


async def _timed(client: httpx.AsyncClient, path: str) -> float:
    start = time.perf_counter()
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - start) * 1000


def measure_interference(kind: str, folder: Path) -> Interference:
    """Measures posts to a service whose database holds `FEW` submissions."""
    folder.mkdir(parents=True)
    with database_url(kind, folder / "database") as url:
        fill(settings_for(url, folder), FEW)
        with service.service(ROOT, folder / "service", url) as server:
            token = service.form_token(server.fetch(PATH))
            operator = ["benchmarks.console_operator", str(server.port)]
            return alternate(operator, token, server.port, ROOT, folder / "operator.log", {})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument(
        "--many", type=int, default=MANY, help="submissions in the large database (default: %(default)s)"
    )
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="intresse-console-", dir="/var/tmp")))
        folder.chmod(0o755)  # PostgreSQL runs as another user if we are root
        logs.configure(stack.enter_context((folder / "own.log").open("w")))
        for kind in KINDS:
            for figure, measured, goal in _figures(kind, folder, arguments.many):
                print(f"{kind:10}  {figure:65}  {measured:32}  {goal}", flush=True)


def _figures(kind: str, folder: Path, many: int) -> Iterator[tuple[str, str, str]]:
    """Yields figure, measured value and goal."""
    posts = measure_interference(kind, folder / kind / "posts")
    numbers = f"{posts.ratio:.2f} ({posts.with_other:.0f} : {posts.alone:.0f} /s)"
    yield "posts with the console in use, relative to without", numbers, f">= {POSTS_GOAL}"
    with database_url(kind, folder / kind / "few") as small, database_url(kind, folder / kind / "many") as large:
        settings = settings_for(small, folder / kind / "few"), settings_for(large, folder / kind / "many")
        fill(settings[0], FEW)
        fill(settings[1], many)
        with patch.object(console, "DASHBOARD_SHARE", math.inf):  # no caching, so that the queries are measured
            with_few, with_many = asyncio.run(measure(settings))
    rows = {
        "the overview": (with_few.overview, with_many.overview, OVERVIEW_GOAL),
        "a search by e-mail": (with_few.search, with_many.search, SEARCH_GOAL),
    }
    for name, (few_ms, many_ms, goal) in rows.items():
        numbers = f"{many_ms / few_ms:.2f} ({many_ms:.1f} : {few_ms:.1f} ms)"
        yield f"{name} with {many:,} submissions, relative to {FEW:,}", numbers, f"<= {goal}"


if __name__ == "__main__":
    main()
