"""Campaigns keep little of the tags, whoever wrote them."""

import pytest

from app.domain.campaigns import LENGTH, NO_CAMPAIGN, OTHER, Campaign, campaign_of


def test_three_tags_are_counted_whatever_their_case_the_first_of_each() -> None:
    tags = [("UTM_Source", "google"), ("utm_source", "bing"), ("utm_campaign", " höst "), ("gclid", "x")]
    assert campaign_of(tags) == Campaign("google", "", "höst")


def test_without_tags_there_is_no_campaign() -> None:
    assert campaign_of([("referrer", "https://example.se")]) == NO_CAMPAIGN


@pytest.mark.parametrize(
    "value",
    [
        "anna@example.se",
        "anna%40example.se",
        "anna%252540example.se",
        "070-123 45 67",
        "+46701234567",
        " 46812345678",  # a query's "+" is read as a space
        "811228-9874",
        "m" * 55 + "anna@example.se",
        "m" * 70 + "anna@example.se",
        "a\x00b",
        "rad\nrad",
    ],
)
def test_tags_that_may_identify_a_person_or_are_not_text_are_not_stored(value: str) -> None:
    assert campaign_of([("utm_source", value)]).source == OTHER


@pytest.mark.parametrize("value", ["2026-11-29", "sommar2026", "120208123456789012", "vecka-48", "hus & hem"])
def test_an_ordinary_campaign_name_is_stored_as_it_is(value: str) -> None:
    assert campaign_of([("utm_campaign", value)]).campaign == value


def test_a_long_name_is_cut() -> None:
    assert campaign_of([("utm_medium", "m" * 500)]).medium == "m" * LENGTH
