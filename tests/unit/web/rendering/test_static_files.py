"""Static files change their name with their content, and browsers keep them for a year."""

import asyncio
import hashlib
import re

import httpx
import pytest
from starlette.applications import Starlette

from app.web.rendering.resources import STATIC
from app.web.rendering.static_files import routes, static_url


def get(path: str) -> httpx.Response:
    async def fetch() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=routes))) as browser:
            return await browser.get(f"http://intresse.test{path}")

    return asyncio.run(fetch())


def test_the_name_carries_ten_hex_digits_of_the_content() -> None:
    digest = hashlib.sha256((STATIC / "form.js").read_bytes()).hexdigest()[:10]
    assert static_url("form.js") == f"/static/form.{digest}.js"


def test_a_file_is_served_completely_and_cacheable_for_a_year() -> None:
    answer = get(static_url("form.js"))
    assert answer.content == (STATIC / "form.js").read_bytes()
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_every_file_can_be_fetched_by_its_address() -> None:
    for path in STATIC.iterdir():
        assert get(static_url(path.name)).status_code == 200


@pytest.mark.parametrize("name", ["form.js", "form.0000000000.js", "..%2Fpyproject.toml", "%2e%2e/pyproject.toml", ""])
def test_nothing_else_is_served(name: str) -> None:
    assert get(f"/static/{name}").status_code == 404


def test_a_template_cannot_name_a_file_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        static_url("nothing.js")


def test_scripts_and_styles_reach_for_no_other_host() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|(?<!:)//\w+\.", text), path.name
