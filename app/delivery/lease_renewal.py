"""Lease renewal: a claim's lease is renewed for as long as its delivery runs."""

import asyncio
from datetime import timedelta

from app.delivery.claims import Claim, LeaseLostError
from app.delivery.outbox import Outbox
from app.storage.database import StoreUnavailableError


async def keep_renewing(outbox: Outbox, claim: Claim, lease: timedelta) -> None:
    """Until cancelled, or until another worker has taken over, which the delivery notices when it records."""
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        try:
            await outbox.renew(claim)
        except LeaseLostError:
            return
        except StoreUnavailableError:
            continue
