"""The sandbox's answers, and the exception by which any part of it refuses a request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An HTTP response before it is sent. `text` is the body as sent, or "" for none."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    contact_id: str | None = None  # the contact that was added, matched or named
    carried_out: bool = True

    @classmethod
    def of(cls, status: int, value: Any, contact_id: str | None = None) -> "Answer":
        """An answer with `value` as JSON."""
        return cls(status, json.dumps(value, ensure_ascii=False), contact_id=contact_id)

    @property
    def value(self) -> Any:
        """The body as JSON, or as text if it is not JSON; None if there is no body."""
        if not self.text:
            return None
        try:
            return json.loads(self.text)
        except ValueError:
            return self.text


class RefusedError(Exception):
    """Refuses the request with an answer; nothing is carried out."""

    def __init__(self, status: int, message: str, **members: Any) -> None:
        super().__init__(message)
        answer = Answer.of(status, {"message": message, **members})
        self.answer = replace(answer, carried_out=False)
