"""Alerts by webhook, signed according to the Standard Webhooks specification."""

import asyncio
import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

from app.alarms.alerts import ATTEMPT_SECONDS, Alert, AlertDeliveryError
from app.alarms.incidents import OF_SUBMISSIONS
from app.alarms.texts import AlertText
from app.domain.ids import reference_of

MAX_NAMED = 100  # submissions in one alert: a receiver may refuse a longer one


class WebhookReceiver:
    """POSTs each alert as JSON. Any answer but 2xx is an error, and is retried with the same `webhook-id`."""

    def __init__(self, url: str, secret: str, write: Callable[[Alert], AlertText]) -> None:
        self._url = url
        self._signing = Webhook(secret)
        self._write = write
        # The system's authorities, as for Vitec; read once, because that takes 20 ms in which nothing else runs.
        self._tls = ssl.create_default_context()

    async def send(self, alert: Alert) -> None:
        body = json.dumps(self._content(alert), ensure_ascii=False)
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": alert.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signing.sign(alert.id, now, body),
        }
        try:
            async with (
                asyncio.timeout(ATTEMPT_SECONDS),
                httpx.AsyncClient(verify=self._tls, trust_env=False) as client,
                client.stream("POST", self._url, content=body.encode(), headers=headers) as answer,
            ):
                pass  # the status is all that counts, however long the body is and however it ends
        except (httpx.HTTPError, TimeoutError) as error:
            raise AlertDeliveryError(type(error).__name__) from None
        if not answer.is_success:
            raise AlertDeliveryError(f"HTTP {answer.status_code}")

    def _content(self, alert: Alert) -> dict[str, Any]:
        text = self._write(alert)
        data: dict[str, Any] = {
            "alarm": alert.kind.value,
            "customerId": alert.customer_id,
            "since": alert.since.isoformat(),
            "title": text.title,
            "text": text.body,
        }
        if alert.kind in OF_SUBMISSIONS:
            data["number"] = len(alert.subjects)
            named = alert.subjects[:MAX_NAMED]
            data["submissions"] = [
                {"id": submission_id, "reference": reference_of(submission_id)} for submission_id in named
            ]
        elif any(alert.subjects):
            data["about"] = list(alert.subjects)
        return {
            "type": "alarm.over" if alert.over else "alarm.raised",
            "timestamp": alert.created_at.isoformat(),
            "data": data,
        }
