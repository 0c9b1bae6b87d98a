"""Fault injection: the ways in which a real CRM fails, as data, so that a test or the demo can ask for any of them.

Examples:
    Fault(status=503, headers={"Retry-After": "120"}, times=1)        overloaded once
    Fault(status=401, customer_id="M00000", operation="lead")         the login is refused, until cleared
    Fault(status=500, carried_out=True, times=1)                      carried out, but answered with an error
    Fault(status=200, body='{"id": ', carried_out=True)               carried out, and answered with broken JSON
    Fault(status=403, names="OBJ1")                                   no access to that home
    Fault(delay_seconds=3)                                            slow, otherwise as usual
    Fault(truncated=True, times=1)                                    carried out, the answer breaks off halfway
    Fault(cut=True, carried_out=True, times=1)                        carried out, the connection closed without a byte
    Fault(stalled=True, times=1)                                      carried out, the answer's body never ends
    Fault(status=401, truncated=True)                                 the login is refused in an answer that breaks off
    Fault(status=302, headers={"Location": "https://example.se/"})    a redirect
    Fault(status=200, page=True)                                      a maintenance page instead of Vitec (400, 404 …)
    Fault(status=200, page=True, carried_out=True)                    the same, but Vitec has carried it out
    Fault(status=407, body="")                                        a proxy's status without a body
    Fault(status=200, body='{"message": "An error has occurred."}')   a success that reports an error
    Fault(status=503, headers={"Retry-After": "9" * 30})              an absurdly long wait
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
    """One fault, and which requests it affects.

    status         the HTTP status to send instead of the usual one, 200-599; None: the usual answer
    headers, body  sent with `status`; body None: a message in Vitec's form, or nothing below 400
    page           with `status`: an HTML page, as from a gateway or during maintenance, not a message in Vitec's form
    delay_seconds  how long the answer is delayed; a request that is carried out is carried out before
    carried_out    whether the request is carried out all the same; without `status` or `cut` it always is
    truncated      half of the body, with the Content-Length of the whole; a 204, which has no body, is sent as 200
    stalled        the head and half of the body, and then nothing until the caller closes the connection
    cut            the connection is closed without a byte (with another server than uvicorn: truncated)
    operation      only this operation; None: all
    customer_id    only this customer; None: all
    names          only requests with this id in their path: an estate, a viewing, a slot, a contact; None: all
    times          how many requests are affected; None: all until it is cleared
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
    def is_consistent(self) -> Self:
        if self.status is None and (self.body is not None or self.headers):
            raise ValueError("headers and body are sent with a status: name it")
        if self.page and (self.status is None or self.body is not None):
            raise ValueError("a page is sent with a status, and is a body of its own")
        if self.truncated + self.stalled + self.cut > 1:
            raise ValueError("an answer breaks in one way: truncated, stalled or cut")
        return self

    def affects(self, operation: Operation, ids: Mapping[str, str]) -> bool:
        named = self.names is None or self.names in ids.values()
        return named and self.operation in (None, operation) and self.customer_id in (None, ids["customerId"])

    def apply(self, carry_out: Callable[[], Answer]) -> Answer:
        """The answer to send. Calls `carry_out` if the request is to be carried out."""
        answer = _NOTHING_DONE
        if self.carried_out or (self.status is None and not self.cut):
            answer = carry_out()
        if self.status is None:
            return answer
        headers = self.headers
        if self.page:
            text, headers = _PAGE, {"Content-Type": "text/html; charset=utf-8", **headers}
        else:
            text = _default_text(self.status) if self.body is None else self.body
        return replace(answer, status=self.status, text=text, headers=headers)


_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Driftavbrott</title></head><body><h1>Vi är snart tillbaka</h1></body></html>\n"
)
_NOTHING_DONE = Answer(503, carried_out=False)


def _default_text(status: int) -> str:
    return json.dumps({"message": responses.get(status, "Error")}) if status >= 400 else ""


class ActiveFaults:
    """The faults that are active. A request gets the first one that affects it."""

    def __init__(self) -> None:
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._active.append(fault)

    def clear(self) -> None:
        self._active.clear()

    def take(self, operation: Operation, ids: Mapping[str, str]) -> Fault | None:
        for index, fault in enumerate(self._active):
            if fault.affects(operation, ids):
                self._use(index, fault)
                return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times == 1:
            del self._active[index]
        elif fault.times is not None:
            self._active[index] = fault.model_copy(update={"times": fault.times - 1})
