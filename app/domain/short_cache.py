"""A cache for what strangers send: only short texts are remembered, so that no number of them fills the memory."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

T = TypeVar("T")

MAX_LENGTH = 200  # characters of the first argument
ENTRIES = 256


def cached_when_short(function: Callable[..., T]) -> Callable[..., T]:
    """An `lru_cache` of 256 calls. The first argument is a stranger's text, or None; one of more than 200 characters is
    computed each time. The other arguments are ours."""
    remembered = lru_cache(maxsize=ENTRIES)(function)

    @wraps(function)
    def call(text: str | None, *ours: Any) -> T:
        if text is not None and len(text) > MAX_LENGTH:
            return function(text, *ours)
        return remembered(text, *ours)

    return call
