"""The input from which an operation's steps are planned: the customer's defaults, and what was submitted by whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.domain.marketing import Marketing
from app.domain.submission import Operation, PlannedStep
from app.operations.members import VitecModel


def _unpadded(value: str) -> str:
    if value != value.strip() or not value.isprintable():
        raise ValueError("must be one line without a space at either end")
    return value


VitecId = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_unpadded)]  # of a source, user, office


class DefaultsTable(BaseModel):
    """A table of a customer's configuration: values for members that the submitter leaves out."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


T = TypeVar("T", bound=DefaultsTable)


class Defaults:
    """A customer's tables by type."""

    def __init__(self, *tables: DefaultsTable) -> None:
        self._tables: Mapping[type, DefaultsTable] = {type(table): table for table in tables}

    def find(self, table: type[T]) -> T | None:
        """None if the configuration has no such table."""
        configured = self._tables.get(table)
        return configured if isinstance(configured, table) else None

    def get(self, table: type[T]) -> T:
        """The table with its own defaults if the configuration has no such table."""
        return self.find(table) or table()

    def with_table(self, table: DefaultsTable) -> "Defaults":
        """A copy in which `table` replaces the one of its type."""
        return Defaults(*({**self._tables, type(table): table}).values())


@dataclass(slots=True)
class SubmissionContext:
    """Who submitted (`with_key`: a caller with an API key, whose members take precedence over the configuration), when
    the person consented, and the campaign. `consented_text` is the time to the second, as it is sent and stored."""

    with_key: bool
    consented_at: datetime | None
    marketing: Marketing
    consented_text: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.consented_text = self.consented_at.isoformat(timespec="seconds") if self.consented_at else None

    def without_marketing(self) -> "SubmissionContext":
        return replace(self, marketing=Marketing())

    @property
    def marketing_member(self) -> dict[str, Any]:
        """A body's `marketing`; empty if there is nothing to tell."""
        member = self.marketing.member
        return {"marketing": member} if member else {}


@dataclass(slots=True)
class DeliveryRequest:
    """The input from which a submission's steps are planned. `resource` is the path's ids after the customer's;
    `submitted` is the validated application in Vitec's names, without `marketing`, which is planned separately."""

    customer_id: str
    operation: Operation
    resource: tuple[str, ...]
    application: VitecModel
    context: SubmissionContext
    submitted: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        submitted = self.application.body()
        submitted.pop("marketing", None)
        self.submitted = submitted

    def step(self, body: Mapping[str, Any]) -> PlannedStep:
        """The step of the submission's own operation, with this body."""
        return PlannedStep(self.operation, self.resource, body)


Planner = Callable[[DeliveryRequest, Defaults], tuple[PlannedStep, ...]]


def only_step(request: DeliveryRequest, _: Defaults) -> tuple[PlannedStep, ...]:
    """A single step: the operation with the submitted body."""
    return (request.step(request.submitted),)


def with_defaults(submitted: Mapping[str, Any], configured: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configured.items() if value is not None} | dict(submitted)


@dataclass(frozen=True)
class BookedTime:
    """The ids of the booked time; "" for one that is not known."""

    estate: str
    viewing: str
    slot: str


CallChooser = Callable[[DeliveryRequest, Defaults, BookedTime], DeliveryRequest]
