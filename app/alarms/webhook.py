"""Alarms by webhook, signed according to the Standard Webhooks specification."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

from app.alarms.incidents import OF_SUBMISSIONS
from app.alarms.notifications import ATTEMPT_SECONDS, AlertDeliveryError, Notification
from app.alarms.texts import AlertText
from app.domain.ids import reference_of

MAX_NAMED = 100  # submissions in one notification: a receiver may refuse a longer one


class WebhookReceiver:
    """POSTs each notification as JSON. Any answer but 2xx is an error, and is retried with the same `webhook-id`."""

    def __init__(self, url: str, secret: str, write: Callable[[Notification], AlertText]) -> None:
        self._url = url
        self._signing = Webhook(secret)
        self._write = write

    async def send(self, notice: Notification) -> None:
        body = json.dumps(self._content(notice), ensure_ascii=False)
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": notice.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signing.sign(notice.id, now, body),
        }
        try:
            async with (
                asyncio.timeout(ATTEMPT_SECONDS),
                httpx.AsyncClient(trust_env=False) as client,
                client.stream("POST", self._url, content=body.encode(), headers=headers) as answer,
            ):
                pass  # the status is all that counts, however long the body is and however it ends
        except (httpx.HTTPError, TimeoutError) as error:
            raise AlertDeliveryError(type(error).__name__) from None
        if not answer.is_success:
            raise AlertDeliveryError(f"HTTP {answer.status_code}")

    def _content(self, notice: Notification) -> dict[str, Any]:
        text = self._write(notice)
        data: dict[str, Any] = {
            "alarm": notice.kind.value,
            "customerId": notice.customer_id,
            "since": notice.since.isoformat(),
            "title": text.title,
            "text": text.body,
        }
        if notice.kind in OF_SUBMISSIONS:
            data["number"] = len(notice.subjects)
            named = notice.subjects[:MAX_NAMED]
            data["submissions"] = [
                {"id": submission_id, "reference": reference_of(submission_id)} for submission_id in named
            ]
        elif any(notice.subjects):
            data["about"] = list(notice.subjects)
        return {
            "type": "alarm.over" if notice.over else "alarm.raised",
            "timestamp": notice.created_at.isoformat(),
            "data": data,
        }
