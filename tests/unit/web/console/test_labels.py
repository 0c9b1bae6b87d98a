"""Numbers, times and names as an operator reads them."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.campaigns import NO_CAMPAIGN, OTHER, Campaign
from app.operations.member_labels import MEMBERS, member_label, same_member
from app.operations.registry import POSTS
from app.operations.specification import PostSpec
from app.web.console import labels
from app.web.rendering.templates import Templates

GETTEXT = Templates().gettext("sv")


@pytest.mark.parametrize(
    ("campaign", "label"),
    [
        (Campaign("google", "cpc", "höst"), "google / cpc / höst"),
        (Campaign("facebook"), "facebook"),
        (Campaign("nyhetsbrev", "", "v47"), "nyhetsbrev / – / v47"),
        (Campaign("", "", "v47"), "– / – / v47"),
        (NO_CAMPAIGN, "Utan taggar"),
        (Campaign(OTHER, OTHER, OTHER), "Övriga"),
        (Campaign("google", OTHER, ""), "google / Övriga"),
    ],
)
def test_a_campaigns_label_shows_only_the_tags_it_has(campaign: Campaign, label: str) -> None:
    assert labels.campaign(campaign, GETTEXT) == label


def test_a_time_is_in_swedish_time_with_the_year_only_if_it_is_another_one() -> None:
    now = datetime.now(UTC)
    assert labels.moment(datetime(2025, 7, 1, 22, 30, tzinfo=UTC), "sv") == "2 juli 2025 00:30"
    assert str(now.year) not in labels.moment(now.replace(month=7, day=1), "sv")


def test_history_entries_show_seconds() -> None:
    assert labels.second(datetime(2025, 11, 3, 8, 5, 9, tzinfo=UTC), "en") == "3 Nov 2025 09:05:09"


def test_exported_times_are_swedish_as_the_consoles_are_so_that_both_count_a_lead_on_the_same_day() -> None:
    assert labels.sortable(datetime(2027, 12, 31, 23, 30, 5, 918000, tzinfo=UTC)) == "2028-01-01 00:30:05"


@pytest.mark.parametrize(
    ("number", "language", "label"), [(1, "sv", "1 sekund"), (300, "sv", "300 sekunder"), (1, "en", "1 second")]
)
def test_a_wait_is_told_in_seconds(number: int, language: str, label: str) -> None:
    assert labels.seconds(number, language) == label


@pytest.mark.parametrize(
    ("taken", "label"),
    [
        (None, "–"),
        (timedelta(milliseconds=80), "80 ms"),
        (timedelta(seconds=2.34), "2,3 s"),
        (timedelta(minutes=3), "3 min"),
    ],
)
def test_shorter_durations_are_shown_more_precisely(taken: timedelta | None, label: str) -> None:
    assert labels.duration(taken, "sv") == label


def test_a_share_of_zero_is_a_dash_and_so_is_more_than_everything() -> None:
    shares = [labels.share(part, whole, "sv") for part, whole in ((1, 20), (20, 20), (1, 0), (25, 2))]
    assert shares == ["5\u00a0%", "100\u00a0%", "–", "–"]


@pytest.mark.parametrize(
    ("name", "value", "label", "text"),
    [
        ("smsReminder", True, "Påminnelse via sms", "Ja"),
        ("mailConfirmation", False, "Bekräftelse via e-post", "Nej"),
        ("updatePerson.cellPhone", "+46701740605", "Mobil", "+46701740605"),
        ("status", "VeryInterested", "Hur intresserad", "Mycket intresserad"),
        ("presentAccommodation.estateType", "Tenancy", "Nuvarande bostad: typ", "Hyresrätt"),
        ("presentAccommodation.price", 2500000, "Nuvarande bostad: värde, kronor", "2\u00a0500\u00a0000"),
        ("validUntil", "2025-12-31T23:59:59+01:00", "Gäller till och med", "31 dec. 2025 23:59"),
        ("validUntil", "9999-12-31T23:59:59+00:00", "Gäller till och med", "9999-12-31T23:59:59+00:00"),
        ("somethingNew", "as it came", "somethingNew", "as it came"),
    ],
)
def test_the_value_of_a_member_is_shown_in_words(name: str, value: object, label: str, text: str) -> None:
    assert (member_label(name, GETTEXT), labels.member_value(name, value, "sv", GETTEXT)) == (label, text)


@pytest.mark.parametrize("post", [post for post in POSTS if post.form], ids=lambda post: post.form.name)
def test_every_member_that_people_fill_in_has_a_label(post: PostSpec) -> None:
    assert post.form is not None
    asked = set(post.form.fields) - {"contact", "consent", "slot"}
    assert {name for name in asked if same_member(name) not in MEMBERS} == set()
