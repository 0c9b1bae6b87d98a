"""Random bytes of the operating system, drawn many at a time: asking for each one was 4 % of a post."""

import os

BATCH = 64


class RandomBytes:
    """`draw` returns `length` bytes that no other call returns, in any thread of this process. A forked process would
    return the same ones: the service forks none."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._drawn: list[bytes] = []

    def draw(self) -> bytes:
        try:
            return self._drawn.pop()
        except IndexError:
            many = os.urandom(BATCH * self._length)
            first, *others = (many[at : at + self._length] for at in range(0, len(many), self._length))
            self._drawn.extend(others)
            return first
