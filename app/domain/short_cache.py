"""A bounded cache for functions of a stranger's text: only short texts are cached, so that it can't fill the memory."""

from collections.abc import Callable
from typing import Any, TypeVar

Text = TypeVar("Text", str, bytes, str | None)
T = TypeVar("T")

MAX_LENGTH = 200  # characters
ENTRIES = 256


class ShortCache(dict[Any, T]):
    """The results of one function by its argument: a text, bytes or None. The result for one of more than 200
    characters is computed each time. A cache that is full (256 results) is cleared."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, text: str | bytes | None) -> T:
        result = self.function(text)
        if text is None or len(text) <= MAX_LENGTH:
            if len(self) >= ENTRIES:
                self.clear()
            self[text] = result
        return result


def cached_when_short(function: Callable[[Text], T]) -> Callable[[Text], T]:
    """A decorator. The result is a dictionary's lookup, which runs no Python code for a cached text: a post calls such
    functions 17 times, and an `lru_cache` with a check of the length cost 2 % of a post."""
    return ShortCache(function).__getitem__
