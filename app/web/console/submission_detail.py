"""The page of one submission: its status and the reason for it, the submitted data, and its history."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from starlette.responses import Response

from app.domain.submission import DONE, NEEDS_ATTENTION, STOPPED, AttemptOutcome, Status, Step, StepStatus, Submission
from app.i18n import N_, GetText
from app.operations.member_labels import member_label
from app.operations.member_paths import leaves
from app.operations.registry import OPERATIONS, group_of
from app.operations.stored_application import StoredApplication, StoredApplicationError
from app.storage.encryption import DecryptionError
from app.submissions.backlog import paused_logins
from app.submissions.repository import Attempt, History, history
from app.web.console import labels
from app.web.console.context import ConsoleRequest
from app.web.console.page_models import Event, LeadRow, StepRow, SubmissionPage
from app.web.console.submission_actions import action_message, offered_actions
from app.web.console.submission_rows import row_of_submission
from app.web.operations.problems import error_response
from app.web.rendering.messages import vitec_lines

# Why it has not been delivered, and what an operator should know before acting.
WHY: Mapping[str, str] = {
    Status.PENDING: N_("It is saved here, and will be sent to Vitec as soon as possible."),
    Status.DELIVERED: N_("Vitec has received it."),
    Status.REJECTED: N_("Vitec refused it, so it is not retried automatically. Vitec’s words are below."),
    Status.FAILED: N_("Delivery failed. The last attempt below shows why."),
    Status.UNCERTAIN: N_(
        "It was sent, but no answer came: Vitec may have received it. Check in Vitec before you send it again."
    ),
    Status.UNREADABLE: N_(
        "None of the encryption keys decrypts it, or its content is damaged. It is sent automatically once its key is "
        "in encryption_keys again; without the key it can only be discarded."
    ),
    Status.HELD: N_("It looks automated, so it was not sent. If a person wrote it, release it."),
}
REFUSAL_SHOWN = N_("Vitec refused it, and the visitor was told so on the page. Nothing needs to be done about it.")
LATER = N_("A later step has stopped: %(operation)s.")
PAUSED = N_("The login is paused: %(reason)s It will be sent when the login works again.")
NEXT = N_("The next attempt is due %(moment)s.")
NOW = N_("It is being sent now, or is next in line.")
ERASED = N_("Its personal data was erased %(moment)s.")
NEVER_SENT = N_("It was discarded or erased before it was sent to Vitec.")
NO_CUSTOMER = N_("It is saved here, but not sent: the customer is no longer in the configuration.")
NOT_REACHED = N_("Not started")
GOOD, BAD = "good", "bad"
GOOD_OUTCOMES = frozenset({AttemptOutcome.DELIVERED, AttemptOutcome.SKIPPED})


async def show_submission(request: ConsoleRequest) -> Response:
    submission = await request.deps.public.submissions.get(request.path_id("submission"))
    if submission is None:
        return error_response(request.http, request.deps.public, 404)
    past = await history(request.deps.database, submission.id)
    page = SubmissionPage(
        frame=request.frame("submissions"),
        row=await row_of_submission(request, submission.id),
        submission_id=submission.id,
        why=await _why(request, submission, past),
        submitted=await _submitted(request, submission),
        related=await _related(request, submission),
        steps=list(_steps(request, submission.steps)),
        events=list(_events(request, submission, past)),
        actions=[] if past.erased_at else offered_actions(request, submission),
        done=action_message(request, request.query_value("done"), submission),
    )
    return request.show(page)


async def _why(request: ConsoleRequest, submission: Submission, past: History) -> list[str]:
    _, language = request.gettext, request.language
    is_stranded = submission.status is Status.PENDING and submission.customer_id not in request.deps.public.customers
    lines = [_(NO_CUSTOMER if is_stranded else _explanation(submission, past))]
    later = next(
        (step for step in submission.steps[submission.main.position + 1 :] if step.status in NEEDS_ATTENTION), None
    )
    if later and submission.status is Status.DELIVERED:
        lines.append(_(LATER) % {"operation": _(OPERATIONS[later.operation].label)})
    if past.due_at and submission.status is Status.PENDING and not is_stranded:
        lines += await _why_waiting(request, submission, past, past.due_at)
    if past.erased_at:
        lines.append(_(ERASED) % {"moment": labels.moment(past.erased_at, language)})
    return lines


def _explanation(submission: Submission, past: History) -> str:
    was_tried = any(attempt.outcome in labels.OUTCOMES for attempt in past.attempts)
    if submission.status is Status.FAILED and past.erased_at and not was_tried:
        return NEVER_SENT
    return REFUSAL_SHOWN if submission.told_at else WHY[submission.status]


async def _why_waiting(request: ConsoleRequest, submission: Submission, past: History, due_at: datetime) -> list[str]:
    """Why it is waiting: its login is paused; or the outcome of the last attempt, and when the next one is due."""
    _ = request.gettext
    group = group_of(
        next((step.operation for step in submission.steps if step.status not in DONE), submission.operation)
    )
    for pause in await request.deps.database.read(paused_logins):
        if (pause.customer_id, pause.group) == (submission.customer_id, group):
            return [_(PAUSED) % {"reason": _(labels.REASONS[pause.reason])}]
    last = next((attempt for attempt in reversed(past.attempts) if attempt.outcome in labels.OUTCOMES), None)
    lines = [_(labels.OUTCOMES[last.outcome]) + "."] if last and last.outcome else []
    due = due_at > request.deps.database.now()
    return [*lines, _(NEXT) % {"moment": labels.moment(due_at, request.language)} if due else _(NOW)]


async def _submitted(request: ConsoleRequest, submission: Submission) -> list[tuple[str, str]]:
    try:
        return submitted_fields(
            await request.deps.public.submissions.application(submission.id), request.language, request.gettext
        )
    except (KeyError, DecryptionError, StoredApplicationError):  # erased, or encrypted with a key that is gone
        return []


async def _related(request: ConsoleRequest, submission: Submission) -> list[LeadRow]:
    """The cancellation of a booking, or the booking of a cancellation; and the person's other submissions, such as a
    second booking after the first time was full."""
    cancellations = request.deps.public.cancellations
    counterpart = await cancellations.of_booking(submission.id) or await cancellations.booking_of(submission.id)
    others = await request.deps.person_index.others_of(submission.id)
    return [
        await row_of_submission(request, other)
        for other in dict.fromkeys([*([counterpart] if counterpart else []), *others])
    ]


def _steps(request: ConsoleRequest, steps: tuple[Step, ...]) -> Iterator[StepRow]:
    stopped = False
    for step in steps:
        status, kind = labels.STEP_STATUSES[step.status], step.status.value
        if step.status in {StepStatus.WAITING, StepStatus.SENDING}:
            status, kind = (NOT_REACHED, "") if stopped else (status, "pending")
        yield StepRow(
            operation=request.gettext(OPERATIONS[step.operation].label),
            status=request.gettext(status),
            kind=kind,
            attempts=labels.number(step.attempts, request.language),
            vitec_messages=vitec_lines(step.upstream),
        )
        stopped = stopped or step.status in STOPPED


def _events(request: ConsoleRequest, submission: Submission, past: History) -> Iterator[Event]:
    received = request.gettext(N_("Received and saved"))
    yield Event(labels.second(submission.received_at, request.language), received, (), GOOD)
    for attempt in past.attempts:
        yield _event(request, attempt, submission.steps)


def _event(request: ConsoleRequest, attempt: Attempt, steps: tuple[Step, ...]) -> Event:
    at = labels.second(attempt.started_at, request.language)
    if note := labels.NOTES.get(attempt.outcome or ""):
        return Event(at, request.gettext(note), (), "")
    outcome = labels.OUTCOMES.get(attempt.outcome, attempt.outcome or "")
    details = [request.gettext(OPERATIONS[step.operation].label) for step in steps if step.position == attempt.position]
    details += [f"HTTP {attempt.http_status}"] if attempt.http_status else []
    details += [labels.duration(attempt.ended_at - attempt.started_at, request.language)] if attempt.ended_at else []
    details += [attempt.detail] if attempt.detail and not attempt.http_status else []  # the HTTP status is shorter
    kind = "" if attempt.outcome is None else GOOD if attempt.outcome in GOOD_OUTCOMES else BAD
    return Event(at, request.gettext(outcome), details, kind)


HOME = N_("Home")
TIME = N_("Time")
REFERRER = N_("Page")
CONSENT = N_("Consent")


def submitted_fields(stored: StoredApplication, language: str, gettext: GetText) -> list[tuple[str, str]]:
    """Label and value of the home, the booked time and each submitted member, then the campaign tags, the referring
    page and the consent."""
    marketing, consented_at = stored.context.marketing, stored.context.consented_at
    lines = [(gettext(HOME), stored.title)] if stored.title else []
    if stored.starts_at:
        lines.append((gettext(TIME), labels.moment(stored.starts_at, language)))
    lines += [
        (member_label(name, gettext), labels.member_value(name, item, language, gettext))
        for name, value in leaves(stored.submitted)
        for item in (value if isinstance(value, list) else [value])
    ]
    lines += marketing.tags
    if marketing.referrer:
        lines.append((gettext(REFERRER), marketing.referrer))
    if consented_at:
        lines.append((gettext(CONSENT), labels.moment(consented_at, language)))
    return lines
