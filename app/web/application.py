"""The framework's application, with what every answer needs around it."""

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from app.web.headers import SecurityHeaders
from app.web.proxies import TrustedProxies


class App(Starlette):
    """With what has to be around the framework's own answers to faults too."""

    def __init__(self, trusted_proxies: Sequence[str], **named: Any) -> None:
        super().__init__(**named)
        self._trusted_proxies = trusted_proxies

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(TrustedProxies(super().build_middleware_stack(), self._trusted_proxies))
