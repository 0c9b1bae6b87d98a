"""Spam detection. Suspect submissions are held for review by the firm; the sender sees no difference.

No single sign that a genuine visitor may show is enough. Autofill can be as quick as a robot, and a person may send a
link to a home; both together are a robot's.
"""

import re
from collections.abc import Mapping

from app.operations.registry import PERSON_PREFIXES
from app.operations.specification import MESSAGES

QUICK_SECONDS = 2  # from the form's page to its post
_IN_LINKS = frozenset("/.[<")  # each link has one of these, few names do
_LINK = re.compile(r"https?:/|www\.|\[url|<a\b", re.IGNORECASE)
_NAMES = tuple(prefix + name for prefix in ("", *PERSON_PREFIXES) for name in ("firstName", "lastName"))


def looks_automatic(typed: Mapping[str, str], trap: str | None, token_age: int | None) -> bool:
    """`typed` are a form's inputs, empty for JSON; `trap` is the name of the honeypot input; `token_age` is how many
    seconds the form was open, None if it was not ours."""
    if trap is not None and trap in typed:
        return True
    if _has_link(typed, _NAMES):
        return True
    return token_age is not None and token_age < QUICK_SECONDS and _has_link(typed, MESSAGES)


def _has_link(typed: Mapping[str, str], names: tuple[str, ...]) -> bool:
    for name in names:
        text = typed.get(name)
        if text and not _IN_LINKS.isdisjoint(text) and _LINK.search(text):
            return True
    return False
