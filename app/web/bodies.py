"""A request's body, JSON or form, as Vitec's nested members; what can't be read is a fault, never a 500."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pydantic_core
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from app.domain.faults import Fault
from app.domain.fields import trim
from app.domain.marketing import is_tag
from app.web.urlencoded import Pairs, pairs_of

LARGEST_BODY = 64 * 1024
MOST_FIELDS = 100
LIST = "list"
# What a member may hold: None one value, LIST several, a mapping further members.
Tree = Mapping[str, Any]


class TooLarge(Exception):
    """Over 64 KiB."""


class UnsupportedMedia(Exception):
    """Neither JSON nor a form."""


@dataclass(slots=True)
class Body:
    """`members` are nested, without what is empty. Of a form also: `typed`, each input as it came; `token`; `tags`,
    campaign tags that stood as inputs of their own."""

    form: bool
    members: Mapping[str, Any]
    typed: Mapping[str, str]
    token: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()


def is_form(headers: Mapping[str, str]) -> bool:
    """Raises `UnsupportedMedia`."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return True
    if media_type == "application/json":
        return False
    raise UnsupportedMedia


async def read(request: Request, headers: Mapping[str, str], tree: Tree, person: str | None) -> Body:
    """`headers` are the request's, by lower-case name; `tree` is what the operation knows; `person` the member whose
    prefix a form may leave out.
    Raises `TooLarge`, `UnsupportedMedia`."""
    form = is_form(headers)
    content = await _content(request, headers)
    if not form:
        return parse_json(content)
    if headers["content-type"].lower().startswith("multipart/"):
        return as_form(*await _multipart(request.headers, content), tree, person)
    return as_form(*_urlencoded(content), tree, person)


async def _content(request: Request, headers: Mapping[str, str]) -> bytes:
    """Raises `ClientDisconnect`, `TooLarge`."""
    declared = headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared) > LARGEST_BODY:
        raise TooLarge
    content = b""
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        content += message.get("body", b"")
        more = message.get("more_body", False)
        if len(content) > LARGEST_BODY:
            raise TooLarge
    return content


def parse_json(content: bytes) -> Body:
    try:
        content.decode()
    except UnicodeDecodeError:
        return Body(False, {}, {}, faults=(Fault("", "invalid_encoding"),))
    try:
        members = pydantic_core.from_json(content, allow_inf_nan=False)
    except ValueError:
        return Body(False, {}, {}, faults=(Fault("", "invalid_json"),))
    if not isinstance(members, dict):
        return Body(False, {}, {}, faults=(Fault("", "wrong_type"),))
    return Body(False, _said(members), {})


def _said(members: Mapping[str, Any]) -> dict[str, Any]:
    """Without null and blank text: both are "not said" in every member that Vitec has."""
    return {
        name: _said(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if value is not None and not (isinstance(value, str) and not trim(value))
    }


def _urlencoded(content: bytes) -> tuple[Pairs, list[Fault]]:
    if content.count(b"&") >= MOST_FIELDS:
        return [], [Fault("", "too_many_fields")]
    try:
        return pairs_of(content.decode()), []
    except UnicodeDecodeError:  # keep what can be kept
        return pairs_of(content.decode(errors="replace"), "replace"), [Fault("", "invalid_encoding")]


async def _multipart(headers: Headers, content: bytes) -> tuple[Pairs, list[Fault]]:
    async def stream() -> AsyncIterator[bytes]:
        yield content

    pairs: Pairs = []
    faults: list[Fault] = []
    if not content.rstrip().endswith(b"--"):  # broken off: the parser would leave out the last field in silence
        return [], [Fault("", "invalid_form")]
    parser = MultiPartParser(headers, stream(), max_files=MOST_FIELDS, max_fields=MOST_FIELDS)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        return [], [Fault("", "invalid_form")]
    for name, value in form.multi_items():
        if isinstance(value, str):
            pairs.append((name, value))
        elif _is_file(value):
            faults.append(Fault(name, "file"))
    await form.close()
    return pairs, faults


def _is_file(upload: UploadFile) -> bool:
    """A browser sends an empty, nameless file for each file input that nobody used."""
    return bool(upload.filename or upload.size)


def as_form(pairs: Pairs, faults: list[Fault], tree: Tree, person: str | None) -> Body:
    said = [(name, value) for name, value in pairs if trim(value)]
    typed = dict(said)
    token = typed.pop("token", None)
    return Body(
        True,
        _nested(said, tree, person),
        typed,
        token=token,
        tags=tuple((name, value) for name, value in said if is_tag(name)),
        faults=tuple(faults),
    )


def _nested(pairs: Iterable[tuple[str, str]], tree: Tree, person: str | None) -> dict[str, Any]:
    """Dotted names as nested members; what the operation doesn't know is left out; of several values the last."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        path = name.split(".")
        if person and path[0] not in tree and path[0] in tree[person]:
            path = [person, *path]
        kind = _kind(tree, path)
        if kind is None or kind == LIST:
            inner = members
            for part in path[:-1]:
                inner = inner.setdefault(part, {})
            if kind == LIST:
                inner.setdefault(path[-1], []).append(value)
            else:
                inner[path[-1]] = value
    return members


def _kind(tree: Tree, path: list[str]) -> Any:
    """What stands at the path: None, LIST or a tree; a tree also where nothing stands."""
    found: Any = tree
    for part in path:
        if not isinstance(found, Mapping) or part not in found:
            return {}
        found = found[part]
    return found
