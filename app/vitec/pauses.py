"""Credentials that Vitec has refused: no more calls with one, but for a probe now and then.

Hammering a refused office got an integrator blocked (vitec-connect.md, O). A credential is a customer's password for
one function group. Known in this process alone.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from app.domain.submission import FunctionGroup

log = structlog.get_logger()

Credential = tuple[str, FunctionGroup]


class Pauses:
    def __init__(self, probe: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._probe = probe.total_seconds()
        self._clock = clock
        self._until: dict[Credential, float] = {}

    def places(self, credential: Credential, usual: int) -> int:
        """How many submissions may go: the usual number, none while it rests, one when it is time for a probe."""
        until = self._until.get(credential)
        return usual if until is None else int(until <= self._clock())

    def rests(self, credential: Credential) -> bool:
        return self.places(credential, 1) == 0

    def tried(self, credential: Credential) -> None:
        """A submission goes: of a resting credential it is the probe, and the next is a whole rest away, whatever
        becomes of this one."""
        if credential in self._until:
            self._until[credential] = self._clock() + self._probe

    def refused(self, credential: Credential) -> None:
        customer, group = credential
        log.error("login refused", customer=customer, function_group=group.value)
        self._until[credential] = self._clock() + self._probe

    def accepted(self, credential: Credential) -> None:
        if self._until.pop(credential, None) is not None:
            customer, group = credential
            log.info("login accepted again", customer=customer, function_group=group.value)
