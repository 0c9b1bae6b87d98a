"""The console's dependencies, put together once by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.domain.submission import FunctionGroup
from app.privacy.requests import PrivacyRequests
from app.statistics.campaign_report import Scope
from app.statistics.dashboard import Dashboard
from app.storage.database import Database
from app.storage.encryption import Keyring
from app.storage.query_cache import AdaptiveCache
from app.submissions.operator_actions import OperatorActions
from app.submissions.person_index import PersonIndex
from app.web.console.session import Sessions, SignInAttempts
from app.web.operations.dependencies import Dependencies


class Pause(NamedTuple):
    """A login that rests. `reason` is "refused" or "forbidden"."""

    customer_id: str
    group: FunctionGroup
    reason: str
    since: datetime


@dataclass(frozen=True)
class ConsoleDependencies:
    """`paused` are the logins that rest; `login_fault` asks Vitec, and gives what is wrong or None; `overviews` are a
    second or so old; `configuration` is each customer's, by key, without secrets."""

    public: Dependencies
    database: Database
    keyring: Keyring
    person_index: PersonIndex
    sessions: Sessions
    operator_actions: OperatorActions
    privacy_requests: PrivacyRequests
    paused: Callable[[], Awaitable[Sequence[Pause]]]
    login_fault: Callable[[str, FunctionGroup], Awaitable[str | None]]
    overviews: AdaptiveCache[Scope, Dashboard]
    configuration: Mapping[str, Sequence[tuple[str, str]]]
    tries: SignInAttempts = field(default_factory=SignInAttempts)
