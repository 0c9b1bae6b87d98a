"""From a request's bytes to nested members. What can't be read is a field error, never an exception."""

import asyncio
import codecs
import json
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from app.domain.field_errors import FieldError
from app.operations import interest, viewing
from app.operations.specification import PostSpec
from app.web.operations.body import (
    FORMS,
    MAX_BODY,
    MAX_FIELDS,
    Body,
    BodyTooLargeError,
    UnsupportedMediaTypeError,
    as_form,
    media_of,
    parse_json,
    read,
    read_content,
)
from app.web.operations.context import headers_of

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def request(content: bytes, content_type: str, *, declared: int | None = None, pieces: int = 3) -> Request:
    """A request whose body comes in pieces, with the length that it declares, if it does."""
    size = max(1, -(-len(content) // pieces))
    chunks = [content[at : at + size] for at in range(0, len(content), size)] or [b""]
    messages = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]
    headers = [(b"content-type", content_type.encode("latin-1", "replace"))]
    if declared is not None:
        headers.append((b"content-length", str(declared).encode()))

    async def receive() -> Any:
        return messages.pop(0)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def read_by(spec: PostSpec, asked: Request) -> Body:
    headers = headers_of(asked)
    return asyncio.run(read(asked, media_of(headers.get("content-type")), headers, spec))


def read_as(content: bytes, content_type: str, **more: Any) -> Body:
    return read_by(interest.POST, request(content, content_type, **more))


def form(*pairs: tuple[str, str], booking: bool = False) -> Body:
    spec = viewing.POST if booking else interest.POST
    content = urlencode(pairs).encode()
    return read_by(spec, request(content, FORM))


def multipart(*parts: tuple[str, bytes]) -> tuple[bytes, str]:
    """Parts by what follows `form-data; ` in their heads."""
    content = b"".join(
        b"--B\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + value + b"\r\n"
        for head, value in parts
    )
    return content + b"--B--\r\n", "multipart/form-data; boundary=B"


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        (JSON, False),
        ("application/json; charset=utf-8", False),
        ("application/json ; charset=utf-8", False),
        ("Application/JSON", False),
        (FORM, True),
        (f"{FORM}; charset=UTF-8", True),
        ("multipart/form-data; boundary=B", True),
        ("text/json; charset=utf-8", False),
        ("text/plain;charset=UTF-8", False),
    ],
)
def test_a_body_is_json_or_a_form(content_type: str, form: bool) -> None:
    assert (media_of(content_type) in FORMS) is form


@pytest.mark.parametrize("content_type", [None, "", "text/html", "application/xml", "application/problem+json", "json"])
def test_any_other_type_is_not_supported(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        media_of(content_type)


@pytest.mark.parametrize("content_type", [JSON, FORM])
@pytest.mark.parametrize(
    ("size", "declared", "too_large"),
    [
        (MAX_BODY, None, False),
        (MAX_BODY, MAX_BODY, False),
        (MAX_BODY + 1, None, True),
        (20, MAX_BODY + 1, True),
        (MAX_BODY + 1, 20, True),
    ],
)
def test_a_body_is_at_most_64_kib(content_type: str, size: int, declared: int | None, too_large: bool) -> None:
    name = b'{"a":"' if content_type == JSON else b"firstName="
    content = name + b"x" * (size - len(name) - 2) + (b'"}' if content_type == JSON else b"xx")
    assert len(content) == size
    if too_large:
        with pytest.raises(BodyTooLargeError):
            read_as(content, content_type, declared=declared)
    else:
        assert not read_as(content, content_type, declared=declared).faults


@pytest.mark.parametrize(
    ("content", "members"),
    [
        (b"{}", {}),
        ('{"firstName": "Åsa", "n": 1}'.encode(), {"firstName": "Åsa", "n": 1}),
        (b'{"a": null, "b": "", "c": " \\n", "d": {"e": null, "f": "x"}}', {"d": {"f": "x"}}),
        (b'{"a": false, "b": 0, "c": []}', {"a": False, "b": 0, "c": []}),
        (b' {"a": "\\u00e5"} ', {"a": "å"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "Hej \\ud83d", "b\\udc00": ["\\ud83d\\ude00"]}', {"a": "Hej \ufffd", "b\ufffd": ["\U0001f600"]}),
        (b'{"a": "Hej \xed\xa0\xbd!", "b": "\\\\ud83d"}', {"a": "Hej \ufffd!", "b": "\\ud83d"}),
        (
            b'{"a": "\\ud83d\\\\ud83d\\ud83d\\ud83d\\ude00\\ude00\\u00e5"}',
            {"a": "\ufffd\\ud83d\ufffd\U0001f600\ufffdå"},
        ),
    ],
)
def test_empty_values_in_json_count_as_absent(content: bytes, members: dict[str, Any]) -> None:
    body = parse_json(content)
    assert (body.form, body.members, body.faults) == (False, members, ())


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("", "utf-16"),  # PowerShell's and .NET's "Unicode"
        ("utf-16", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
        ("iso-8859-1", "latin-1"),
        ("Windows-1252", "cp1252"),
        ("iso-8859-1", "utf-8"),  # which is what most programs send, whatever they say
        ("nonsense", "utf-8"),
    ],
)
def test_json_in_another_charset_is_read_by_its_byte_order_or_the_content_type(charset: str, codec: str) -> None:
    content = '{"firstName": "Åsa"}'.encode(codec)
    assert read_as(content, f"{JSON}; charset={charset}").members == {"firstName": "Åsa"}


@pytest.mark.parametrize("charset", ["", "utf-8", "nonsense", "utf-7"])
def test_json_in_an_unknown_charset_is_an_error(charset: str) -> None:
    body = read_as(b'{"firstName": "\xc5sa"}', f"{JSON}; charset={charset}")
    assert [fault.code for fault in body.faults] == ["invalid_encoding"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"a": 1}x', "invalid_json"),
        (b"{'a': 1}", "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": Infinity}', "invalid_json"),
        (b'{"a": "\\ud800", "b": NaN}', "invalid_json"),
        (b'{"a": "\\ud800"}x', "invalid_json"),
        (b'["\\ud800"' + b"[" * 10_000, "invalid_json"),
        (b'{"a": ' + b"[" * 300 + b'"\\ud800"' + b"]" * 300 + b"}", "invalid_json"),
        (b'{"a":' * 300 + b'"\\ud800"' + b"}" * 300, "invalid_json"),
        (b'["\\ud800"]', "wrong_type"),
        (b"[" * 10_000, "invalid_json"),
        (b'{"a":' * 10_000, "invalid_json"),
        (b'{"a": "\xe5"}', "invalid_encoding"),
        (b"[]", "wrong_type"),
        (b'"x"', "wrong_type"),
        (b"null", "wrong_type"),
        (b"1", "wrong_type"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_anything_but_a_json_object_is_an_error_of_the_body(content: bytes, code: str) -> None:
    assert parse_json(content) == Body(False, {}, {}, faults=(FieldError("", code),))


@given(st.binary(max_size=200))
@pytest.mark.parametrize("content_type", [JSON, FORM, "multipart/form-data; boundary=B"])
def test_any_bytes_are_read_or_an_error(content_type: str, content: bytes) -> None:
    body = read_as(content, content_type)
    assert body.faults == () or body.members == {} or {fault.code for fault in body.faults} == {"invalid_encoding"}


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=å"]
)
def test_a_multipart_form_without_a_usable_boundary_is_an_error(content_type: str) -> None:
    content, _ = multipart(('name="firstName"', b"Anna"))
    assert read_as(content, content_type).faults == (FieldError("", "invalid_form"),)


def test_dotted_names_are_nested() -> None:
    body = form(
        ("firstName", "Anna"), ("email.emailAddress", "a@b.se"), ("presentAccommodation.coordinate.latitud", "59")
    )
    assert body.form
    assert body.members == {
        "firstName": "Anna",
        "email": {"emailAddress": "a@b.se"},
        "presentAccommodation": {"coordinate": {"latitud": "59"}},
    }


def test_in_a_booking_the_persons_prefix_may_be_left_out() -> None:
    body = form(
        ("firstName", "Anna"),
        ("updatePerson.lastName", "Å"),
        ("email.emailAddress", "a@b.se"),
        ("contactMessage", "Hej"),
        ("options.isDeadlineValidationEnabled", "true"),
        booking=True,
    )
    assert body.members == {
        "updatePerson": {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "a@b.se"}},
        "contactMessage": "Hej",
        "options": {"isDeadlineValidationEnabled": "true"},
    }


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("email[emailAddress]", {"email": {"emailAddress": "x"}}),
        ("Email[EmailAddress]", {"email": {"emailAddress": "x"}}),
        ("address[zipCode]", {"address": {"zipCode": "x"}}),
        ("firstName[]", {"firstName": "x"}),
        ("email[0][emailAddress]", {"email": {"emailAddress": "x"}}),  # as PHP and axios number values
        ("presentAccommodation[coordinate][longitud]", {"presentAccommodation": {"coordinate": {"longitud": "x"}}}),
        ("email[colour]", {}),
        ("[]", {}),
        ("[[]]", {}),
    ],
)
def test_names_may_be_nested_in_brackets(name: str, members: Any) -> None:
    body = form((name, "x"))
    assert body.members == members
    assert members or body.typed == {name: "x"}


def test_a_tick_may_have_brackets_behind_its_name() -> None:
    assert form(("consent[]", "0"), ("consent[]", "on")).typed == {"consent": "on"}
    assert form(("smsReminder[]", "on"), booking=True).members == {"smsReminder": "on"}


@pytest.mark.parametrize("brackets", [("", ""), ("[]", "[]"), ("[0]", "[1]")], ids=str)
def test_each_value_of_a_list_counts(brackets: tuple[str, str]) -> None:
    first, second = (f"updatePerson.categoryIds{mark}" for mark in brackets)
    assert form((first, "A"), (second, "B"), booking=True).members == {"updatePerson": {"categoryIds": ["A", "B"]}}


@pytest.mark.parametrize(
    "spelling", ["marketing.utmTags[{}].{}", "marketing[utmTags][{}][{}]", "marketing.utmTags.{}.{}"]
)
def test_tags_may_be_a_list_of_names_and_values(spelling: str) -> None:
    sent = [(spelling.format(0, "name"), "utm_source"), (spelling.format(0, "value"), "google")]
    assert form(*sent).tags == (("utm_source", "google"),)


def test_tags_may_be_inputs_of_marketing() -> None:
    sent = [("marketing.utm_source", "google"), ("marketing[utm_medium]", "cpc"), ("marketing[gclid][]", "x")]
    assert form(*sent).tags == (("utm_source", "google"), ("utm_medium", "cpc"), ("gclid", "x"))


def test_of_a_tag_the_first_value_is_typed_again_because_that_one_counts() -> None:
    body = form(("utm_source", "a"), ("utm_source", "b"), ("colour", "red"), ("colour", "blue"))
    assert body.typed == {"utm_source": "a", "colour": "blue"}
    assert body.tags == (("utm_source", "a"), ("utm_source", "b"))


def test_several_values_are_a_list_if_the_member_is_one_and_otherwise_the_last_counts() -> None:
    body = form(
        ("updatePerson.categoryIds", "1"),
        ("categoryIds", "2"),
        ("firstName", "Anna"),
        ("firstName", "Bo"),
        booking=True,
    )
    assert body.members == {"updatePerson": {"categoryIds": ["1", "2"], "firstName": "Bo"}}


@pytest.mark.parametrize(
    "name",
    [
        "surname",
        "email",
        "email.",
        ".email",
        "email.emailAddress.x",
        "telephone.fax",
        "firstName.x",
        "__class__",
        "marketing.utmTags",
        "",
    ],
)
def test_unknown_form_fields_are_left_out(name: str) -> None:
    body = form(("firstName", "Anna"), (name, "x"))
    assert body.members == {"firstName": "Anna"}
    assert body.faults == ()


def test_typed_values_are_kept_for_the_form_to_be_shown_again() -> None:
    body = form(("firstName", " Anna "), ("surname", "Å"), ("token", "T1"), ("lastName", " "))
    assert body.typed == {"firstName": " Anna ", "surname": "Å"}
    assert body.token == "T1"
    assert "lastName" not in body.members


def test_campaign_tags_may_be_inputs_of_their_own() -> None:
    body = form(("utm_source", "google"), ("UTM_Medium", "cpc"), ("gclid", "1"), ("utm", "x"), ("utm_term", ""))
    assert body.tags == (("utm_source", "google"), ("UTM_Medium", "cpc"), ("gclid", "1"))
    assert body.members == {}


@pytest.mark.parametrize(
    ("fields", "faults"), [(MAX_FIELDS, ()), (MAX_FIELDS + 1, (FieldError("", "too_many_fields"),))]
)
def test_a_form_has_a_limit_of_fields(fields: int, faults: Any) -> None:
    assert form(*[(f"f{i}", "x") for i in range(fields)]).faults == faults


@pytest.mark.parametrize("content", [b"firstName=%E5sa&lastName=Ek", b"firstName=\xe5sa&lastName=Ek"])
def test_a_form_of_an_old_page_is_read_as_windows_1252(content: bytes) -> None:
    body = read_as(content, FORM)
    assert body.faults == ()
    assert body.typed == {"firstName": "åsa", "lastName": "Ek"}


@pytest.mark.parametrize("charset", ["", "; charset=utf-8"])
def test_a_form_is_in_one_charset(charset: str) -> None:
    body = read_as(b"firstName=\xc3\xa9&lastName=\xe5", FORM + charset)
    assert body.typed == {"firstName": "Ã©", "lastName": "å"}


CHARSETS = {"utf-8": "utf-8", "windows-1252": "cp1252", "ISO-8859-1": "cp1252", "iso-8859-15": "iso8859-15"}


@pytest.mark.parametrize(("label", "codec"), CHARSETS.items())
@pytest.mark.parametrize("text", ["Åsa Öberg", "é", "Zoë", "žš", "½", "Ek"])
def test_a_form_is_read_by_the_charset_that_it_names(label: str, codec: str, text: str) -> None:
    try:
        value = text.encode(codec)
    except UnicodeEncodeError:
        value = text.encode(codec, "xmlcharrefreplace")  # as browsers do
    content = b"firstName=" + quote_from_bytes(value).encode()
    assert read_as(content, f"{FORM}; charset={label}").typed["firstName"] == text
    assert read_as(content + f"&_charset_={label}".encode(), FORM).typed["firstName"] == text
    parts, content_type = multipart(('name="firstName"', value))
    assert read_as(parts, f'{content_type}; charset="{label}"').typed["firstName"] == text
    parts, content_type = multipart(('name="_charset_"', label.encode()), ('name="firstName"', value))
    assert read_as(parts, content_type).typed["firstName"] == text


OTHERS = {"windows-1251": "Анна", "ISO-8859-9": "İbrahim", "windows-1257": "Šarūnas", "koi8-r": "Анна"}
OTHERS |= {"shift_jis": "山田太郎", "gb18030": "李明", "big5": "李明", "euc-kr": "김민준", "tis-620": "สมชาย"}


@pytest.mark.parametrize(("label", "text"), OTHERS.items())
def test_a_form_may_name_a_charset_of_another_script(label: str, text: str) -> None:
    codec = {"ISO-8859-9": "cp1254"}.get(label, label)
    content = b"firstName=" + quote_from_bytes(text.encode(codec)).encode() + f"&_charset_={label}".encode()
    assert read_as(content, FORM).typed["firstName"] == text


@pytest.mark.parametrize(
    ("others", "text"),
    [
        ([], "☎ &#38; Łuk"),
        ([("lastName", "Öberg")], "&#9742; &#38; &#321;uk"),  # in UTF-8, so the visitor wrote the references
        ([("token", "T1")], "&#9742; &#38; &#321;uk"),  # from our own page
    ],
)
def test_a_form_of_ascii_only_may_have_references_to_characters(others: list[tuple[str, str]], text: str) -> None:
    pairs = [("contactMessage", "&#9742; &#38; &#321;uk"), *others]
    assert read_as(urlencode(pairs).encode(), FORM).typed["contactMessage"] == text
    content, content_type = multipart(*((f'name="{name}"', value.encode()) for name, value in pairs))
    assert read_as(content, content_type).typed["contactMessage"] == text


@pytest.mark.parametrize("head", ["; Charset=ISO-8859-2", ";charset = 'iso-8859-2'", ' ; a=b; charset= "ISO-8859-2"'])
def test_a_charset_is_read_however_it_is_written(head: str) -> None:
    assert read_as(b"firstName=\xb3", FORM + head).typed["firstName"] == "ł"


@pytest.mark.parametrize("charset", ["windows-1252", "", "utf-8"])
def test_a_byte_without_a_character_is_the_control_character_that_browsers_take_it_for(charset: str) -> None:
    assert read_as(b"firstName=\x81\xe5", f"{FORM}; charset={charset}").typed["firstName"] == "\x81å"


REFERENCES = ["&#0;", "&#55296;", "&#57343;", "&#1114112;", "&#9999999;", "&#12345678;", "&#x41;", "&#;", "&#-1;"]
REFERENCES += ["&#127;"]  # ASCII needs none


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_to_no_character_is_kept(reference: str) -> None:
    content = urlencode({"firstName": reference}).encode()
    assert read_as(content, FORM).typed["firstName"] == reference
    if reference != "&#127;":
        assert read_as(content, f"{FORM}; charset=iso-8859-1").typed["firstName"] == reference


@pytest.mark.parametrize("number", [128, 0xD7FF, 0xE000, 0x1F3E0, 0x10FFFF])
def test_a_reference_to_any_other_character_is_that_character(number: int) -> None:
    assert read_as(urlencode({"firstName": f"&#{number};"}).encode(), FORM).typed["firstName"] == chr(number)


def test_references_in_a_form_that_names_its_charset_and_in_tags_are_kept() -> None:
    content = urlencode({"firstName": "&#321;uk", "utm_source": "&#321;"}).encode()
    assert read_as(content, f"{FORM}; charset=utf-8").typed["firstName"] == "&#321;uk"
    assert read_as(content, FORM).tags == (("utm_source", "&#321;"),)


def test_a_tag_does_not_decide_the_charset_and_is_read_by_itself() -> None:
    assert read_as("firstName=Åsa&utm_source=%F6".encode(), FORM).typed["firstName"] == "Åsa"
    content, content_type = multipart(('name="firstName"', "Åsa".encode()), ('name="utm_source"', b"\xf6"))
    body = read_as(content, content_type)
    assert (body.typed["firstName"], body.tags) == ("Åsa", (("utm_source", "ö"),))


@pytest.mark.parametrize("name", ["Marketing.UtmTags[0].Name", "MARKETING[UTMTAGS][0][NAME]"])
def test_the_names_of_tags_in_a_list_may_be_in_any_casing(name: str) -> None:
    value = name.replace("Name", "Value").replace("NAME", "VALUE")
    assert form((name, "utm_source"), (value, "a")).tags == (("utm_source", "a"),)


def test_a_form_that_begins_with_a_brace_and_is_no_json_is_a_form() -> None:
    assert read_as(b"{a=1&firstName=Anna", FORM).members == {"firstName": "Anna"}


def test_text_is_json_or_not_supported() -> None:
    assert read_as(b'{"firstName": "Anna"}', "text/plain").members == {"firstName": "Anna"}
    with pytest.raises(UnsupportedMediaTypeError):
        read_as(b"firstName=Anna", "text/plain")


@pytest.mark.parametrize("length", ["9" * 5000, "0" * 5000 + "1", str(MAX_BODY + 1)], ids=len)
def test_a_length_of_any_size_is_too_large_or_not(length: str) -> None:
    asked = request(b"", FORM)
    with pytest.raises(BodyTooLargeError):
        asyncio.run(read_content(asked, {"content-length": length}))


@pytest.mark.parametrize(
    ("content", "charset", "name"),
    [
        (codecs.BOM_UTF8 + b'{"firstName": "\xe5"}', "utf-8", None),  # with the mark it is UTF-8 or damaged
        (b'{"firstName": "\xe5\x81"}', "windows-1252", "å\ufffd"),
        ('{"firstName": "\ud800"}'.encode("utf-16-le", "surrogatepass"), "", "\ufffd"),
    ],
)
def test_json_with_bytes_that_are_no_character_is_read_by_its_encoding(
    content: bytes, charset: str, name: str | None
) -> None:
    body = parse_json(content, charset)
    assert body.members == ({"firstName": name} if name else {})
    assert [fault.code for fault in body.faults] == ([] if name else ["invalid_encoding"])


@pytest.mark.parametrize("boundary", ['"a\\"b"', '"a\\\\b"', "B" * 257], ids=["quote", "backslash", "long"])
def test_a_boundary_is_any_text_of_bounded_length(boundary: str) -> None:
    mark = boundary.strip('"').replace('\\"', '"').replace("\\\\", "\\").encode()
    head = b'--%s\r\nContent-Disposition: form-data; name="firstName"\r\n\r\nAnna\r\n--%s--\r\n'
    body = read_as(head % (mark, mark), f"multipart/form-data; boundary={boundary}")
    if len(mark) > 256:
        assert body.faults == (FieldError("", "invalid_form"),)
    else:
        assert body.members == {"firstName": "Anna"}


NO_CHARSETS = [
    *("undefined", "idna", "punycode", "utf-7", "unicode_escape", "raw_unicode_escape", "rot13", "hex", "base64"),
    *("zip", "bz2", "utf-16", "utf-32", "mbcs", "oem", "charmap", "nonsense", "", " ", "a" * 5000, "ütf-8", "\x00"),
]


@pytest.mark.parametrize("label", NO_CHARSETS, ids=ascii)
@pytest.mark.parametrize("value", ["Åsa".encode(), b"+AD4-", b"\\u0041", b"xn--a", b"\xff\xfeA\x00"], ids=ascii)
def test_an_unknown_charset_is_ignored(label: str, value: bytes) -> None:
    head = label.encode("utf-8", "replace").decode("latin-1")
    try:
        expected = value.decode()
    except UnicodeDecodeError:
        expected = value.decode("cp1252")
    content = b"firstName=" + quote_from_bytes(value).encode()
    assert read_as(content, f"{FORM}; charset={head}").typed["firstName"] == expected
    parts, content_type = multipart(('name="_charset_"', label.encode()), ('name="firstName"', value))
    assert read_as(parts, f"{content_type}; charset={head}").typed["firstName"] == expected


def test_a_multipart_form_is_read_like_any_other() -> None:
    content, content_type = multipart(
        ('name="firstName"', "Åsa".encode()), ('name="email.emailAddress"', b"a@b.se"), ('name="token"', b"T1")
    )
    body = read_as(content, content_type)
    assert body.members == {"firstName": "Åsa", "email": {"emailAddress": "a@b.se"}}
    assert (body.token, body.faults) == ("T1", ())


def test_a_file_is_refused_by_name_and_an_unused_file_input_is_not() -> None:
    content, content_type = multipart(
        ('name="firstName"', b"Anna"),
        ('name="cv"; filename="cv.pdf"', b"%PDF"),
        ('name="empty"; filename="empty.txt"', b""),
        ('name="nameless"; filename=""', b"%PDF"),
        ('name="unused"; filename=""', b""),
    )
    body = read_as(content, content_type)
    assert body.faults == tuple(FieldError(name, "file") for name in ("cv", "empty", "nameless"))
    assert body.members == {"firstName": "Anna"}


def test_a_truncated_multipart_form_is_an_error_and_no_field_is_lost_silently() -> None:
    content, content_type = multipart(('name="firstName"', b"Anna"), ('name="contactMessage"', b"Ring mig"))
    assert read_as(content, content_type).members == {"firstName": "Anna", "contactMessage": "Ring mig"}
    assert read_as(content[:-12], content_type).faults == (FieldError("", "invalid_form"),)


@pytest.mark.parametrize("before", [b"", b"\r\n", b"This is a message in MIME format.\r\n", b"a --B\n"])
@pytest.mark.parametrize("after", [b"", b"\r\n\r\n", b"This is the end.\r\n"])
def test_text_around_the_parts_of_a_multipart_form_is_ignored(before: bytes, after: bytes) -> None:
    content, content_type = multipart(('name="firstName"', b"Anna"), ('name="contactMessage"', b"Ring --B--"))
    body = read_as(before + content + after, content_type)
    assert (body.members, body.faults) == ({"firstName": "Anna", "contactMessage": "Ring --B--"}, ())
    torn = before + content.removesuffix(b"\r\n--B--\r\n")
    assert read_as(torn, content_type).faults == (FieldError("", "invalid_form"),)


def test_json_and_a_form_with_the_same_members_are_equivalent() -> None:
    members = {"firstName": "Anna", "lastName": "Å", "email": {"emailAddress": "a@b.se"}}
    from_form = form(("firstName", "Anna"), ("lastName", "Å"), ("email.emailAddress", "a@b.se"))
    assert read_as(json.dumps(members).encode(), JSON).members == from_form.members == members


def test_the_same_members_are_the_same_content_whatever_a_programs_order() -> None:
    first, second = (read_as(json.dumps(members).encode(), JSON) for members in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    other = read_as(b'{"a": 1, "b": 3}', JSON)
    assert first.content == second.content != other.content


def test_the_same_form_is_the_same_content_whatever_separates_its_parts() -> None:
    head = b'--%s\r\nContent-Disposition: form-data; name="firstName"\r\n\r\nAnna\r\n--%s--\r\n'
    first, second = (
        read_as(head % (mark, mark), f"multipart/form-data; boundary={mark.decode()}") for mark in (b"A", b"B")
    )
    assert first.content == second.content
    assert first.typed == {"firstName": "Anna"}
    assert (
        form(("firstName", "Anna")).content == form(("firstName", "Anna")).content != form(("firstName", "A")).content
    )


def nested(fields: int) -> bytes:
    return json.dumps({"a": {f"f{i}": "x:y" for i in range(fields - 1)}}).encode()


def tags(number: int, fields: int) -> bytes:
    return json.dumps({"marketing": [{f"f{i}": "x" for i in range(fields)}] * number}).encode()


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (nested(MAX_FIELDS), []),
        (nested(MAX_FIELDS + 1), ["too_many_fields"]),
        (tags(1, MAX_FIELDS - 1), []),
        (tags(1, MAX_FIELDS), ["too_many_fields"]),
        (tags(1000, 2), []),  # a tag never costs a lead
    ],
)
def test_json_has_a_limit_of_members_with_those_inside(content: bytes, codes: list[str]) -> None:
    assert [fault.code for fault in parse_json(content).faults] == codes


def test_many_colons_do_not_count_as_many_members() -> None:
    assert parse_json(json.dumps({"contactMessage": ":" * 5000}).encode()).faults == ()


def test_a_multipart_form_has_a_limit_of_fields() -> None:
    parts = [(f'name="f{i}"', b"x") for i in range(MAX_FIELDS + 1)]
    assert [fault.code for fault in read_as(*multipart(*parts)).faults] == ["too_many_fields"]
    assert read_as(*multipart(*parts[1:])).faults == ()


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\u200b", "\u00a0", "\u115f"], ids=ascii)
def test_an_empty_input_counts_as_absent(blank: str) -> None:
    """An urlencoded body's parser leaves out empty ones, a multipart body's does not."""
    body = as_form(
        [("firstName", "Åsa"), ("telephone.cell", blank), ("utm_source", blank)], [], interest.INTEREST.posts[0]
    )
    assert (body.members, body.typed, body.tags) == ({"firstName": "Åsa"}, {"firstName": "Åsa"}, ())
