"""Simulates an operator who uses the console all the time: `python -m benchmarks.console_operator PORT`.

It gets one page a second, in turn: the overview, a search by e-mail, its result, and the list of what needs attention.
People read for longer than that. It is a separate program, so that another process can pause and resume it.
"""

import http.client
import itertools
import re
import sys
import time
from urllib.parse import urlencode

from benchmarks.aged_database import SEARCHED_EMAIL
from benchmarks.service import CONSOLE_PASSWORD, PUBLIC_URL

PAUSE_SECONDS = 1.0
RESULT_LINK = re.compile(r'href="(/console/submissions/[0-9a-f-]{36})"')


class Operator:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        form = urlencode({"password": CONSOLE_PASSWORD})
        headers = {"Origin": PUBLIC_URL, "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/console/sign-in", form, headers)
        answer = self._connection.getresponse()
        answer.read()
        self._cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        self._connection.close()

    def get(self, path: str) -> str:
        """Raises `RuntimeError` if the answer is not 200."""
        self._connection.request("GET", path, headers={"Cookie": self._cookie})
        answer = self._connection.getresponse()
        text = answer.read().decode()
        self._connection.close()  # the service would close it while this program is paused
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return text


def main(port: int) -> None:
    """Runs until killed."""
    operator = Operator(port)
    search = f"/console/submissions?{urlencode({'q': SEARCHED_EMAIL})}"
    match = RESULT_LINK.search(operator.get(search))
    if not match:
        raise RuntimeError("the search found no submission")
    for path in itertools.cycle(("/console", search, match[1], "/console/submissions?status=stuck")):
        operator.get(path)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]))
