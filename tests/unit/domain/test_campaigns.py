"""Little is kept of a campaign's tags, whoever wrote them."""

import pytest

from app.domain.campaigns import LENGTH, NO_CAMPAIGN, OTHER, Campaign, campaign_of


def test_three_tags_are_counted_whatever_their_case_the_first_of_each() -> None:
    tags = [("UTM_Source", "google"), ("utm_source", "bing"), ("utm_campaign", " höst "), ("gclid", "x")]
    assert campaign_of(tags) == Campaign("google", "", "höst")


def test_without_tags_there_is_no_campaign() -> None:
    assert campaign_of([("referrer", "https://example.se")]) == NO_CAMPAIGN


@pytest.mark.parametrize("value", ["anna@example.se", "a\x00b", "rad\nrad"])
def test_what_may_be_a_person_or_is_no_text_is_not_written_down(value: str) -> None:
    assert campaign_of([("utm_source", value)]).source == OTHER


def test_a_long_name_is_cut() -> None:
    assert campaign_of([("utm_medium", "m" * 500)]).medium == "m" * LENGTH
