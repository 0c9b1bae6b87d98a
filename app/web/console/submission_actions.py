"""Retry, release, discard and erase: each is confirmed first, then carried out and recorded."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog
from starlette.responses import Response

from app.domain.submission import NEEDS_ATTENTION, Status, StepStatus, Submission
from app.i18n import N_
from app.privacy.erasure_log import ErasureLogError
from app.storage.database import StoreUnavailableError
from app.submissions.operator_actions import ActionImpossibleError, ActionProblem
from app.submissions.repository import history
from app.web.console.context import ConsoleRequest, redirect
from app.web.console.page_models import ActionLink, ConfirmPage
from app.web.console.submission_rows import LIST, row_of_submission, with_query
from app.web.operations.problems import error_response

log = structlog.get_logger()


class Action(NamedTuple):
    """An action with its texts: its button, the question before it and the message after it. `applies`: whether it is
    offered for a submission. `erases`: whether it erases personal data."""

    label: str
    question: str
    done: str
    applies: Callable[[Submission], bool]
    erases: bool


def _is_stuck(submission: Submission) -> bool:
    return submission.status is Status.HELD or any(step.status in NEEDS_ATTENTION for step in submission.steps)


def _can_be_retried(submission: Submission) -> bool:
    if submission.status is Status.HELD or any(step.status is StepStatus.UNREADABLE for step in submission.steps):
        return False
    return submission.status is Status.PENDING or _is_stuck(submission)


SENT = N_("It was sent to Vitec. The result is shown here.")
ON_ITS_WAY = N_("It is on its way to Vitec. Reload the page in a moment.")
MAY_HAVE_ARRIVED = N_("Vitec may already have it: check there first, or it may end up there twice.")
ACTIONS: Mapping[str, Action] = {
    "retry": Action(
        N_("Send again"),
        N_("What has not been delivered will be sent to Vitec now, with the current configuration."),
        SENT,
        _can_be_retried,
        erases=False,
    ),
    "release": Action(
        N_("Release"),
        N_("It was held because it looks automated. It will be sent to Vitec now."),
        SENT,
        lambda submission: submission.status is Status.HELD,
        erases=False,
    ),
    "discard": Action(
        N_("Discard"),
        N_("It will be closed for good: nothing more is sent, and its personal data is erased."),
        N_("It is closed, and its personal data has been erased."),
        _is_stuck,
        erases=True,
    ),
    "erase": Action(
        N_("Erase"),
        N_("Its personal data will be erased here for good. What Vitec has received stays there."),
        N_("Its personal data has been erased."),
        lambda submission: True,
        erases=True,
    ),
}
NOTHING_TO_DO = N_("Nothing to do: it is already done, or is being sent right now.")
PROBLEMS: Mapping[str, str] = {
    ActionProblem.UNKNOWN_CUSTOMER: N_(
        "Nothing was sent: the customer is no longer in the configuration. Add it there, and send again."
    ),
    ActionProblem.ERASED: N_("Nothing was sent: its personal data has been erased."),
    ActionProblem.UNREADABLE: N_("Nothing was sent: none of the configured encryption keys can decrypt it."),
}


def offered_actions(request: ConsoleRequest, submission: Submission) -> list[ActionLink]:
    """The actions that apply now, each with the address of its confirmation page."""
    return [
        ActionLink(request.gettext(action.label), f"{LIST}/{submission.id}/{name}", action.erases)
        for name, action in ACTIONS.items()
        if action.applies(submission)
    ]


def action_message(request: ConsoleRequest, done: str, submission: Submission) -> str:
    """The message after an action. `done` comes from the URL, so it may be any text."""
    if done in ACTIONS:
        text = ACTIONS[done].done
        return request.gettext(ON_ITS_WAY if text == SENT and submission.status is Status.PENDING else text)
    if done in PROBLEMS:
        return request.gettext(PROBLEMS[done])
    return request.gettext(NOTHING_TO_DO) if done == "nothing" else ""


async def confirm(request: ConsoleRequest) -> Response:
    name, submission = await _from_path(request)
    if submission is None:
        return error_response(request.http, request.deps.public, 404)
    action = ACTIONS[name]
    is_erased = (await history(request.deps.database, submission.id)).erased_at is not None
    if is_erased or not action.applies(submission):  # an old tab: someone has acted on it meanwhile
        return redirect(with_query(f"{LIST}/{submission.id}", done="nothing"))
    page = ConfirmPage(
        frame=request.frame("submissions"),
        row=await row_of_submission(request, submission.id),
        erases=action.erases,
        label=request.gettext(action.label),
        questions=[request.gettext(text) for text in _questions(name, submission)],
        back=f"{LIST}/{submission.id}",
    )
    return request.show(page)


def _questions(name: str, submission: Submission) -> list[str]:
    uncertain = any(step.status is StepStatus.UNCERTAIN for step in submission.steps)
    return [ACTIONS[name].question, *([MAY_HAVE_ARRIVED] if name == "retry" and uncertain else [])]


async def act(request: ConsoleRequest, _: object) -> Response:
    name, submission = await _from_path(request)
    if submission is None:
        return error_response(request.http, request.deps.public, 404)
    done = await _carry_out(request, name, submission)
    request.deps.dashboards.forget()
    log.info("console: action", submission=submission.id, detail=f"{name}: {done}")
    return redirect(with_query(f"{LIST}/{submission.id}", done=done))


async def _carry_out(request: ConsoleRequest, name: str, submission: Submission) -> str:
    """Carries out the action, and waits briefly for its outcome, as for a booking. Returns what `action_message` takes:
    the action's name, "nothing", or a problem."""
    deps = request.deps
    if name == "erase":
        try:
            return name if await deps.privacy_requests.erase_submission(submission) else "nothing"
        except ErasureLogError as error:
            raise StoreUnavailableError(str(error)) from error
    try:
        changed = await deps.operator_actions.carry_out(name, submission)
    except ActionImpossibleError as error:
        return error.problem
    if changed:
        await deps.public.outcomes.wait(submission.id, deps.public.wait_seconds)
    return name if changed else "nothing"


async def _from_path(request: ConsoleRequest) -> tuple[str, Submission | None]:
    """The action's name and the submission from the path; the submission is None if either does not exist."""
    name = request.http.path_params["action"]
    exists = name in ACTIONS
    return name, await request.deps.public.submissions.get(request.path_id("submission")) if exists else None
