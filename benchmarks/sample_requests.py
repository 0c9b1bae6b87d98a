"""The requests as bytes: an endless sequence for each target."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus

CUSTOMER = "M12345"
ORIGIN = "https://www.maklarhuset.se"
TIMES = "times"
TIMES_PATH = f"/forms/{CUSTOMER}/viewing/OBJ0"
HOMES = 20
PATH = f"/Advertising/Estate/{CUSTOMER}/OBJ1/interest"
_FIRST = [quote_plus(n) for n in ("Anna", "Åsa", "Björn", "Carl-Johan", "Elin", "Göran", "Märta", "Nils", "Örjan")]
_LAST = [quote_plus(n) for n in ("Andersson", "Öberg", "von Essen", "Lindström", "Svensson", "Ek", "Åkerlund")]
_MESSAGE = quote_plus(
    "Hej! Vi är intresserade av lägenheten och undrar om det finns möjlighet till en förhandsvisning.\r\n"
    "Vi har lånelöfte och en bostadsrätt på Söder att sälja. Hälsningar"
)
_TAGS = "utm_source=google&utm_medium=cpc&utm_campaign=v%C3%A5ren+2026&gclid=Cj0KCQjw"
_BROWSER = (
    "Host: leads.example.se\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: sv-SE,sv;q=0.8,en-US;q=0.5,en;q=0.3\r\n"
)


def hello(_: int, __: str) -> Iterator[bytes]:
    """A minimal request: more headers would slow the baseline and flatter the service."""
    return itertools.repeat(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")


def pages(first: int, _: str) -> Iterator[bytes]:
    """Each visitor has a unique click id and comes from a page of the broker."""
    for number in itertools.count(first):
        head = f"GET {PATH}?{_TAGS}{number} HTTP/1.1\r\n{_BROWSER}Referer: {ORIGIN}/hem/OBJ{number % 40}\r\n\r\n"
        yield head.encode()


def times(first: int, _: str) -> Iterator[bytes]:
    """Like `pages`, for the open times of each home in turn."""
    for number in itertools.count(first):
        path = TIMES_PATH.replace("OBJ0", f"OBJ{number % HOMES}")
        head = f"GET {path}?{_TAGS}{number} HTTP/1.1\r\n{_BROWSER}Referer: {ORIGIN}/hem/OBJ{number % 40}\r\n\r\n"
        yield head.encode()


def posts(first: int, token: str) -> Iterator[bytes]:
    """Distinct interests. All share one token: with different content, each is a new submission.

    The mobile numbers may be real. Nothing is sent to them: no worker runs, and Vitec's address is a closed port.
    """
    for number in itertools.count(first):
        body = (
            f"token={quote_plus(token)}&marketing.referrer={quote_plus(ORIGIN)}%2Fhem%2FOBJ1"
            f"&firstName={_FIRST[number % len(_FIRST)]}&lastName={_LAST[number % len(_LAST)]}"
            f"&email.emailAddress=anna.{number}%40maklarhuset.se&telephone.cell=070-{number % 10**7:07}"
            f"&contactMessage={_MESSAGE}&consent=true&address.streetAddress=&address.zipCode=&address.city="
            "&presentAccommodation.estateType=&presentAccommodation.livingSpace="
        )
        head = (
            f"POST {PATH}?{_TAGS}{number} HTTP/1.1\r\n{_BROWSER}Origin: {ORIGIN}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield (head + body).encode()


@dataclass(frozen=True)
class Target:
    """`requests(first, token)` starts at request number `first`. `status` is the only correct answer."""

    requests: Callable[[int, str], Iterator[bytes]]
    status: int


TARGETS = {"hello": Target(hello, 200), "page": Target(pages, 200), "post": Target(posts, 303)}
ALL_TARGETS = {**TARGETS, TIMES: Target(times, 200)}
