"""Random bytes of the operating system, fetched in batches: a system call for each draw was 4 % of a post."""

import os

BATCH = 64


class RandomBytes:
    """`draw` returns `length` bytes that no other call in this process returns, in any thread. A forked process would
    return the same ones, but the service never forks."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._batch: list[bytes] = []

    def draw(self) -> bytes:
        try:
            return self._batch.pop()
        except IndexError:
            data = os.urandom(BATCH * self._length)
            first, *others = (data[start : start + self._length] for start in range(0, len(data), self._length))
            self._batch.extend(others)
            return first
