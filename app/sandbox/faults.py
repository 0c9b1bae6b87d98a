"""Faults to order: what a real CRM does on a bad day, as data, so that a test or a demo can ask for any of it.

Examples:
    Fault(status=503, headers={"Retry-After": "120"}, times=1)        overloaded once
    Fault(status=401, customer_id="M00000", operation="lead")         a refused login, until lifted
    Fault(status=500, carried_out=True, times=1)                      done, and then the answer went wrong
    Fault(status=200, body='{"id": ', carried_out=True)               done, and answered with broken JSON
    Fault(status=403, names="OBJ1")                                   no access to that home
    Fault(delay_seconds=3)                                            slow, otherwise as ever
    Fault(truncated=True, times=1)                                    done, the answer breaks off half-way
    Fault(cut=True, carried_out=True, times=1)                        done, the connection closed without a byte
    Fault(stalled=True, times=1)                                      done, the answer's body never ends
    Fault(status=401, truncated=True)                                 a refused login whose answer breaks off
    Fault(status=302, headers={"Location": "https://example.se/"})    a redirect
    Fault(status=200, page=True)                                      a maintenance page in Vitec's place (400, 404 …)
    Fault(status=200, page=True, carried_out=True)                    the same, and Vitec had done it
    Fault(status=407, body="")                                        a proxy's word, and no more
    Fault(status=200, body='{"message": "An error has occurred."}')   a success that speaks of an error
    Fault(status=503, headers={"Retry-After": "9" * 30})              a wish absurd in size
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.client import responses
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from app.sandbox.answers import Answer
from app.sandbox.records import Operation


class Fault(BaseModel):
    """One disturbance, and which requests it meets.

    status         the HTTP status answered instead of the ordinary one, 200-599; None: the ordinary answer
    headers, body  sent with `status`; a body of None is Vitec's shape of message, or nothing below 400
    page           with `status`: an HTML page, as gateways and maintenance answer, instead of Vitec's shape of message
    delay_seconds  how long the answer waits; what is carried out is carried out before
    carried_out    whether the request has its effect all the same; without `status` or `cut` it always has
    truncated      half of the body under the Content-Length of the whole; a 204 has none to halve and goes as 200
    stalled        the head, half of the body, and then silence, until the caller hangs up
    cut            the connection is closed with no byte at all (where the server is not uvicorn: truncated)
    operation      only that operation; None: all
    customer_id    only that customer; None: all
    names          only requests with this id in their path: an estate, a viewing, a slot, a contact; None: all
    times          how many requests it meets; None: until lifted
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    status: int | None = Field(default=None, ge=200, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: str | None = None
    page: bool = False
    delay_seconds: float = Field(default=0, ge=0)
    carried_out: bool = False
    truncated: bool = False
    stalled: bool = False
    cut: bool = False
    operation: Operation | None = None
    customer_id: str | None = None
    names: str | None = None
    times: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def says_what_it_answers(self) -> Self:
        if self.status is None and (self.body is not None or self.headers):
            raise ValueError("headers and body are sent with a status: name it")
        if self.page and (self.status is None or self.body is not None):
            raise ValueError("a page is sent with a status, and is a body of its own")
        if self.truncated + self.stalled + self.cut > 1:
            raise ValueError("an answer breaks in one way: truncated, stalled or cut")
        return self

    def meets(self, operation: Operation, ids: Mapping[str, str]) -> bool:
        named = self.names is None or self.names in ids.values()
        return named and self.operation in (None, operation) and self.customer_id in (None, ids["customerId"])

    def disturb(self, carry_out: Callable[[], Answer]) -> Answer:
        """The answer to send; `carry_out` is called if the request is to have its effect."""
        ordinary = _NOTHING_DONE
        if self.carried_out or (self.status is None and not self.cut):
            ordinary = carry_out()
        if self.status is None:
            return ordinary
        headers = self.headers
        if self.page:
            text, headers = _PAGE, {"Content-Type": "text/html; charset=utf-8", **headers}
        else:
            text = _default_text(self.status) if self.body is None else self.body
        return replace(ordinary, status=self.status, text=text, headers=headers)


_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Driftavbrott</title></head><body><h1>Vi är snart tillbaka</h1></body></html>\n"
)
_NOTHING_DONE = Answer(503, carried_out=False)


def _default_text(status: int) -> str:
    return json.dumps({"message": responses.get(status, "Error")}) if status >= 400 else ""


class OrderedFaults:
    """The faults in force; the first that meets a request is the one it gets."""

    def __init__(self) -> None:
        self._in_force: list[Fault] = []

    def order(self, fault: Fault) -> None:
        self._in_force.append(fault)

    def lift(self) -> None:
        self._in_force.clear()

    def take(self, operation: Operation, ids: Mapping[str, str]) -> Fault | None:
        for place, fault in enumerate(self._in_force):
            if fault.meets(operation, ids):
                self._spend(place, fault)
                return fault
        return None

    def _spend(self, place: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._in_force[place]
        elif fault.times is not None:
            self._in_force[place] = fault.model_copy(update={"times": fault.times - 1})
