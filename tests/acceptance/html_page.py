"""A page of ours as a browser without JavaScript sees it: its text, and what its form would send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx


@dataclass
class Page:
    """A page in a browser. `values` are what its form would send, `faulty` the fields marked as wrong, `links` the
    targets of the alert's links, `messages` the error messages by element id."""

    url: str
    language: str = ""
    title: str = ""
    text: str = ""
    alert: str = ""
    has_form: bool = False
    action: str = ""
    values: dict[str, str] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)

    def submit(self, client: httpx.Client, typed: Mapping[str, str], **headers: str) -> httpx.Response:
        """Submits the form as a browser without JavaScript would."""
        return client.post(urljoin(self.url, self.action or self.url), data=self.values | dict(typed), headers=headers)


def page_of(answer: httpx.Response) -> Page:
    assert answer.headers["content-type"].partition(";")[0] == "text/html"
    return _read(answer.text, str(answer.url))


def page_text(html: str) -> str:
    """The text that a person reads."""
    return _read(html, "").text


def _read(html: str, url: str) -> Page:
    reader = _Reader(Page(url))
    reader.feed(html)
    return reader.page


class _Reader(HTMLParser):
    """Reads one of our pages. Void elements have no end tag; scripts and styles are not text."""

    VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self._open: list[tuple[str, dict[str, str]]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        name, page = attributes.get("name", ""), self.page
        if attributes.get("aria-invalid") == "true":
            page.faulty.add(name)
        if tag == "html":
            page.language = attributes.get("lang", "")
        elif tag == "form":
            page.has_form, page.action = True, attributes.get("action", "")
        elif tag == "a" and self._inside("role", "alert"):
            page.links.append(attributes.get("href", ""))
        self._control(tag, name, attributes)
        if tag not in self.VOID:
            self._open.append((tag, attributes))

    def _control(self, tag: str, name: str, attributes: Mapping[str, str]) -> None:
        values = self.page.values
        if tag == "input" and name:
            if attributes.get("type") not in {"checkbox", "radio"} or "checked" in attributes:
                values[name] = attributes.get("value", "on")
        elif tag == "select":
            self._select = name
            values[name] = ""
        elif tag == "option" and "selected" in attributes:
            values[self._select] = attributes.get("value", "")
        elif tag == "textarea":
            values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        tag, attributes = self._open[-1]
        if tag == "textarea":
            text = self.page.values[attributes["name"]] + data
            self.page.values[attributes["name"]] = text.removeprefix("\n")
        if tag == "title":
            self.page.title += data
        if tag in {"script", "style"}:
            return
        self.page.text += data
        if self._inside("role", "alert"):
            self.page.alert += data
        if attributes.get("id"):
            self.page.messages[attributes["id"]] = self.page.messages.get(attributes["id"], "") + data

    def _inside(self, attribute: str, value: str) -> bool:
        return any(attributes.get(attribute) == value for _, attributes in self._open)


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
