"""Our own tokens and links are accepted, and nothing else."""

import re
import time
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.encryption import HASH_LENGTH
from app.web.operations.tokens import REPEAT_KEY_LENGTH, FormTokens, IdempotencyKeys, LinkSecrets

PATH = "/Advertising/Estate/M12345/OBJ1/interest"
TOKENS = FormTokens("a secret key")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The time by which tokens are dated."""
    clock = {"now": 1_700_000_000}
    monkeypatch.setattr(time, "time", lambda: clock["now"])
    return clock


@pytest.mark.parametrize(
    ("after", "ours"),
    [
        (timedelta(0), True),
        (timedelta(hours=23, minutes=59), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(seconds=-1), False),
    ],
)
def test_a_form_token_lives_for_a_day(clock: dict[str, int], after: timedelta, ours: bool) -> None:
    token = TOKENS.issue(PATH)
    clock["now"] += int(after.total_seconds())
    assert TOKENS.is_ours(token, PATH) is ours


def test_a_form_token_is_good_for_its_own_form_alone() -> None:
    token = TOKENS.issue(PATH)
    assert TOKENS.is_ours(token, PATH)
    assert not TOKENS.is_ours(token, PATH.replace("OBJ1", "OBJ2"))
    assert not FormTokens("another secret key").is_ours(token, PATH)


def test_no_two_form_tokens_are_the_same() -> None:
    assert len({TOKENS.issue(PATH) for _ in range(100)}) == 100


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "..", "å.b.c", "\ud800", "x" * 10_000])
def test_a_malformed_token_is_not_accepted(token: str | None) -> None:
    assert not TOKENS.is_ours(token, PATH)


@given(st.integers(0, 200), st.characters())
def test_an_altered_token_is_not_accepted(where: int, letter: str) -> None:
    token = TOKENS.issue(PATH)
    place = where % len(token)
    altered = token[:place] + letter + token[place + 1 :]
    assert TOKENS.is_ours(altered, PATH) is (altered == token)


def test_only_its_own_secret_opens_a_link() -> None:
    status, receipt = LinkSecrets("a secret key", "status"), LinkSecrets("a secret key", "receipt")
    secret = status.secret_of("S1")
    assert status.opens(secret, "S1")
    assert len(secret) >= 20
    for refused in (
        receipt.secret_of("S1"),
        status.secret_of("S2"),
        LinkSecrets("another", "status").secret_of("S1"),
        "",
        "å",
        "\ud800",
    ):
        assert not status.opens(refused, "S1")


CONTENT = "firstName=Anna&lastName=Å"
REPEATS = IdempotencyKeys("a secret key")


def test_the_same_post_has_the_same_idempotency_hash() -> None:
    assert REPEATS.of_content(PATH, CONTENT) == IdempotencyKeys("a secret key").of_content(PATH, CONTENT)
    assert REPEATS.of_token("T", PATH, CONTENT) == IdempotencyKeys("a secret key").of_token("T", PATH, CONTENT)


def test_each_kind_of_idempotency_key_lives_as_documented() -> None:
    assert REPEATS.of_content(PATH, CONTENT).lifetime == timedelta(minutes=10)
    assert REPEATS.of_token("T", PATH, CONTENT).lifetime == timedelta(hours=24)
    assert REPEATS.of_header("K", "M1", PATH, "key", CONTENT).lifetime == timedelta(hours=24)


def test_different_posts_have_different_idempotency_hashes() -> None:
    other = CONTENT.replace("Å", "Ö")
    marks = [
        REPEATS.of_content(PATH, CONTENT),
        REPEATS.of_content(PATH, other),
        REPEATS.of_content(PATH + "2", CONTENT),
        REPEATS.of_token("T", PATH, CONTENT),
        REPEATS.of_token("T", PATH, other),  # a token with other content is a new submission
        REPEATS.of_token("U", PATH, CONTENT),
        REPEATS.of_token("T", PATH + "2", CONTENT),
        REPEATS.of_header("T", "M1", PATH, "key", CONTENT),
        REPEATS.of_header("U", "M1", PATH, "key", CONTENT),
        REPEATS.of_header("T", "M2", PATH, "key", CONTENT),
        REPEATS.of_header("T", "M1", PATH + "2", "key", CONTENT),
        REPEATS.of_header("T", "M1", PATH, "another caller", CONTENT),
        IdempotencyKeys("another secret key").of_content(PATH, CONTENT),
    ]
    for mark, other_mark in combinations(marks, 2):
        assert mark.key != other_mark.key


def test_a_reused_header_with_other_content_is_recognised_as_a_conflict() -> None:
    first = REPEATS.of_header("K", "M1", PATH, "key", CONTENT)
    second = REPEATS.of_header("K", "M1", PATH, "key", CONTENT.replace("Å", "Ö"))
    assert first.key == second.key
    assert first.content != second.content


def test_an_idempotency_hash_reveals_no_personal_data() -> None:
    mark = REPEATS.of_content(PATH, CONTENT)
    assert (len(mark.key), len(mark.content)) == (REPEAT_KEY_LENGTH, HASH_LENGTH)
    assert b"Anna" not in mark.key + mark.content


@given(st.lists(st.tuples(st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_the_parts_of_an_idempotency_hash_are_unambiguous(pair: list[tuple[str, str]]) -> None:
    (key, caller), (other_key, other_caller) = pair
    one = REPEATS.of_header(key, "M1", PATH, caller, CONTENT)
    two = REPEATS.of_header(other_key, "M1", PATH, other_caller, CONTENT)
    assert one.key != two.key or "\0" in key + caller + other_key + other_caller


def test_a_tokens_age_is_known(clock: dict[str, int]) -> None:
    token = TOKENS.issue(PATH)
    clock["now"] += 90
    assert TOKENS.age(token, PATH) == 90
    assert TOKENS.age(token, "/another") is None
    assert TOKENS.age(TOKENS.issue(PATH, 2), PATH) == 2


def test_each_form_has_its_own_meaningless_honeypot_name() -> None:
    traps = {TOKENS.trap(TOKENS.issue(PATH)) for _ in range(100)}
    assert len(traps) == 100
    assert all(re.fullmatch(r"n[0-9a-f]{9}", trap) for trap in traps)
    assert TOKENS.trap("\ud800")
