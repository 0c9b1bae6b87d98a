"""Submission ids (UUIDv7) and the short references made from them."""

from datetime import datetime
from uuid import UUID

from app.domain.random_bytes import RandomBytes

REFERENCE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # easy to read out: no 0/O, no 1/I
REFERENCE_LENGTH = 8
_REFERENCE_EPOCH = 1735689600  # 2025-01-01; 30 bits of seconds last until 2059
_SECONDS_BITS = 30
_RANDOM_PART = 1 << 10
_STEPS_OF_A_SECOND = 1000 * 4096  # milliseconds, and the 12 bits of a fraction that a UUIDv7 may have
_VARIANTS = "89ab"  # RFC 9562: the bits 10 and two random ones
_RANDOM = RandomBytes(8)


def new_id(at: datetime) -> str:
    """A UUIDv7 of the time `at`, which comes from the deciding clock (`Database.now`), so that ids are in order of time
    whatever the clock of a process says. New ids then also share an index's newest pages, which are in the cache."""
    step = f"{int(at.timestamp() * _STEPS_OF_A_SECOND):015x}"
    random = _RANDOM.draw()
    rest = random.hex()
    return f"{step[:8]}-{step[8:12]}-7{step[12:]}-{_VARIANTS[random[0] & 3]}{rest[1:4]}-{rest[4:]}"


def reference_of(submission_id: str) -> str:
    """Eight characters that are easy to read out, made from the id: ten of its random bits, then its second. Two posts
    of the same second have the same reference once in a thousand times. It is not a secret."""
    number = int(submission_id.replace("-", ""), 16)
    value = (number % _RANDOM_PART) << _SECONDS_BITS | (number >> 80) // 1000 - _REFERENCE_EPOCH
    return "".join(REFERENCE_ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))


def grouped(reference: str) -> str:
    """The reference in groups of four, to be read over the phone."""
    return f"{reference[:4]} {reference[4:]}"


def ids_of_reference(reference: str) -> tuple[str, str]:
    """The range of ids that may have this reference, without its end. Raises `ValueError`."""
    if len(reference) != REFERENCE_LENGTH:
        raise ValueError(reference)
    value = 0
    for character in reference:
        value = value << 5 | REFERENCE_ALPHABET.index(character)
    second = value % (1 << _SECONDS_BITS) + _REFERENCE_EPOCH
    return _first_id(second * 1000), _first_id((second + 1) * 1000)


def first_id_of(moment: datetime) -> str:
    """The smallest id of that moment: earlier ids are smaller, later ones are not."""
    return _first_id(int(moment.timestamp() * 1000))


def _first_id(milliseconds: int) -> str:
    return str(UUID(int=milliseconds << 80))
