"""Reads a request's body, JSON or form, into Vitec's nested members. An unreadable body is a fault, never a 500."""

import asyncio
import codecs
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pydantic_core
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from app.domain.characters import trim
from app.domain.field_errors import FieldError
from app.domain.fields import is_true
from app.domain.marketing import MAX_TAGS_READ, is_tag, tags_in
from app.domain.short_cache import cached_when_short
from app.operations.member_paths import LIST, TICK, normalize_names
from app.operations.specification import PostSpec
from app.web.http.charsets import UTF_8, choose_codec, codec_of, decode, with_references
from app.web.http.urlencoded import Pairs, pairs_of, pairs_of_bytes, text_of

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

MAX_BODY = 64 * 1024
MAX_FIELDS = 500  # ASP.NET's pages are one form with all their inputs; as multipart these take 25 ms to read
MAX_LENGTH_DIGITS = 15  # of a Content-Length
BODY_SECONDS = 20.0  # from its first piece to its last
CONSENT = "consent"
_LISTED_TAG = re.compile(r"marketing\.utmTags\.(\d{1,3})\.(name|value)", re.ASCII | re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_ITEM = re.compile(r"\[\d{0,3}\]", re.ASCII)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Two escapes that are one character; or, as the group, half of one; or any other escape.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})|\\.", re.ASCII
)


class BodyTooLargeError(Exception):
    """Over 64 KiB."""


class BodyTimeoutError(Exception):
    """It did not arrive in full within `BODY_SECONDS`."""


class UnsupportedMediaTypeError(Exception):
    """Neither JSON nor a form."""


@dataclass(slots=True)
class Body:
    """`members` are nested, without empty ones. For a form also `typed`, each input as it was sent; `token`; `tags`,
    campaign tags in inputs of their own; and `text`, the body urlencoded: as it was sent, or as a browser would send a
    multipart form. For JSON, `sent`: all members, in the caller's casing."""

    form: bool
    members: Mapping[str, Any]
    typed: Mapping[str, str]
    token: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    faults: tuple[FieldError, ...] = ()
    text: str | None = None
    sent: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """The same for the same members of JSON in any order, as programs send them, and for a browser's form in either
        encoding: a script may send a copy of the form that the browser sends, too."""
        return self.text or _canonical(self.typed if self.form else self.members)


class Media(Enum):
    JSON = "application/json"
    TEXT_JSON = "text/json"  # .NET also calls it so
    TEXT = "text/plain"  # from a page's beacon; accepted only if it is JSON
    URLENCODED = "application/x-www-form-urlencoded"
    MULTIPART = "multipart/form-data"


FORMS = (Media.URLENCODED, Media.MULTIPART)


@cached_when_short
def media_of(content_type: str | None) -> Media:
    """Raises `UnsupportedMediaTypeError`."""
    try:
        return Media((content_type or "").partition(";")[0].strip().lower())
    except ValueError:
        raise UnsupportedMediaTypeError from None


async def read(request: Request, media: Media, headers: Mapping[str, str], spec: PostSpec) -> Body:
    """`headers` are the request's, by lower-case name.
    Raises `ClientDisconnect`, `BodyTooLargeError`, `BodyTimeoutError`, `UnsupportedMediaTypeError`."""
    content = await read_content(request, headers)
    if media is Media.URLENCODED and content.startswith(b"{") and not parse_json(content).faults:
        media = Media.JSON  # curl's -d sends it so, unless told otherwise
    if media not in FORMS:
        body = parse_json(content, _charset_in(headers.get("content-type", "")))
        if media is Media.TEXT and body.faults:
            raise UnsupportedMediaTypeError
        body.members = normalize_names(body.members, spec.json_tree, required=spec.person)
        return body
    if media is Media.MULTIPART:
        pairs, faults = await _multipart(request.headers, content)
        body = as_form(pairs, faults, spec)
        body.text = text_of(pairs)
        return body
    text = content.decode("latin-1")
    body = as_form(*_urlencoded(content, text, headers.get("content-type", "")), spec)
    body.text = text
    return body


async def read_content(request: Request, headers: Mapping[str, str], largest: int = MAX_BODY) -> bytes:
    """A request's whole body, at most `largest` bytes.
    Raises `ClientDisconnect`, `BodyTooLargeError`, `BodyTimeoutError`."""
    declared = headers.get("content-length", "0")  # digits: the parser accepts nothing else
    if len(declared) > MAX_LENGTH_DIGITS or int(declared) > largest:
        raise BodyTooLargeError
    content, more = _piece(await request.receive(), largest)  # `app.web.http.uvicorn_protocol` bounds this wait
    if more:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while more:
                    piece, more = _piece(await request.receive(), largest - len(content))
                    content += piece
        except TimeoutError:
            raise BodyTimeoutError from None
    return content


def _piece(message: Message, largest: int) -> tuple[bytes, bool]:
    """The piece, and whether more follows. Raises `ClientDisconnect`, `BodyTooLargeError`."""
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    piece = message.get("body", b"")
    if len(piece) > largest:
        raise BodyTooLargeError
    return piece, message.get("more_body", False)


def parse_json(content: bytes, charset: str = "") -> Body:
    """JSON is UTF-8 or has a byte order mark. `charset`, that of the Content-Type, only counts for what is neither."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        members = _json(_text(content, charset))
    except UnicodeDecodeError:
        return _unread("invalid_encoding")
    except ValueError:
        return _unread("invalid_json")
    if not isinstance(members, dict):
        return _unread("wrong_type")
    if content.count(b":") > MAX_FIELDS and _fields(members) > MAX_FIELDS:
        return _unread("too_many_fields")
    return Body(False, _without_empty(members), {}, sent=members)


def _unread(code: str) -> Body:
    return Body(False, {}, {}, faults=(FieldError("", code),))


def _text(content: bytes, charset: str) -> str:
    """Raises `UnicodeDecodeError`."""
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding, "strict" if encoding == UTF_8 else "replace")
    except UnicodeDecodeError:
        if (codec := codec_of(charset)) not in (None, UTF_8):
            return content.decode(codec, "replace")
        text = content.decode("utf-8", "surrogatepass")
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _json(text: str) -> Any:
    """Unpaired surrogates, as in an emoji that a program cut in two, become U+FFFD. Raises `ValueError`, also for more
    levels than Python functions could go through."""
    try:
        return pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError:
        if not _SURROGATE.search(text):
            raise
    whole = _ESCAPE.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], text)
    return pydantic_core.from_json(whole, allow_inf_nan=False)


def _fields(members: Mapping[str, Any]) -> int:
    """The number of members, nested ones included, also those of the tags that are read. The length of a list is
    checked elsewhere."""
    return sum(1 + sum(map(_fields, _objects_in(value))) for value in members.values())


def _objects_in(value: Any) -> list[dict[str, Any]]:
    items = value[:MAX_TAGS_READ] if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _without_empty(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members without null and blank text, both of which mean "not given" in all of Vitec's members."""
    return {
        name: _without_empty(value) if isinstance(value, dict) else value
        for name, value in members.items()
        if value is not None and not (isinstance(value, str) and not trim(value))
    }


def _urlencoded(content: bytes, text: str, content_type: str) -> tuple[Pairs, list[FieldError]]:
    """`text` is `content` with one character per byte."""
    if text.count("&") >= MAX_FIELDS:
        return [], [FieldError("", "too_many_fields")]
    labels = (_charset_in(content_type), _charset_field(text))
    if not any(labels):
        try:
            pairs = pairs_of(content.decode())
            return (_with_references(pairs) if b"%23" in content else pairs), []
        except UnicodeDecodeError:
            pass  # another charset, to be found by what was typed
    return _decoded(pairs_of_bytes(content), *labels), []


def _charset_in(content_type: str) -> str:
    """The charset of a Content-Type; "" if it names none."""
    _, _, parameters = content_type.lower().partition(";")
    if not parameters:
        return ""
    return next((value for name, value in _assignments(parameters, ";") if name == "charset"), "")


def _charset_field(text: str) -> str:
    """The value of `_charset_`, which browsers set to the page's charset."""
    if "_charset_" not in text:
        return ""
    return next((value for name, value in _assignments(text, "&") if name == "_charset_"), "")


def _assignments(text: str, separator: str) -> Iterator[tuple[str, str]]:
    for part in text.split(separator):
        name, _, value = part.partition("=")
        yield name.strip(), value


async def _multipart(headers: Headers, content: bytes) -> tuple[Pairs, list[FieldError]]:
    async def stream() -> AsyncIterator[bytes]:
        yield content

    pairs: Pairs = []
    faults: list[FieldError] = []
    if content.lower().count(b"content-disposition:") > MAX_FIELDS:
        return [], [FieldError("", "too_many_fields")]
    # Read as Latin-1, one character per byte, because the form itself may name its charset.
    _, parameters = parse_options_header(headers.get("content-type", ""))
    delimiter = b"\n--" + parameters.get(b"boundary", b"")
    content = b"\n" + content
    if delimiter + b"--" not in content:  # incomplete: the parser would drop the last field without an error
        return [], [FieldError("", "invalid_form")]
    content = content[content.find(delimiter) + 1 :]  # without a preamble, which the parser refuses
    boundary = delimiter[3:].decode("latin-1").replace("\\", "\\\\").replace('"', '\\"')
    bytewise = Headers({"content-type": f'multipart/form-data; charset=latin-1; boundary="{boundary}"'})
    parser = MultiPartParser(bytewise, stream(), max_files=MAX_FIELDS, max_fields=MAX_FIELDS)  # type: ignore[arg-type]
    try:
        form = await parser.parse()
    except MultiPartException:
        return [], [FieldError("", "invalid_form")]
    for name, value in form.multi_items():
        if isinstance(value, str):
            pairs.append((name, value))
        elif _is_file(value):
            faults.append(FieldError(name, "file"))
    await form.close()
    return _decoded(pairs, _charset_in(headers.get("content-type", "")), dict(pairs).get("_charset_", "")), faults


def _decoded(pairs: Pairs, *labels: str) -> Pairs:
    """Decodes pairs that have one character per byte. Tags are copied from addresses, so they don't count for choosing
    the charset, and each pair is decoded by itself."""
    typed = "\n".join(f"{name}\n{value}" for name, value in pairs if not is_tag(name))
    codec = choose_codec(typed.encode("latin-1"), *labels)
    decoded = [(decode(name.encode("latin-1"), codec), decode(value.encode("latin-1"), codec)) for name, value in pairs]
    return decoded if any(labels) else _with_references(decoded)


def _with_references(pairs: Pairs) -> Pairs:
    """The pairs with characters for the references by which a page in an old charset sends what that charset lacks. In
    a form of ASCII only, nothing else tells the page's charset. Our own pages, whose forms have a token, are in UTF-8.
    """
    if not all(value.isascii() and name != "token" for name, value in pairs):
        return pairs
    return [(name, value if is_tag(name) else with_references(value, least=128)) for name, value in pairs]


def _is_file(upload: UploadFile) -> bool:
    """False for the empty, nameless file that browsers send for an unused file input."""
    return bool(upload.filename or upload.size)


def as_form(pairs: Pairs, faults: list[FieldError], spec: PostSpec) -> Body:
    """Dotted names as nested members, without those that the operation does not have. Of several values the last
    counts; a checkbox counts as ticked if any is true, because ASP.NET adds a hidden input with false."""
    places, spelled = spec.places, spec.spelling
    typed: dict[str, str] = {}
    members: dict[str, Any] = {}
    others: Pairs = []
    for name, value in pairs:
        if not "!" <= value < "\x7f" and not trim(value):  # the first test spares most values the trim
            continue
        place = places.get(name)
        if place is None:
            name = spelled.get(_dotted(name).lower(), name)
            place = places.get(name)
        path, kind = place or ((), TICK if name == CONSENT else None)
        if name not in typed or not _counts_more(kind, name, typed[name], value):
            typed[name] = value
        if not path:
            others.append((name, value))
            continue
        inner = members
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
        if kind == LIST:
            inner.setdefault(path[-1], []).append(value)
        elif kind != TICK or not is_true(inner.get(path[-1])):
            inner[path[-1]] = value
    token = typed.pop("token", None)
    return Body(True, members, typed, token=token, tags=_tags(others), faults=tuple(faults))


def _counts_more(kind: str | None, name: str, earlier: str, later: str) -> bool:
    """Whether the earlier of two values of an input counts: of a tag's the first, of a checkbox's any true one."""
    return is_true(earlier) and not is_true(later) if kind == TICK else is_tag(name)


def _dotted(name: str) -> str:
    """The name with dots for the brackets by which PHP, Rails and jQuery nest: `email[emailAddress]`, and without those
    that mark one of several values: `consent[]`, `categoryIds[0]`."""
    return _IN_BRACKETS.sub(r".\1", _ITEM.sub("", name)) if name.endswith("]") else name


def _tags(pairs: Pairs) -> tuple[tuple[str, str], ...]:
    """Tags in inputs of their own, and those in a list: `marketing.utmTags[0].name` and `.value` (.NET), or
    `marketing[utmTags][0][name]` (jQuery)."""
    tags = []
    listed: dict[str, dict[str, str]] = {}
    for name, value in pairs:
        if is_tag(name):
            tags.append((name, value))
        elif name[:9].lower() == "marketing":
            full = _IN_BRACKETS.sub(r".\1", name)
            if is_tag(inner := full[10:].rstrip(".")):
                tags.append((inner, value))
            elif part := _LISTED_TAG.fullmatch(full):
                listed.setdefault(part[1], {})[part[2].lower()] = value
    return (*tags, *tags_in(list(listed.values()))) if listed else tuple(tags)
