"""Charsets of forms, by the labels that browsers use (encoding.spec.whatwg.org).

Python's own list of codecs can't be used for strangers' input: it includes codecs that fail, run away or rewrite.
"""

import codecs
import re

UTF_8, WINDOWS_1252 = "utf-8", "cp1252"
_LABELS = {
    UTF_8: "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    # ISO 8859-1 is read as its superset, as in browsers.
    WINDOWS_1252: "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 iso-ir-100 "
    "latin1 l1 csisolatin1 cp819 ibm819 us-ascii ascii ansi_x3.4-1968",
    "iso8859-15": "iso-8859-15 iso8859-15 iso885915 iso_8859-15 csisolatin9 latin-9 latin9 l9",
    "iso8859-2": "iso-8859-2 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 iso-ir-101 csisolatin2 latin2 l2",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "mac-roman": "macintosh mac x-mac-roman csmacintosh",
    # Rare in Sweden; without them a form that names its charset would arrive as nonsense.
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 latin5 l5",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "iso8859-3": "iso-8859-3 iso8859-3 latin3 l3",
    "iso8859-4": "iso-8859-4 iso8859-4 latin4 l4",
    "iso8859-5": "iso-8859-5 iso8859-5 cyrillic",
    "iso8859-7": "iso-8859-7 iso8859-7 greek",
    "iso8859-10": "iso-8859-10 iso8859-10 latin6 l6",
    "iso8859-13": "iso-8859-13 iso8859-13",
    "iso8859-14": "iso-8859-14 iso8859-14",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "koi8-r koi8 koi",
    "koi8-u": "koi8-u koi8-ru",
    "iso8859-6": "iso-8859-6 iso8859-6 arabic",
    "iso8859-8": "iso-8859-8 iso8859-8 iso-8859-8-i hebrew",
    "cp874": "windows-874 iso-8859-11 tis-620",
    "gb18030": "gb18030 gbk gb2312 x-gbk",
    "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5",
    "cp932": "shift_jis shift-jis sjis x-sjis ms932 windows-31j",
    "euc-jp": "euc-jp x-euc-jp",
    "cp949": "euc-kr windows-949 ks_c_5601-1987 ksc5601",
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
_REFERENCE = re.compile(r"&#([0-9]{1,7});")
_BYTES_AS_CONTROLS = "intresse.bytes-as-controls"


def _as_controls(error: UnicodeError) -> tuple[str, int]:
    """Decodes a byte that the charset has no character for as the control character of that number, as browsers do."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_BYTES_AS_CONTROLS, _as_controls)


def codec_of(label: str) -> str | None:
    """Python's name of the charset; None for an unknown one."""
    return _CODECS.get(label.strip().strip("\"'").lower())


def choose_codec(content: bytes, *labels: str) -> str:
    """The first that fits the bytes: the named charsets, then UTF-8, then windows-1252."""
    is_utf_8 = _is_utf_8(content)
    named = filter(None, map(codec_of, labels))
    return next((codec for codec in (*named, UTF_8) if codec != UTF_8 or is_utf_8), WINDOWS_1252)


def decode(content: bytes, codec: str) -> str:
    """Decodes bytes of a form as a browser encoded them; what is not valid UTF-8 is read as windows-1252."""
    if codec == UTF_8:
        return content.decode(UTF_8) if _is_utf_8(content) else content.decode(WINDOWS_1252, _BYTES_AS_CONTROLS)
    return with_references(content.decode(codec, _BYTES_AS_CONTROLS))


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode(UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def with_references(text: str, *, least: int = 1) -> str:
    """Replaces numeric references, which browsers send for characters that the page's charset lacks. `least` is the
    lowest number of a character that is replaced."""
    if "&#" not in text:
        return text
    return _REFERENCE.sub(lambda match: _character(match) if int(match[1]) >= least else match[0], text)


def _character(match: re.Match[str]) -> str:
    number = int(match[1])
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else match[0]
