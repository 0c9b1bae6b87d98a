"""Campaign tags, and the page on which the form was shown."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.bodies import (
    ORIGIN,
    PUBLIC_URL,
    SITE,
    booking,
    fields,
    interest,
    interest_path,
    key,
    viewing_path,
)
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService

BROKER = f"{ORIGIN}/hem/storgatan-1?bild=3"


def posted_json(service: RunningService, query: str = "", headers: dict[str, str] | None = None, **members: Any) -> Any:
    """The marketing that Vitec gets with an interest posted as JSON."""
    path = interest_path()
    answer = service.client.post(f"{path}?{query}", json=interest(**members), headers=SITE | (headers or {}))
    assert answer.status_code == 200, answer.text
    return service.delivered(path).body.get("marketing")


def posted_form(
    service: RunningService, query: str = "", headers: dict[str, str] | None = None, typed: dict[str, str] | None = None
) -> Any:
    """The marketing that Vitec gets with an interest posted from the broker's own form."""
    path = interest_path()
    data = fields(interest()) | (typed or {})
    answer = service.client.post(f"{path}?{query}", data=data, headers=SITE | (headers or {}))
    assert answer.status_code == 303, answer.text
    return service.delivered(path).body.get("marketing")


def from_page(service: RunningService, query: str = "", **headers: str) -> Any:
    """The marketing that Vitec gets with an interest posted from the form that we serve."""
    path = interest_path()
    page = service.page(f"{path}?{query}", **headers)
    own = {"Origin": PUBLIC_URL, "Referer": f"{PUBLIC_URL}{path}?{query}"}
    answer = page.submit(service.client, fields(interest()), **own)
    assert answer.status_code == 303, answer.text
    return service.delivered(path).body.get("marketing")


def tags(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


CAMPAIGN = "utm_source=nyhetsbrev&utm_medium=e-post&utm_campaign=h%C3%B6st+26&gclid=g1&fbclid=f1&msclkid=m1"
ALL = tags(
    ("utm_source", "nyhetsbrev"),
    ("utm_medium", "e-post"),
    ("utm_campaign", "höst 26"),
    ("gclid", "g1"),
    ("fbclid", "f1"),
    ("msclkid", "m1"),
)


def test_tags_in_the_query_of_the_form_page_are_still_there_at_the_post(service: RunningService) -> None:
    assert from_page(service, CAMPAIGN)["utmTags"] == ALL


def test_tags_survive_a_form_that_is_shown_again_with_errors(service: RunningService) -> None:
    path = interest_path()
    page = service.page(f"{path}?{CAMPAIGN}", Referer=BROKER)
    own = {"Origin": PUBLIC_URL, "Referer": f"{PUBLIC_URL}{path}"}
    again = page_of(page.submit(service.client, {"firstName": ""}, **own))
    assert again.submit(service.client, fields(interest()), **own).status_code == 303
    assert service.delivered(path).body["marketing"] == {"referrer": BROKER, "utmTags": ALL}


def test_tags_survive_a_change_of_language(service: RunningService) -> None:
    path = interest_path()
    answer = service.client.get(f"{path}?{CAMPAIGN}")
    link = answer.text.partition('lang="en"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    page = service.page(f"{path}{link}")
    assert page.language == "en"
    assert page.submit(service.client, fields(interest()), Origin=PUBLIC_URL).status_code == 303
    assert service.delivered(path).body["marketing"]["utmTags"] == ALL


def test_tags_in_the_posts_own_query_reach_vitec(service: RunningService) -> None:
    assert posted_form(service, CAMPAIGN)["utmTags"] == ALL
    assert posted_json(service, CAMPAIGN)["utmTags"] == ALL


def test_tags_may_be_members_of_a_form(service: RunningService) -> None:
    typed = {"utm_source": "nyhetsbrev", "utm_medium": "e-post", "gclid": "g1"}
    assert posted_form(service, typed=typed)["utmTags"] == tags(*typed.items())


def test_marketing_may_be_a_member_of_json(service: RunningService) -> None:
    marketing = {"referrer": BROKER, "utmTags": ALL}
    assert posted_json(service, marketing=marketing) == marketing


def test_tags_keep_their_order_and_the_first_of_each_name_counts(service: RunningService) -> None:
    query = "utm_term=z&utm_source=a&utm_term=y&utm_source=b&utm_content=c"
    expected = tags(("utm_term", "z"), ("utm_source", "a"), ("utm_content", "c"))
    assert posted_json(service, query)["utmTags"] == expected
    assert from_page(service, query)["utmTags"] == expected
    twice = tags(("utm_term", "z"), ("utm_source", "a"), ("utm_term", "y"))
    assert posted_json(service, marketing={"utmTags": twice})["utmTags"] == twice[:2]


def test_at_most_20_tags_are_kept(service: RunningService) -> None:
    many = [(f"utm_{number}", str(number)) for number in range(25)]
    assert posted_json(service, urlencode(many))["utmTags"] == tags(*many[:20])
    assert posted_form(service, typed=dict(many))["utmTags"] == tags(*many[:20])
    assert posted_json(service, marketing={"utmTags": tags(*many)})["utmTags"] == tags(*many[:20])


def test_a_value_is_cut_at_500_and_never_in_the_middle_of_a_character(service: RunningService) -> None:
    assert posted_json(service, f"utm_source={'a' * 600}")["utmTags"] == tags(("utm_source", "a" * 500))
    assert posted_form(service, typed={"utm_source": "å" * 600})["utmTags"] == tags(("utm_source", "å" * 500))
    odd = "a" + "\U0001f3e0" * 300
    [tag] = posted_json(service, marketing={"utmTags": tags(("utm_source", odd))})["utmTags"]
    assert odd.startswith(tag["value"])
    assert 499 <= len(tag["value"].encode("utf-16-le")) // 2 <= 500


def test_other_query_parameters_are_never_passed_on(service: RunningService) -> None:
    query = "utm=1&utmsource=2&source=3&xutm_source=4&gclidx=5&email=anna%40example.se&utm_source=a"
    assert posted_json(service, query)["utmTags"] == tags(("utm_source", "a"))


def test_an_empty_tag_is_no_tag(service: RunningService) -> None:
    assert posted_json(service, "utm_source=&utm_medium=%20&utm_campaign=c")["utmTags"] == tags(("utm_campaign", "c"))


def test_without_tags_and_page_there_is_no_marketing(service: RunningService) -> None:
    assert posted_json(service) is None
    assert posted_form(service) is None


def test_the_page_is_the_one_that_the_embed_names(service: RunningService) -> None:
    query = f"utm_source=a&referrer={quote(BROKER, safe='')}"
    for marketing in (
        from_page(service, query),
        from_page(service, query, Referer="https://another.example/"),
        posted_json(service, query, {"Referer": "https://another.example/"}),
        posted_form(service, query),
    ):
        assert marketing == {"referrer": BROKER, "utmTags": tags(("utm_source", "a"))}


def test_without_an_embed_the_page_is_the_referer_of_the_form_page(service: RunningService) -> None:
    assert from_page(service, Referer=BROKER) == {"referrer": BROKER}


def test_our_own_form_is_not_reported_as_the_visited_page(service: RunningService) -> None:
    assert from_page(service) is None
    assert from_page(service, CAMPAIGN) == {"utmTags": ALL}
    assert posted_json(service, headers={"Referer": f"{PUBLIC_URL}{interest_path()}?lang=en"}) is None


def test_without_a_form_page_the_page_is_the_referer_of_the_post(service: RunningService) -> None:
    assert posted_json(service, headers={"Referer": BROKER}) == {"referrer": BROKER}
    assert posted_form(service, headers={"Referer": BROKER}) == {"referrer": BROKER}


def test_a_form_may_name_its_page_itself(service: RunningService) -> None:
    assert posted_form(service, typed={"marketing.referrer": BROKER}) == {"referrer": BROKER}


HOSTILE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "about:blank",
    "//evil.example/",
    "/hem",
    "hem",
    "https://",
    "https:///x",
    "http://[::1",
    "https://[not-an-address]/",
    "blob:https://www.maklarhuset.se/1",
    "android-app://com.example/",
    "\u0000",
]


@pytest.mark.parametrize("page", HOSTILE)
def test_an_invalid_page_address_is_dropped_and_never_costs_a_lead(service: RunningService, page: str) -> None:
    query = f"referrer={quote(page, safe='')}"
    assert posted_json(service, query) is None
    assert posted_form(service, query) is None
    assert posted_form(service, typed={"marketing.referrer": page}) is None
    assert from_page(service, query) is None
    shown = service.client.get(f"{interest_path()}?{query}").text
    assert "javascript:" not in shown.lower()
    answer = service.client.post(interest_path(), json=interest(marketing={"referrer": page}), headers=key())
    assert answer.status_code in {200, 400}


def test_a_hostile_page_that_the_embed_names_gives_way_to_the_referer(service: RunningService) -> None:
    query = f"referrer={quote('javascript:alert(1)', safe='')}"
    assert from_page(service, query, Referer=BROKER) == {"referrer": BROKER}


def test_what_is_in_an_address_can_not_break_out_of_the_page(service: RunningService) -> None:
    evil = f'{ORIGIN}/"><script>alert(1)</script>'
    query = urlencode({"referrer": evil, "utm_source": '"><script>alert(2)</script>', "title": "</title><script>x"})
    answer = service.client.get(f"{interest_path()}?{query}")
    assert "<script>alert" not in answer.text
    assert "<script>x" not in answer.text


def test_the_tags_of_an_interest_are_sent_inline_and_no_lead_is_made(service: RunningService) -> None:
    path = interest_path()
    answer = service.client.post(f"{path}?{CAMPAIGN}", json=interest(), headers=SITE)
    assert answer.status_code == 200
    assert service.delivered(path).body["marketing"] == {"utmTags": ALL}
    assert service.nothing_at(f"/CRM/Lead/{path.split('/')[3]}")


@pytest.mark.parametrize("headers", [SITE, key()])
def test_a_booking_has_no_marketing_in_it(service: RunningService, headers: dict[str, str]) -> None:
    for body in (booking(), booking(marketing={"referrer": BROKER, "utmTags": ALL})):
        path = viewing_path()
        referred = headers | {"Referer": BROKER}
        assert service.client.post(f"{path}?{CAMPAIGN}", json=body, headers=referred).status_code == 200
        assert "marketing" not in service.delivered(path).body
        assert "utm" not in str(service.delivered(path).body)
        path = viewing_path()
        posted = service.client.post(
            f"{path}?{CAMPAIGN}", data=fields(booking()) | {"utm_source": "a"}, headers=referred
        )
        assert posted.status_code == 303
        assert "utm" not in str(service.delivered(path).body)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(
        st.tuples(
            st.sampled_from(["utm_source", "utm_medium", "gclid", "utm_å", "UTM_Source", "referrer", "lang", "x"]),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        ),
        max_size=6,
    )
)
def test_no_query_costs_a_lead(service: RunningService, pairs: list[tuple[str, str]]) -> None:
    posted_json(service, urlencode(pairs))


@pytest.mark.parametrize("query", ["%", "%zz", "utm_source=%ff", "&&&", "=", "utm_source", "a=b" * 2000, "lang=%00"])
def test_no_torn_query_costs_a_lead(service: RunningService, query: str) -> None:
    path = interest_path()
    body = urlencode(fields(interest())).encode()
    headers = SITE | {"Content-Type": "application/x-www-form-urlencoded"}
    assert service.raw("POST", f"{path}?{query}", body, headers)[0] == 303
    assert service.raw("GET", f"{path}?{query}")[0] == 200
    assert service.delivered(path)


@pytest.mark.parametrize("post", [posted_form, posted_json, from_page])
def test_a_tag_behind_any_number_of_other_parameters_is_sent_on(service: RunningService, post: Any) -> None:
    others = "&".join(f"x{number}=1" for number in range(150))
    marketing = post(service, f"{others}&utm_source=nyhetsbrev&gclid=g1")
    assert marketing["utmTags"] == tags(("utm_source", "nyhetsbrev"), ("gclid", "g1"))
