"""The loops of the alarms: look at what is wrong, and tell each receiver. None waits for another, nor delivery for
any."""

import asyncio
import contextlib
import time
from collections.abc import Mapping

import structlog

from app.alarms.notifications import Notification, NotificationQueue
from app.alarms.store import Detector, IncidentStore
from app.alarms.webhook import AlertDeliveryError, AlertReceiver
from app.storage.database import StoreUnavailableError

LOOK_SECONDS = 5.0
SEND_SECONDS = 1.0
SHARE = 0.1  # of one reader's time, at most: where much is wrong a look takes longer

log = structlog.get_logger()


class AlarmRunner:
    """One in each process. One of them looks, and all send: what they have told stands in the database."""

    def __init__(
        self,
        alarms: IncidentStore,
        notices: NotificationQueue,
        detector: Detector,
        receivers: Mapping[str, AlertReceiver],
    ) -> None:
        self._alarms = alarms
        self._notices = notices
        self._detector = detector
        self._receivers = receivers
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`. Who cancels it cuts off what is being sent: that is sent again some minutes later."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._looking())
            for name, receiver in self._receivers.items():
                tasks.create_task(self._sending(name, receiver))

    def stop(self) -> None:
        self._stopping.set()

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _looking(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                await self._alarms.observe(self._detector)
            except StoreUnavailableError as error:
                log.error("store unavailable", detail=str(error))
            except Exception:  # a fault of ours in one look must not end all alarms
                log.exception("incident detection failed")
            await self._rest(max(LOOK_SECONDS, (time.monotonic() - began) / SHARE))
        with contextlib.suppress(StoreUnavailableError):  # then it runs out
            await self._alarms.stop()

    async def _sending(self, name: str, receiver: AlertReceiver) -> None:
        while not self._stopping.is_set():
            try:
                await self._send_due(name, receiver)
            except StoreUnavailableError as error:
                log.error("store unavailable", detail=str(error))
            except Exception:
                log.exception("sending alerts failed")
            await self._rest(SEND_SECONDS)

    async def _send_due(self, name: str, receiver: AlertReceiver) -> None:
        """One at a time, and no more once the receiver has failed: the rest would wait as long for nothing."""
        for notice in await self._notices.due(name):
            if self._stopping.is_set():
                return
            if await self._notices.claim(notice) and not await self._send(name, receiver, notice):
                return

    async def _send(self, name: str, receiver: AlertReceiver, notice: Notification) -> bool:
        try:
            await receiver.tell(notice)
        except AlertDeliveryError as error:
            await self._notices.put_off(notice)
            log.warning("alert delivery failed", receiver=name, alarm=notice.kind.value, detail=str(error))
            return False
        except StoreUnavailableError:
            raise
        except Exception:  # one that can't be written holds up no other, and is given up in the end
            await self._notices.put_off(notice)
            log.exception("alert delivery failed", receiver=name, alarm=notice.kind.value)
            return True
        await self._notices.told(notice)
        log.info("alert delivered", receiver=name, alarm=notice.kind.value, customer=notice.customer_id)
        return True
