"""Renews a claim's lease for as long as its delivery runs."""

import asyncio
from datetime import timedelta

from app.delivery.claims import Claim, LeaseLostError
from app.delivery.outbox import Outbox
from app.storage.database import StoreUnavailableError

RENEWALS = 3  # in the time of a lease


async def keep_renewing(outbox: Outbox, claim: Claim, lease: timedelta) -> None:
    """Runs until it is cancelled, or until another worker has taken over. The delivery notices that when it records."""
    while True:
        await asyncio.sleep(lease.total_seconds() / RENEWALS)
        try:
            await outbox.renew(claim)
        except LeaseLostError:
            return
        except StoreUnavailableError:
            continue
