"""`Accept-Language` and `?lang=sv|en` choose the language of every text a person reads, errors too."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.acceptance.bodies import (
    CUSTOMER,
    FORM,
    PLAIN,
    SITE,
    booking,
    fields,
    interest,
    interest_path,
    key,
    viewing_path,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service

HTML = {"Accept": "text/html"}


Ask = Callable[..., httpx.Response]

# Everything that can be said in words, by what is asked for: path and query, headers.
PAGES: dict[str, tuple[int, Ask]] = {
    "form": (200, lambda c, q, h, who: c.get(f"{interest_path(who)}{q}", headers=h)),
    "booking": (200, lambda c, q, h, who: c.get(f"{viewing_path(who)}{q}", headers=h)),
    "faults": (400, lambda c, q, h, who: c.post(f"{interest_path(who)}{q}", data={"firstName": "A"}, headers=SITE | h)),
    "forbidden": (403, lambda c, q, h, who: c.post(f"{interest_path(who)}{q}", data=fields(interest()), headers=h)),
    "no such path": (404, lambda c, q, h, _: c.get(f"/Advertising/Estate/M99999/OBJ1/interest{q}", headers=h | HTML)),
    "no such id": (404, lambda c, q, h, who: c.get(f"/Advertising/Estate/{who}/a b/interest{q}", headers=h | HTML)),
    "no such method": (405, lambda c, q, h, who: c.put(f"{interest_path(who)}{q}", headers=h | HTML)),
    "too large": (
        413,
        lambda c, q, h, who: c.post(
            f"{interest_path(who)}{q}", content=b"a=" + b"b" * 70000, headers=SITE | FORM | HTML | h
        ),
    ),
    "other type": (
        415,
        lambda c, q, h, who: c.post(f"{interest_path(who)}{q}", content=b"x", headers=SITE | HTML | h),
    ),
    "wrong key": (
        401,
        lambda c, q, h, who: c.get(f"{interest_path(who)}{q}", headers=HTML | h | {"Authorization": "Bearer x"}),
    ),
    "receipt": (
        200,
        lambda c, q, h, who: c.get(
            c.post(f"{interest_path(who)}{q}", data=fields(interest()), headers=SITE | h).headers["location"], headers=h
        ),
    ),
}
PROBLEMS: dict[str, tuple[int, Ask]] = {
    "faults": (400, lambda c, q, h, who: c.post(f"{interest_path(who)}{q}", json={}, headers=key(who) | h)),
    "forbidden": (403, lambda c, q, h, who: c.post(f"{interest_path(who)}{q}", json={}, headers=h)),
    "wrong key": (
        401,
        lambda c, q, h, who: c.post(f"{interest_path(who)}{q}", json={}, headers=h | {"Authorization": "Bearer x"}),
    ),
    "too large": (
        413,
        lambda c, q, h, who: c.post(
            f"{interest_path(who)}{q}", json={"contactMessage": "x" * 70000}, headers=key(who) | h
        ),
    ),
    "other type": (415, lambda c, q, h, who: c.post(f"{interest_path(who)}{q}", content=b"x", headers=key(who) | h)),
    "method": (405, lambda c, q, h, who: c.put(f"{interest_path(who)}{q}", headers=key(who) | h)),
    "too many contacts": (400, lambda c, q, h, who: c.get(f"/CRM/Contact/{who}/1{',1' * 20}{q}", headers=key(who) | h)),
    "no such contact": (404, lambda c, q, h, who: c.get(f"/CRM/Contact/{who}/NONE{q}", headers=key(who) | h)),
    "no such path": (404, lambda c, q, h, _: c.get(f"/Advertising/Estate/M99999/OBJ1/interest{q}", headers=h)),
}


def is_swedish(text: str) -> bool:
    """Whether it has letters and words that every Swedish text of ours contains and no English one."""
    words = set(text.lower().replace(".", " ").replace(",", " ").split())
    return bool(
        words
        & {
            "och",
            "att",
            "är",
            "inte",
            "den",
            "det",
            "som",
            "här",
            "kan",
            "saknas",
            "för",
            "eller",
            "på",
            "en",
            "vilka",
            "står",
        }
    )


def is_english(text: str) -> bool:
    words = set(text.lower().replace(".", " ").replace(",", " ").split())
    return bool(words & {"the", "and", "is", "to", "that", "of", "or", "this", "with", "your", "as", "at"})


def check_page(
    service: RunningService, what: str, language: str, query: str, headers: dict[str, str], who: str
) -> None:
    status, ask = PAGES[what]
    answer = ask(service.client, query, headers, who)
    assert answer.status_code == status, answer.text
    page = page_of(answer)
    assert page.language == language
    assert (is_swedish if language == "sv" else is_english)(page.text)
    assert not (is_english if language == "sv" else is_swedish)(page.title + page.alert)


def check_problem(
    service: RunningService, what: str, language: str, query: str, headers: dict[str, str], who: str
) -> None:
    status, ask = PROBLEMS[what]
    answer = ask(service.client, query, headers, who)
    assert answer.status_code == status, answer.text
    assert "Accept-Language" in answer.headers["vary"]
    content = answer.json()
    text = " ".join([content["title"], content["detail"], *(e["message"] for e in content.get("errors", []))])
    assert (is_swedish if language == "sv" else is_english)(text), text
    assert not (is_english if language == "sv" else is_swedish)(text), text


ASKED = [
    ("sv", "?lang=sv", {"Accept-Language": "en"}),
    ("en", "?lang=en", {"Accept-Language": "sv"}),
    ("en", "", {"Accept-Language": "en-GB,en;q=0.9"}),
    ("sv", "", {"Accept-Language": "sv-SE,sv;q=0.9,en;q=0.8"}),
    ("en", "", {"Accept-Language": "de,en;q=0.5,sv;q=0.2"}),
    ("sv", "", {"Accept-Language": "en;q=0.3,sv;q=0.4"}),
]


@pytest.mark.parametrize(("language", "query", "headers"), ASKED)
@pytest.mark.parametrize("what", PAGES)
@pytest.mark.parametrize("who", [CUSTOMER, PLAIN])
def test_a_page_is_in_the_language_that_was_asked_for(
    service: RunningService, what: str, language: str, query: str, headers: dict[str, str], who: str
) -> None:
    check_page(service, what, language, query, headers, who)


@pytest.mark.parametrize(("language", "query", "headers"), ASKED)
@pytest.mark.parametrize("what", PROBLEMS)
def test_a_problem_is_in_the_language_that_was_asked_for(
    service: RunningService, what: str, language: str, query: str, headers: dict[str, str]
) -> None:
    check_problem(service, what, language, query, headers, CUSTOMER)


UNDECIDED = [{}, {"Accept-Language": "*"}, {"Accept-Language": "de-DE"}, {"Accept-Language": "not;a=language,,;q"}]


@pytest.mark.parametrize("headers", UNDECIDED)
@pytest.mark.parametrize(("who", "language"), [(CUSTOMER, "sv"), (PLAIN, "en")])
@pytest.mark.parametrize("what", [what for what in PAGES if what != "no such path"])
def test_by_default_a_page_is_in_the_customers_language(
    service: RunningService, what: str, who: str, language: str, headers: dict[str, str]
) -> None:
    check_page(service, what, language, "", headers, who)


@pytest.mark.parametrize("query", ["?lang=de", "?lang=", "?lang=SV%00", "?lang=../sv"])
@pytest.mark.parametrize(("who", "language"), [(CUSTOMER, "sv"), (PLAIN, "en")])
def test_an_unknown_language_is_ignored(service: RunningService, query: str, who: str, language: str) -> None:
    check_page(service, "form", language, query, {}, who)


@pytest.mark.parametrize(("who", "language"), [(CUSTOMER, "sv"), (PLAIN, "en")])
@pytest.mark.parametrize("what", [what for what in PROBLEMS if what != "no such path"])
def test_by_default_a_problem_is_in_the_customers_language(
    service: RunningService, what: str, who: str, language: str
) -> None:
    check_problem(service, what, language, "", {}, who)


def test_a_form_links_to_itself_in_the_other_language(service: RunningService) -> None:
    path = interest_path()
    for language, other in (("sv", "en"), ("en", "sv")):
        text = service.client.get(f"{path}?lang={language}&title=Storgatan+1").text
        link = text.partition(f'lang="{other}"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        page = service.page(path + link)
        assert page.language == other
        assert "Storgatan 1" in page.text


TYPED = {"firstName": "Åsa <b>", "telephone.cell": "inte ett nummer", "contactMessage": "Rad ett\nrad två"}


@pytest.mark.parametrize(("language", "other"), [("sv", "en"), ("en", "sv")])
def test_a_form_is_shown_in_the_other_language_with_what_was_typed(
    service: RunningService, language: str, other: str
) -> None:
    path = interest_path()
    form = service.page(f"{path}?lang={language}&title=Storgatan+1")
    pressed = {"switch-language": other}
    answer = service.client.post(f"{path}?lang={other}&title=Storgatan+1", data=form.values | TYPED | pressed)
    page = page_of(answer)
    assert (answer.status_code, page.language) == (200, other)
    assert "Storgatan 1" in page.text
    assert (page.alert, page.faulty) == ("", set())
    assert page.values.items() >= TYPED.items()
    assert page.values["token"] == form.values["token"]  # the same form: once sent, it is a repeat
    assert not pressed.keys() & page.values.keys()
    assert service.nothing_at(path)


def test_a_form_with_errors_is_shown_in_the_other_language_with_those_that_are_left(service: RunningService) -> None:
    path = interest_path()
    form = service.page(f"{path}?lang=sv")
    switch = {"switch-language": "with-errors"}
    answer = service.client.post(f"{path}?lang=en", data=form.values | TYPED | {"lastName": "Å"} | switch)
    page = page_of(answer)
    assert (answer.status_code, page.language) == (400, "en")
    assert is_english(page.alert)
    assert page.faulty == {"telephone.cell", "consent"}
    assert page.values.items() >= TYPED.items()
    corrected = page.values | fields(interest()) | switch
    page = page_of(service.client.post(f"{path}?lang=sv", data=corrected))
    assert (page.language, page.alert, page.faulty) == ("sv", "", set())
    assert service.nothing_at(path)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_other_answers_are_in_that_language_too(tmp_path: Path, language: str) -> None:
    headers = {"Accept-Language": language}
    with run_service(tmp_path, deliver=False, customers=[{"id": CUSTOMER, "rate_limit": "1/hour"}]) as service:
        repeat = key() | headers | {"Idempotency-Key": "1", "Prefer": "respond-async"}
        path = interest_path()
        assert service.client.post(path, json=interest(), headers=repeat).status_code == 202
        answers = [service.client.post(path, json=interest(lastName="Å"), headers=repeat)]
        service.client.post(interest_path(), data=fields(interest()), headers=SITE | headers)
        answers.append(service.client.post(interest_path(), json=interest(), headers=SITE | headers))
        assert [answer.status_code for answer in answers] == [422, 429]
        for answer in answers:
            text = f"{answer.json()['title']} {answer.json()['detail']}"
            assert (is_swedish if language == "sv" else is_english)(text)
        page = page_of(service.client.post(viewing_path(), data=fields(booking()), headers=SITE | headers))
        assert page.language == language
        assert (is_swedish if language == "sv" else is_english)(page.alert)
