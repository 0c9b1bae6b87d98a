"""A request's body, JSON or form, as Vitec's nested members; what can't be read is a fault, never a 500."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes

import pydantic_core
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from app.domain.field_errors import FieldError
from app.domain.fields import trim
from app.domain.marketing import is_tag
from app.domain.short_cache import cached_when_short
from app.operations.member_paths import Places
from app.web.http.charsets import read_as_typed, with_references
from app.web.http.urlencoded import Pairs, pairs_of

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

LARGEST_BODY = 64 * 1024
MOST_FIELDS = 100
MAX_LENGTH_DIGITS = 15  # of a Content-Length
BODY_SECONDS = 20.0  # from its first piece to its last
_ASCII = "".join(map(chr, range(128)))


class BodyTooLargeError(Exception):
    """Over 64 KiB."""


class BodyTimeoutError(Exception):
    """Not all of it came within `BODY_SECONDS`."""


class UnsupportedMediaTypeError(Exception):
    """Neither JSON nor a form."""


@dataclass(slots=True)
class Body:
    """`members` are nested, without what is empty. Of a form also: `typed`, each input as it came; `token`; `tags`,
    campaign tags that stood as inputs of their own; `text`, an urlencoded one as it came."""

    form: bool
    members: Mapping[str, Any]
    typed: Mapping[str, str]
    token: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    faults: tuple[FieldError, ...] = ()
    text: str | None = None

    @property
    def content(self) -> str:
        """The same for the same members, however a program orders them; a browser orders them always alike."""
        return self.text or _canonical(self.typed if self.form else self.members)


class Media(Enum):
    JSON = "application/json"
    URLENCODED = "application/x-www-form-urlencoded"
    MULTIPART = "multipart/form-data"


@cached_when_short
def media_of(content_type: str | None) -> Media:
    """Raises `UnsupportedMediaTypeError`."""
    try:
        return Media((content_type or "").partition(";")[0].strip().lower())
    except ValueError:
        raise UnsupportedMediaTypeError from None


async def read(request: Request, media: Media, headers: Mapping[str, str], places: Places) -> Body:
    """`headers` are the request's, by lower-case name; `places` those of the inputs that the operation knows.
    Raises `ClientDisconnect`, `BodyTooLargeError`, `BodyTimeoutError`."""
    content = await read_content(request, headers)
    if media is Media.JSON:
        return parse_json(content)
    if media is Media.MULTIPART:
        return as_form(*await _multipart(request.headers, content), places)
    body = as_form(*_urlencoded(content, headers.get("content-type", "")), places)
    body.text = content.decode("latin-1")
    return body


async def read_content(request: Request, headers: Mapping[str, str], largest: int = LARGEST_BODY) -> bytes:
    """All of a request's body, at most `largest` bytes.
    Raises `ClientDisconnect`, `BodyTooLargeError`, `BodyTimeoutError`."""
    declared = headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and (len(declared) > MAX_LENGTH_DIGITS or int(declared) > largest):
        raise BodyTooLargeError
    content, more = await _piece(request, b"", largest)  # `app.web.http.uvicorn_protocol` bounds this wait
    if more:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more:
                    content, more = await _piece(request, content, largest)
        except TimeoutError:
            raise BodyTimeoutError from None
    return content


async def _piece(request: Request, before: bytes, largest: int) -> tuple[bytes, bool]:
    """With what came before, and whether there is more. Raises `ClientDisconnect`, `BodyTooLargeError`."""
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    content = before + message.get("body", b"")
    if len(content) > largest:
        raise BodyTooLargeError
    return content, message.get("more_body", False)


def parse_json(content: bytes) -> Body:
    try:
        content.decode()
    except UnicodeDecodeError:
        return Body(False, {}, {}, faults=(FieldError("", "invalid_encoding"),))
    try:
        members = pydantic_core.from_json(content, allow_inf_nan=False)
    except ValueError:
        return Body(False, {}, {}, faults=(FieldError("", "invalid_json"),))
    if not isinstance(members, dict):
        return Body(False, {}, {}, faults=(FieldError("", "wrong_type"),))
    if content.count(b":") > MOST_FIELDS and _fields(members) > MOST_FIELDS:
        return Body(False, {}, {}, faults=(FieldError("", "too_many_fields"),))
    return Body(False, _said(members), {})


def _fields(members: Mapping[str, Any]) -> int:
    """With those inside; how many a list may hold is its own affair."""
    return sum(1 + (_fields(value) if isinstance(value, dict) else 0) for value in members.values())


def _said(members: Mapping[str, Any]) -> dict[str, Any]:
    """Without null and blank text: both are "not said" in every member that Vitec has."""
    return {
        name: _said(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if value is not None and not (isinstance(value, str) and not trim(value))
    }


def _urlencoded(content: bytes, content_type: str) -> tuple[Pairs, list[FieldError]]:
    if content.count(b"&") >= MOST_FIELDS:
        return [], [FieldError("", "too_many_fields")]
    labels = (_charset_in(content_type), _charset_field(content))
    if not any(labels):
        with contextlib.suppress(UnicodeDecodeError):
            return pairs_of(content.decode()), []
    # What stands there as bytes is percent-encoded too, so that all of it is decoded alike.
    text = quote_from_bytes(content, safe=_ASCII)

    def decode(codec: str, errors: str) -> Pairs:
        pairs = parse_qsl(text, encoding=codec, errors=errors)
        return [(with_references(name, codec), with_references(value, codec)) for name, value in pairs]

    return read_as_typed(decode, *labels), []


def _charset_in(content_type: str) -> str:
    """The charset that a Content-Type names; "" for none."""
    _, _, parameters = content_type.lower().partition(";")
    if not parameters:
        return ""
    return next((value for name, value in _assignments(parameters, ";") if name == "charset"), "")


def _charset_field(content: bytes) -> str:
    """The input that browsers fill in with the page's charset."""
    if b"_charset_" not in content:
        return ""
    return next((value for name, value in _assignments(content.decode("latin-1"), "&") if name == "_charset_"), "")


def _assignments(text: str, separator: str) -> Iterator[tuple[str, str]]:
    for part in text.split(separator):
        name, _, value = part.partition("=")
        yield name.strip(), value


async def _multipart(headers: Headers, content: bytes) -> tuple[Pairs, list[FieldError]]:
    async def stream() -> AsyncIterator[bytes]:
        yield content

    pairs: Pairs = []
    faults: list[FieldError] = []
    if not content.rstrip().endswith(b"--"):  # broken off: the parser would leave out the last field in silence
        return [], [FieldError("", "invalid_form")]
    if content.lower().count(b"content-disposition:") > MOST_FIELDS:
        return [], [FieldError("", "too_many_fields")]
    # Read byte by byte: which charset it is, the form itself may say.
    _, parameters = parse_options_header(headers.get("content-type", ""))
    boundary = parameters.get(b"boundary", b"").decode("latin-1").replace("\\", "\\\\").replace('"', '\\"')
    bytewise = Headers({"content-type": f'multipart/form-data; charset=latin-1; boundary="{boundary}"'})
    parser = MultiPartParser(bytewise, stream(), max_files=MOST_FIELDS, max_fields=MOST_FIELDS)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        return [], [FieldError("", "invalid_form")]
    for name, value in form.multi_items():
        if isinstance(value, str):
            pairs.append((name, value))
        elif _is_file(value):
            faults.append(FieldError(name, "file"))
    await form.close()
    return _decoded(pairs, headers.get("content-type", "")), faults


def _decoded(pairs: Pairs, content_type: str) -> Pairs:
    """Of pairs of which each character is a byte."""
    named = dict(pairs).get("_charset_", "")

    def decode(codec: str, errors: str) -> Pairs:
        def text(bytewise: str) -> str:
            return with_references(bytewise.encode("latin-1").decode(codec, errors), codec)

        return [(text(name), text(value)) for name, value in pairs]

    return read_as_typed(decode, _charset_in(content_type), named)


def _is_file(upload: UploadFile) -> bool:
    """A browser sends an empty, nameless file for each file input that nobody used."""
    return bool(upload.filename or upload.size)


def as_form(pairs: Pairs, faults: list[FieldError], places: Places) -> Body:
    said = [(name, value) for name, value in pairs if trim(value)]
    typed = dict(said)
    token = typed.pop("token", None)
    return Body(
        True,
        _nested(said, places),
        typed,
        token=token,
        tags=tuple([pair for pair in said if pair[0] not in places and is_tag(pair[0])]),
        faults=tuple(faults),
    )


def _nested(pairs: Iterable[tuple[str, str]], places: Places) -> dict[str, Any]:
    """Dotted names as nested members; what the operation doesn't know is left out; of several values the last."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        place = places.get(name)
        if place is None:
            continue
        (*above, last), several = place
        inner = members
        for part in above:
            inner = inner.setdefault(part, {})
        if several:
            inner.setdefault(last, []).append(value)
        else:
            inner[last] = value
    return members
