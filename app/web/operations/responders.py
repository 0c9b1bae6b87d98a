"""Responses of the public operations: one class for programs (JSON), one for people (pages), with the same cases."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response

from app.domain.field_errors import FieldError
from app.domain.ids import reference_of
from app.domain.submission import Status, Submission
from app.intake.idempotency import Accepted
from app.operations.member_paths import casing_of
from app.operations.registry import plain_name
from app.storage.database import StoreUnavailableError
from app.web.http.ready_response import ReadyResponse
from app.web.operations.body import Body
from app.web.operations.context import RequestContext
from app.web.operations.form_page import form_response, instead_of_form
from app.web.operations.open_times import booked_slot, look_up_again
from app.web.operations.problems import DATABASE_RETRY_SECONDS, VARY, Problem
from app.web.operations.receipt_links import receipt_details
from app.web.operations.return_url import return_address, return_origin
from app.web.operations.spam import QUICK_SECONDS
from app.web.rendering.messages import field_messages, vitec_messages
from app.web.rendering.page_models import Notice

RESPOND_ASYNC = re.compile(r"(?:^|,)\s*respond-async\s*(?:[;,]|$)", re.IGNORECASE)  # RFC 7240


def public_status(status: Status) -> str:
    """The status shown outside: held looks like pending, so that robots do not learn that they were recognized."""
    return Status.PENDING.value if status is Status.HELD else status.value


async def outcome(context: RequestContext, accepted: Accepted, seconds: float) -> Submission | None:
    """The submission with the outcome recorded within `seconds`; None if the database can't be read now."""
    deps = context.deps
    try:
        submission = await deps.submissions.get(accepted.id) if accepted.repeated or not seconds else None
        if submission is None or (submission.status is Status.PENDING and seconds):
            await deps.outcomes.wait(accepted.id, seconds)
            submission = await deps.submissions.get(accepted.id)
    except StoreUnavailableError:
        return None
    return submission


def _shown(context: RequestContext, refused: Submission, response: Response) -> Response:
    """The response. Once it is sent, the refusal is recorded as shown, unless the caller is a program with a key, which
    may have no visitor."""
    if context.key is None:
        response.background = BackgroundTask(context.deps.outcomes.record_refusal_shown, refused.id)
    return response


def _need_not_wait(context: RequestContext) -> bool:
    """Whether the request prefers `respond-async`. `Prefer` may be sent in several header lines."""
    return "prefer" in context.headers and any(map(RESPOND_ASYNC.search, context.request.headers.getlist("prefer")))


@dataclass(slots=True)
class JsonResponder:
    """`body` is None if it was not read."""

    context: RequestContext
    body: Body | None

    def _problem(self, status: int, kind: str, **more: Any) -> Response:
        return Problem(status, kind, self.context.gettext, **more)

    def faulty(self, faults: Sequence[FieldError]) -> Response:
        return self._problem(400, "validation", faults=self._as_sent(faults))

    def _as_sent(self, faults: Sequence[FieldError]) -> Sequence[FieldError]:
        """The faults with the fields named as the caller wrote them: in the JSON body's casing, or, in a form sent by a
        script, without the person's prefix."""
        body = self.body
        if body is None:
            return faults
        written = plain_name if body.form else casing_of(body.sent)
        typed = body.typed if body.form else {}
        return [f if f.field in typed else dataclasses.replace(f, field=written(f.field)) for f in faults]

    def forbidden(self) -> Response:
        return self._problem(403, "forbidden")

    def not_found(self) -> Response:
        return self._problem(404, "not-found")

    def too_many(self, retry_after: int) -> Response:
        return self._problem(429, "too-many", headers={"Retry-After": str(retry_after)})

    def mismatch(self) -> Response:
        return self._problem(422, "repeat-mismatch" if self.context.once is None else "used")

    def unavailable(self) -> Response:
        return self._problem(503, "unavailable", headers={"Retry-After": str(DATABASE_RETRY_SECONDS)})

    def fault(self) -> Response:
        return self._problem(500, "fault")

    async def accepted(self, accepted: Accepted) -> Response:
        context = self.context
        if _need_not_wait(context):
            submission = await outcome(context, accepted, 0)
            return self._pending(accepted, submission, {"Preference-Applied": "respond-async"})
        submission = await outcome(context, accepted, context.deps.wait_seconds)
        if submission and submission.status is Status.DELIVERED:
            headers = {"Location": f"/submissions/{submission.id}", "Submission-Id": submission.id}
            return self._json(self._vitecs_answer(submission), 200, headers)
        if submission and submission.status is Status.REJECTED:
            if context.spec.by_home:
                await look_up_again(context)
            problem = self._problem(400, "upstream-rejected", upstream=submission.refusal or {})
            return _shown(context, submission, problem)
        return self._pending(accepted, submission, {})

    def _vitecs_answer(self, submission: Submission) -> Any:
        """Vitec's result as this operation answers it. None without an API key: an id would reveal who is a client."""
        return self.context.spec.answer_of(submission.main.result) if self.context.key else None

    def received(self, accepted: Accepted) -> Response:
        """Stored; nothing more is known yet."""
        return self._pending(accepted, None, {})

    def _pending(self, accepted: Accepted, submission: Submission | None, headers: Mapping[str, str]) -> Response:
        status = public_status(submission.status if submission else Status.PENDING)
        content = {"id": accepted.id, "status": status, "statusUrl": self.context.deps.status_url(accepted.id)}
        return self._json(content, 202, headers)

    def _json(self, content: Any, status: int, headers: Mapping[str, str]) -> Response:
        return JSONResponse(content, status, headers={**VARY, **headers})


@dataclass(slots=True)
class FormResponder:
    """On an error, shows the form again with the visitor's input and a new token (after a 503, the same one)."""

    context: RequestContext
    body: Body

    def _again(
        self, status: int, notice: Notice | None = None, faults: Sequence[FieldError] = (), token: str = ""
    ) -> Response:
        shown = field_messages(faults, self.context.gettext)
        retry_after = notice.retry_after if notice else None
        headers = {"Retry-After": str(retry_after)} if retry_after else {}
        return form_response(self.context, status, self._typed(), shown, notice, headers, token or self._next_token())

    def _next_token(self) -> str:
        """A new token, backdated, because its visitor may correct one field and send the form at once; but not beyond
        the age of the posted token, so that a robot remains as quick as it was."""
        tokens, path = self.context.deps.tokens, self.context.path
        age = tokens.age(self.body.token, path)  # None for the broker's own form
        return tokens.issue(path, QUICK_SECONDS if age is None else min(age, QUICK_SECONDS))

    def _same_token(self) -> str:
        """The form's own token; "" if it has none of ours."""
        token = self.body.token or ""
        return token if self.context.deps.tokens.is_ours(token, self.context.path) else ""

    def _typed(self) -> Mapping[str, str]:
        """The input without the honeypot, which a robot or autofill may have filled in: the next form has another
        one."""
        trap = self.context.deps.tokens.trap(self.body.token) if self.body.token else None
        return {name: value for name, value in self.body.typed.items() if name != trap}

    def faulty(self, faults: Sequence[FieldError]) -> Response:
        return self._again(400, faults=faults)

    def forbidden(self) -> Response:
        return self._again(403, Notice("forbidden"))

    def not_found(self) -> Response:
        return self._again(404, Notice("refused"))

    def in_other_language(self) -> Response:
        return self._again(200, token=self._same_token())

    def too_many(self, retry_after: int) -> Response:
        return self._again(429, Notice("busy", retry_after=retry_after))

    def mismatch(self) -> Response:
        if self.context.once is not None:
            return instead_of_form(self.context, "used", 200)
        return self._again(422, Notice("unavailable"))

    def unavailable(self) -> Response:
        """With the same token: if it was stored after all, the next attempt is recognized as a repeat."""
        notice = Notice("unavailable", retry_after=DATABASE_RETRY_SECONDS)
        return self._again(503, notice, token=self._same_token())

    def fault(self) -> Response:
        return self._again(500, Notice("unavailable"))

    async def accepted(self, accepted: Accepted) -> Response:
        """An interest does not wait for Vitec; a booking does, so that the visitor learns at once that a slot is
        full."""
        context = self.context
        if context.spec.form and context.spec.form.waits:
            submission = await outcome(context, accepted, context.deps.wait_seconds)
            if submission and submission.status is Status.REJECTED:
                if context.spec.by_home:
                    await look_up_again(context)
                texts = dict.fromkeys(text for _, text in vitec_messages(submission.refusal))
                return _shown(context, submission, self._again(400, Notice("refused", upstream=tuple(texts))))
        return_url = self.body.typed.get("return_url")
        if return_url and return_origin(return_url, context.deps.origins, context.customer):
            return _redirect(return_address(return_url, reference_of(accepted.id)))
        details = receipt_details(booked_slot(context), context.title, context.theme)
        return _redirect(context.deps.receipt_path(accepted.id, context.language, details))

    def received(self, accepted: Accepted) -> Response:
        """Stored; nothing more is known yet."""
        return _redirect(self.context.deps.receipt_path(accepted.id, self.context.language))


def _redirect(location: str) -> Response:
    return ReadyResponse(303, [(b"location", location.encode("latin-1"))])


Responder = JsonResponder | FormResponder
