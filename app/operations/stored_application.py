"""The encrypted payload of a submission: what the submitter sent, and the body of each step.

It contains everything that the steps are planned from, because a retry plans them again. Of a body only the difference
from what was submitted is stored: this makes the payload, which is most of what a post writes, a third smaller.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.domain.campaigns import Campaign, campaign_of
from app.domain.consent import ConsentRecord
from app.domain.fields import ReadContext
from app.domain.marketing import Marketing
from app.domain.submission import Operation, PlannedStep, Submission
from app.operations.interest import InterestDefaults
from app.operations.planning import Defaults, DeliveryRequest, SubmissionContext
from app.operations.registry import OPERATIONS, plan

# Members of a step that depend on which steps come after it.
OF_THE_PLAN = ("marketing", "returnBookingId")
_ABSENT = object()


class StoredApplicationError(Exception):
    """The decrypted data is not a stored application."""


@dataclass(slots=True)  # not frozen: made for each post, and a frozen one takes three times as long to make
class StoredApplication:
    """`resource` and `submitted` are as in `DeliveryRequest`; `estate` is a viewing's home if the embed named it.
    `title` is the home's name and `starts_at` the booked time, as the visitor saw them, if they are known.
    `bodies` are the steps' bodies by position, and `resources` the ids in each step's path, which are stored here only
    if one of them is a contact's."""

    resource: tuple[str, ...]
    submitted: Mapping[str, Any]
    context: SubmissionContext
    consent: ConsentRecord | None = None
    estate: str = ""
    title: str = ""
    starts_at: datetime | None = None
    bodies: tuple[Mapping[str, Any], ...] = ()
    resources: tuple[tuple[str, ...], ...] | None = None

    @classmethod
    def of(
        cls,
        request: DeliveryRequest,
        steps: Sequence[PlannedStep],
        consent: ConsentRecord | None = None,
        estate: str = "",
        title: str = "",
        starts_at: datetime | None = None,
    ) -> "StoredApplication":
        names_contact = any(OPERATIONS[step.operation].names_contact for step in steps)
        bodies = tuple([step.body for step in steps])
        resources = tuple([step.resource for step in steps]) if names_contact else None
        submitted, context = request.submitted, request.context
        return cls(request.resource, submitted, context, consent, estate, title, starts_at, bodies, resources)

    def to_json(self) -> dict[str, Any]:
        context = self.context
        marketing = context.marketing.member
        submitted = _with_marketing(self.submitted, marketing)
        stored: dict[str, Any] = {
            "resource": self.resource,
            "application": self.submitted,
            "marketing": marketing,
            "consent": self.consent.to_json() if self.consent else None,
            "consentedAt": context.consented_text,
            "withKey": context.with_key,
            "differences": [_difference(body, submitted) for body in self.bodies],
        }
        if self.estate:
            stored["estate"] = self.estate
        if self.title:
            stored["title"] = self.title
        if self.starts_at:
            stored["startsAt"] = self.starts_at.isoformat()
        if self.resources is not None:
            stored["resources"] = self.resources
        return stored

    @classmethod
    def from_json(cls, stored: Any) -> "StoredApplication":
        """Raises `StoredApplicationError`."""
        try:
            consent, consented_at, resources = stored["consent"], stored["consentedAt"], stored.get("resources")
            starts_at = stored.get("startsAt")
            application, marketing = dict(stored["application"]), Marketing.of_member(stored["marketing"])
            return cls(
                tuple(stored["resource"]),
                application,
                SubmissionContext(
                    stored["withKey"],
                    datetime.fromisoformat(consented_at) if consented_at else None,
                    marketing,
                ),
                ConsentRecord.from_json(consent) if consent else None,
                stored.get("estate", ""),
                stored.get("title", ""),
                datetime.fromisoformat(starts_at) if starts_at else None,
                tuple(_bodies(stored, _with_marketing(application, marketing.member))),
                None if resources is None else tuple(tuple(ids) for ids in resources),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoredApplicationError(f"{type(error).__name__} in a stored application") from error

    @property
    def campaign(self) -> Campaign:
        return campaign_of(self.context.marketing.tags)

    def request(self, submission: Submission) -> DeliveryRequest:
        """The request as it was when the submission was accepted."""
        model = OPERATIONS[submission.operation].post_of(self.resource).model
        read_context = ReadContext(form=False, now=submission.received_at, stored=True)
        application = model.model_validate(self.submitted, context=read_context)
        return DeliveryRequest(submission.customer_id, submission.operation, self.resource, application, self.context)

    def refilled(self, submission: Submission, defaults: Defaults, todo: Collection[int]) -> "StoredApplication":
        """A copy in which the bodies of the steps at the positions `todo` have the configured members as they are now;
        what was already sent is unchanged. Which steps there are, and which of them carries the campaign, was decided
        at acceptance and stays so: otherwise a change of the configuration could pass it on twice, or never."""
        in_lead = any(step.operation is Operation.LEAD for step in submission.steps)
        interest = defaults.get(InterestDefaults).model_copy(update={"marketing": "lead" if in_lead else "inline"})
        planned = {step.operation: step.body for step in plan(self.request(submission), defaults.with_table(interest))}
        bodies = zip(submission.steps, self.bodies, strict=True)
        return replace(
            self,
            bodies=tuple(
                _refilled(planned[step.operation], body)
                if step.position in todo and step.operation in planned
                else body
                for step, body in bodies
            ),
        )


def _with_marketing(submitted: Mapping[str, Any], marketing: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**submitted, "marketing": marketing} if marketing else submitted


def _difference(body: Mapping[str, Any], submitted: Mapping[str, Any]) -> dict[str, Any]:
    """`set`: the body's members that differ from the submitted ones; `unset`: names of submitted ones that it lacks."""
    changed = {name: value for name, value in body.items() if submitted.get(name, _ABSENT) is not value}  # 1 == True
    return {"set": changed, "unset": [name for name in submitted if name not in body]}


def _bodies(stored: Mapping[str, Any], submitted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "bodies" in stored:  # the format before 1.0
        yield from (dict(body) for body in stored["bodies"])
        return
    for difference in stored["differences"]:
        unset = difference["unset"]
        yield {name: value for name, value in submitted.items() if name not in unset} | difference["set"]


def _refilled(planned: Mapping[str, Any], accepted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in planned.items() if name not in OF_THE_PLAN} | {
        name: accepted[name] for name in OF_THE_PLAN if name in accepted
    }
