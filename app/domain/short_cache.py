"""A cache for what strangers send: only short texts are remembered, so that no number of them fills the memory."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

T = TypeVar("T")

MAX_LENGTH = 200  # characters of all arguments together
ENTRIES = 256


def cached_when_short(function: Callable[..., T]) -> Callable[..., T]:
    """An `lru_cache` of 256 calls whose arguments are texts of at most 200 characters together; longer ones are
    computed each time."""
    remembered = lru_cache(maxsize=ENTRIES)(function)

    @wraps(function)
    def call(*texts: Any) -> T:
        length = 0
        for text in texts:
            if isinstance(text, str):
                length += len(text)
        return remembered(*texts) if length <= MAX_LENGTH else function(*texts)

    return call
