"""The alarms' background loops: one detects incidents, and one for each receiver sends. No loop waits for another."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog

from app.alarms.alerts import Alert, AlertDeliveryError, AlertQueue, AlertReceiver
from app.alarms.detection import IncidentDetector
from app.alarms.store import IncidentStore
from app.storage.database import StoreUnavailableError

DETECT_SECONDS = 5.0
SEND_SECONDS = 1.0
DETECT_SHARE = 0.1  # of one reader thread's time, at most: detection takes longer when much is wrong

log = structlog.get_logger()


class AlarmRunner:
    """Runs in each process. Only one process at a time detects incidents. All of them send, and the database records
    what was sent."""

    def __init__(
        self,
        incidents: IncidentStore,
        alerts: AlertQueue,
        detector: IncidentDetector,
        receivers: Mapping[str, AlertReceiver],
    ) -> None:
        self._incidents = incidents
        self._alerts = alerts
        self._detector = detector
        self._receivers = receivers
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Runs until `stop`. If it is cancelled while sending, that alert is sent again some minutes later."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._detect_until_stopped())
            for name, receiver in self._receivers.items():
                send = partial(self._send_due, name, receiver)
                tasks.create_task(self._repeat(send, "sending alerts failed", SEND_SECONDS))

    def stop(self) -> None:
        self._stopping.set()

    async def _detect_until_stopped(self) -> None:
        detect = partial(self._incidents.observe, self._detector)
        await self._repeat(detect, "incident detection failed", DETECT_SECONDS, DETECT_SHARE)
        with contextlib.suppress(StoreUnavailableError):  # the lease then runs out by itself
            await self._incidents.stop()

    async def _repeat(
        self, work: Callable[[], Awaitable[object]], failed: str, seconds: float, share: float = 1.0
    ) -> None:
        """Repeats `work` until `stop`. The pause is at least `seconds`, and long enough that `work` takes at most
        `share` of the time."""
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await work()
            except StoreUnavailableError as error:
                log.error("store unavailable", detail=str(error))
            except Exception:  # a bug in one round must not end all alarms
                log.exception(failed)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(seconds, (time.monotonic() - began) / share)):
                    await self._stopping.wait()

    async def _send_due(self, name: str, receiver: AlertReceiver) -> None:
        """Sends one at a time. After a failure it leaves the rest for later, because the receiver would fail for them
        too."""
        for alert in await self._alerts.due(name):
            if self._stopping.is_set():
                return
            if await self._alerts.claim(alert) and not await self._send(name, receiver, alert):
                return

    async def _send(self, name: str, receiver: AlertReceiver, alert: Alert) -> bool:
        try:
            await receiver.send(alert)
        except AlertDeliveryError as error:
            if await self._alerts.put_off(alert):
                log.warning("alert delivery failed", receiver=name, alarm=alert.kind.value, detail=str(error))
            else:  # nobody was told
                log.error("alert given up", receiver=name, alarm=alert.kind.value, detail=str(error))
            return False
        except StoreUnavailableError:
            raise
        except Exception:  # one that can't be rendered must not hold up the others
            await self._alerts.put_off(alert)
            log.exception("alert delivery failed", receiver=name, alarm=alert.kind.value)
            return True
        await self._alerts.mark_sent(alert)
        log.info("alert delivered", receiver=name, alarm=alert.kind.value, customer=alert.customer_id)
        return True
