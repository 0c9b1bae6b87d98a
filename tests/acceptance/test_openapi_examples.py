"""The examples of the OpenAPI document get the answers that it describes, when pasted into the demo."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from app.demo import demo
from app.web.api_docs.openapi import TAGS, describe
from tests.servers import listening, serve

KEY = "a key for the tests alone"
POSTS = {path: methods["post"] for path, methods in describe()["paths"].items() if "post" in methods}
EXAMPLES = {
    path: post["requestBody"]["content"]["application/json"]["example"]
    for path, post in POSTS.items()
    if "requestBody" in post and "{token}" not in path  # whose link is a secret
}


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    listener, port = listening()
    database_url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db"
    with (
        demo.demo(f"http://127.0.0.1:{port}", KEY, database_url) as staged,
        serve(demo.demo_app(staged), listener=listener) as url,
    ):
        yield url


def address(path: str, operation: dict[str, Any]) -> str:
    """The path with the examples of its parameters filled in."""
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            example = parameter.get("example") or parameter["schema"]["examples"][0]
            path = path.replace("{" + parameter["name"] + "}", example)
    return path


@pytest.mark.parametrize("path", EXAMPLES)
def test_the_demo_delivers_each_example_for_its_api_key(demo_url: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx.post(demo_url + address(path, POSTS[path]), json=EXAMPLES[path], headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    examples = POSTS[path]["responses"]["200"]["content"]["application/json"]["examples"]
    assert shape(answer.json()) == shape(next(iter(examples.values()))["value"])
    by_key_alone = {} not in POSTS[path]["security"]
    assert by_key_alone or examples["without a key"]["value"] is None


def shape(answer: Any) -> Any:
    return {name: type(value) for name, value in answer.items()} if isinstance(answer, dict) else type(answer)


def test_the_demo_answers_the_example_of_a_lookup(demo_url: str) -> None:
    path = "/CRM/Contact/{customerId}/{contactIds}"
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = httpx.get(demo_url + address(path, describe()["paths"][path]["get"]), headers=headers)
    assert [contact["id"] for contact in answer.json()] == ["C1", "C2"]


def test_the_documents_page_shows_tags_and_examples(demo_url: str, page: Page) -> None:
    page.goto(f"{demo_url}/docs")
    for tag in TAGS:
        expect(page.locator(".opblock-tag").get_by_text(tag, exact=True)).to_be_visible()
    page.locator("#operations-forms-interest .opblock-summary-control").click()
    expect(page.locator("#operations-forms-interest")).to_contain_text("Is there a lift?")
