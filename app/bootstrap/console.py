"""Builds the console's dependencies from the configuration and the running service."""

from typing import Any

from pydantic import BaseModel, SecretStr

from app.bootstrap.services import Service
from app.config.settings import CustomerSettings, Settings
from app.delivery.claims import Signal
from app.domain.submission import FunctionGroup
from app.statistics.dashboard import load_dashboard
from app.storage.console_sessions import ConsoleSessions
from app.storage.query_cache import AdaptiveCache
from app.vitec.errors import VitecError
from app.web.console.dependencies import ConsoleDependencies
from app.web.console.session import Sessions
from app.web.operations.dependencies import Dependencies

DASHBOARD_SHARE = 0.01  # of one reader thread's time, at most


def build_console(settings: Settings, public: Dependencies, service: Service) -> ConsoleDependencies:
    """The setting `console_password` must be set."""
    assert settings.console_password is not None
    database, circuit_breaker = service.database, service.circuit_breaker

    async def login_fault(customer_id: str, group: FunctionGroup) -> str | None:
        """Tries the login. If it works, its pause ends at once, without waiting for the next probe."""
        try:
            await service.vitec.try_login(customer_id, group)
        except VitecError as error:
            return error.code
        await circuit_breaker.record_lookup((customer_id, group), Signal.LET_IN)
        return None

    return ConsoleDependencies(
        public=public,
        database=database,
        keyring=service.keyring,
        person_index=service.person_index,
        sessions=Sessions(
            settings.secret_key.get_secret_value(),
            settings.console_password.get_secret_value(),
            ConsoleSessions(database),
        ),
        operator_actions=service.operator_actions,
        privacy_requests=service.privacy_requests,
        login_fault=login_fault,
        dashboards=AdaptiveCache(lambda scope: load_dashboard(database, scope), share=DASHBOARD_SHARE),
        configuration={customer.id: _in_force(customer) for customer in settings.customers},
    )


def _in_force(customer: CustomerSettings) -> list[tuple[str, str]]:
    """Every configuration key with its value, including defaults, without secrets."""
    return [(name, text) for name, text in _lines(customer, "") if text]


def _lines(table: BaseModel, prefix: str) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for name in type(table).model_fields:
        value: Any = getattr(table, name)
        if isinstance(value, BaseModel):
            lines += _lines(value, f"{prefix}{name}.")
        elif not isinstance(value, SecretStr):
            lines.append((prefix + name, _text(value)))
    return lines


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
