"""The console's speed, on SQLite and PostgreSQL in one run: `make benchmark-console`.

The overview and a search by e-mail with 1,000,000 submissions, relative to 10,000; and the rate of durable posts while
an operator uses the console without pause (`constant_use`), relative to the rate without.
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
from benchmarks.aged_database import SOUGHT, fill
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
OVERVIEW_WANTED, SEARCH_WANTED, BESIDE_WANTED = 3.0, 1.5, 0.95


@dataclass(frozen=True)
class Took:
    """Milliseconds, a median each."""

    overview: float
    search: float


def settings_for(url: str, folder: Path) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "intresse.toml"
    file.write_text(service.configuration(url) + OTHER_CUSTOMERS, "utf-8")
    return loader.load(file)


async def measure(settings: Sequence[Settings]) -> list[Took]:
    """Alternating between the databases, so that whatever else the machine does meets all of them."""
    clients = [await _signed_in(each) for each in settings]
    overviews: list[list[float]] = [[] for _ in settings]
    searches: list[list[float]] = [[] for _ in settings]
    for number in range(-3, ROUNDS):  # the first few warm up
        for place, client in enumerate(clients):
            overview, search = (
                await _timed(client, "/console"),
                await _timed(client, f"/console/submissions?q={SOUGHT}"),
            )
            if number >= 0:
                overviews[place].append(overview)
                searches[place].append(search)
    return [
        Took(statistics.median(one), statistics.median(other)) for one, other in zip(overviews, searches, strict=True)
    ]


async def _signed_in(settings: Settings) -> httpx.AsyncClient:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(settings)), base_url=PUBLIC_URL)
    answer = await client.post("/console/sign-in", data={"password": CONSOLE_PASSWORD}, headers={"Origin": PUBLIC_URL})
    assert answer.status_code == 303, answer.text
    page = await client.get("/console/submissions", params={"q": SOUGHT})
    assert page.text.count('class="reference"') == 5, "the search must find what is there"
    return client


async def _timed(client: httpx.AsyncClient, path: str) -> float:
    start = time.perf_counter()
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - start) * 1000


def measure_interference(kind: str, folder: Path) -> Interference:
    """Posts to a service that has `FEW` submissions already."""
    folder.mkdir(parents=True)
    with database_url(kind, folder / "database") as url:
        fill(settings_for(url, folder), FEW)
        with service.service(ROOT, folder / "service", url) as server:
            token = service.form_token(server.fetch(PATH))
            operator = ["benchmarks.console_operator", str(server.port)]
            return alternate(operator, token, server.port, ROOT, folder / "operator.log", {})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--many", type=int, default=MANY)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="intresse-console-", dir="/var/tmp")))
        folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
        logs.configure(stack.enter_context((folder / "own.log").open("w")))
        for kind in KINDS:
            for figure, measured, wanted in _figures(kind, folder, asked.many):
                print(f"{kind:10}  {figure:52}  {measured:32}  {wanted}", flush=True)


def _figures(kind: str, folder: Path, many: int) -> Iterator[tuple[str, str, str]]:
    """Figure, measured, wanted."""
    posts = measure_interference(kind, folder / kind / "beside")
    numbers = f"{posts.ratio:.2f} ({posts.with_other:.0f} : {posts.alone:.0f} /s)"
    yield "posts with the console in constant use, of those without", numbers, f">= {BESIDE_WANTED}"
    with database_url(kind, folder / kind / "few") as small, database_url(kind, folder / kind / "many") as large:
        settings = settings_for(small, folder / kind / "few"), settings_for(large, folder / kind / "many")
        fill(settings[0], FEW)
        fill(settings[1], many)
        with patch.object(console, "OVERVIEW_SHARE", math.inf):  # nothing is kept: it is the looking that is measured
            one, other = asyncio.run(measure(settings))
    took = {
        "the overview": (one.overview, other.overview, OVERVIEW_WANTED),
        "a search by e-mail": (one.search, other.search, SEARCH_WANTED),
    }
    for name, (with_few, with_many, wanted) in took.items():
        numbers = f"{with_many / with_few:.2f} ({with_many:.1f} : {with_few:.1f} ms)"
        yield f"{name} among {many:,} submissions, among {FEW:,}", numbers, f"<= {wanted}"


if __name__ == "__main__":
    main()
