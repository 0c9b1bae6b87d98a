"""A continuous load of posts, and a record of those that were accepted."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

RETRY_CUSTOMER, PARK_CUSTOMER = "M00001", "M00002"  # by their `on_ambiguous`
KEY = "endurance-key"


@dataclass
class Load:
    """Posts with an API key until stopped, each for another estate. `accepted` are those answered 202."""

    urls: list[str]
    accepted: dict[str, str] = field(default_factory=dict)  # submission id by estate
    refused: Counter[str] = field(default_factory=Counter)
    stopped: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, threads: int = 3) -> Iterator[None]:
        posting = [threading.Thread(target=self._post, args=(number,), daemon=True) for number in range(threads)]
        for thread in posting:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in posting:
                thread.join(30)

    def _post(self, thread: int) -> None:
        headers = {"Authorization": f"Bearer {KEY}", "Prefer": "respond-async"}
        number = 0
        with httpx.Client(timeout=20, headers=headers) as client:
            while not self.stopped.is_set():
                number += 1
                estate, customer = f"E{thread}-{number}", (RETRY_CUSTOMER, PARK_CUSTOMER)[number % 2]
                body = {"firstName": "Anna", "lastName": estate, "email": {"emailAddress": f"{estate}@example.se"}}
                url = f"{random.choice(self.urls)}/Advertising/Estate/{customer}/{estate}/interest"
                try:
                    answer = client.post(url, json=body)
                except httpx.HTTPError as error:  # killed before it answered: nothing was promised
                    self.refused[type(error).__name__] += 1
                    self.stopped.wait(0.05)
                    continue
                if answer.status_code == 202:
                    self.accepted[estate] = answer.json()["id"]
                else:
                    self.refused[str(answer.status_code)] += 1
                self.stopped.wait(0.01)
