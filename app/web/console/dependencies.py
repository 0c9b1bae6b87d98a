"""The console's dependencies, built once by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class ConsoleDependencies:
    """The dependencies of the console's pages.

    login_fault    tests a login at Vitec; returns an error code, or None if it works
    dashboards     the dashboard's figures, cached for about a second
    configuration  each customer's configuration keys and values, without secrets
    """

    public: Dependencies
    database: Database
    keyring: Keyring
    person_index: PersonIndex
    sessions: Sessions
    operator_actions: OperatorActions
    privacy_requests: PrivacyRequests
    login_fault: Callable[[str, FunctionGroup], Awaitable[str | None]]
    dashboards: AdaptiveCache[Scope, Dashboard]
    configuration: Mapping[str, Sequence[tuple[str, str]]]
    sign_in_attempts: SignInAttempts = field(default_factory=SignInAttempts)
