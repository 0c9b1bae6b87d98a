"""Countries as people write them, to codes of ISO 3166-1 alpha-2: `NO`, `Norge`, `Norway`, `NOR`."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from babel import Locale
from babel.core import get_global

# As CLDR lists them, without its codes for unions, unknown regions and tests.
COUNTRIES = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()}
COUNTRIES -= {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"}
MAX_COUNTRY_TEXT = 100  # characters

_LANGUAGES = ("en", "sv", "nb", "da", "fi", "de")  # of the names: our own languages and the neighbours'
_EVERYDAY = {  # names that CLDR has otherwise
    "GB": "uk, great britain, england, scotland, skottland, wales, northern ireland, nordirland",
    "US": "america, amerika, förenta staterna",
    "AE": "uae, emiraten",
    "BA": "bosnia, bosnien",
    "BY": "vitryssland",
    "CZ": "czech republic, tjeckiska republiken",
    "HK": "hong kong",
    "KR": "korea",
    "MK": "macedonia, makedonien",
    "MM": "burma",
    "MO": "macau, macao",
    "NL": "holland",
    "PS": "palestine, palestina",
    "RU": "russian federation",
    "TR": "turkey",
}
_WORD = re.compile(r"[^\W\d_]+")
_OPTIONAL_WORDS = frozenset({"the", "and", "och", "og", "ja", "und"})  # words for which people also write &, or nothing
_BETWEEN = re.compile(r"[()\[\],;:/|\u2013-]")  # as in "NO - Norge" and "Sverige (Sweden)"


def country_code(text: str) -> str | None:
    """The code of the country that the text names; None if it names none, or more than one."""
    if len(text) > MAX_COUNTRY_TEXT:
        return None
    if code := _code(text):
        return code
    codes = {_code(part) for part in _BETWEEN.split(text) if part.strip()}
    return codes.pop() if len(codes) == 1 else None


def _code(text: str) -> str | None:
    code = text.strip().upper()
    return code if code in COUNTRIES else _codes_by_name().get(_key(text))


@cache
def _codes_by_name() -> Mapping[str, str]:
    """The codes by key of a name, or of a code with three letters."""
    codes = {_key(name): code for code, names in _EVERYDAY.items() for name in names.split(",")}
    for alias, current in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and COUNTRIES.issuperset(current) and len(current) == 1:
            codes[alias.lower()] = current[0]
    for language in _LANGUAGES:
        names = Locale(language).territories
        codes |= {_key(str(names[code])): code for code in COUNTRIES if code in names}
    return codes


def _key(name: str) -> str:
    """The name's letters, without case, accents, and words that one writes or leaves out."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return "".join(word for word in _WORD.findall(plain) if word not in _OPTIONAL_WORDS)
