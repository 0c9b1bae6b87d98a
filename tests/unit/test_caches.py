"""Caches shared by requests: strangers can't make any of them large."""

import gc
import importlib
import pkgutil
import tracemalloc
from functools import _lru_cache_wrapper

import pytest

import app
from app.domain import marketing
from app.domain.short_cache import ENTRIES, MAX_LENGTH, ShortCache, cached_when_short
from app.web.http import languages, origins
from app.web.operations import body, slots

# Caches whose keys are ours: templates, catalogues, configuration, statements, numbers and days of the console, lists
# in files, the current second, names of countries.
OURS = {
    *("_content", "describe", "_missing", "stylesheet", "fenced", "claim", "number", "share", "day", "_prepare"),
    *("_make_statement", "catalogue", "_steps", "_stockholm_second", "_codes_by_name"),
}
STRANGERS = [
    origins.origin_of,
    marketing.page_address,
    slots.parse_slots,
    languages._accepted,
]


def test_every_cache_is_of_short_texts_or_of_what_is_ours() -> None:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if "migrations" not in module.name:
            importlib.import_module(module.name)
    caches = [cache for cache in gc.get_objects() if isinstance(cache, _lru_cache_wrapper)]
    assert {cache.__name__ for cache in caches if str(cache.__module__).startswith("app.")} <= OURS
    short = {cache.function.__name__ for cache in gc.get_objects() if isinstance(cache, ShortCache)}
    assert short >= {"origin_of", "page_address", "_tag_name", "parse_slots", "_accepted", "media_of", "_counted"}


@pytest.mark.parametrize("remembers", STRANGERS)
@pytest.mark.parametrize("length", [20, MAX_LENGTH, 14_000])
def test_thousands_of_inputs_take_no_memory(remembers: object, length: int) -> None:
    assert callable(remembers)
    tracemalloc.start()
    try:
        for number in range(10_000 if length < 100 else 2_000):
            remembers(f"https://{number:x}.example.se/".ljust(length, "a"))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 1_000_000


def test_an_invalid_content_type_takes_no_memory() -> None:
    tracemalloc.start()
    for number in range(10_000):
        with pytest.raises(body.UnsupportedMediaTypeError):
            body.media_of(f"text/{number}")
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 1_000_000


def test_short_texts_are_remembered_and_long_ones_are_not() -> None:
    calls = []

    @cached_when_short
    def double(text: str) -> str:
        calls.append(text)
        return text * 2

    for text in ("a", "a", "b" * MAX_LENGTH, "b" * MAX_LENGTH, "c" * (MAX_LENGTH + 1), "c" * (MAX_LENGTH + 1)):
        assert double(text) == text * 2
    assert [len(text) for text in calls] == [1, MAX_LENGTH, MAX_LENGTH + 1, MAX_LENGTH + 1]


def test_no_more_results_are_remembered_than_there_is_room_for() -> None:
    cache = ShortCache(str.upper)
    for number in range(3 * ENTRIES):
        assert cache[f"{number}a"] == f"{number}A"
        assert len(cache) <= ENTRIES
