"""A cache for what strangers send: only short texts are remembered, so that no number of them fills the memory."""

from collections.abc import Callable
from typing import Any, TypeVar

Text = TypeVar("Text", str, str | None)
T = TypeVar("T")

MAX_LENGTH = 200  # characters
ENTRIES = 256


class ShortCache(dict[Any, T]):
    """The results of one function by its argument, a stranger's text or None. A text of more than 200 characters is
    computed each time; when 256 results are there, all are dropped."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, text: str | None) -> T:
        result = self.function(text)
        if text is None or len(text) <= MAX_LENGTH:
            if len(self) >= ENTRIES:
                self.clear()
            self[text] = result
        return result


def cached_when_short(function: Callable[[Text], T]) -> Callable[[Text], T]:
    """A decorator. What it returns is a dictionary's look-up, which runs no Python for a text that is remembered: an
    `lru_cache` with a check of the length cost a post, which asks 17 times, 3 %."""
    return ShortCache(function).__getitem__
