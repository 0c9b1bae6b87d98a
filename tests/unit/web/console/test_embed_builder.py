"""The snippet for the broker's page."""

from app.web.console.embed_builder import snippet

URL = "https://leads.example.se"
CHOSEN = {"form": "interest", "estate": "", "viewing": "", "slot": "", "title": ""}


def test_an_interest_has_the_script_the_element_and_a_link_within() -> None:
    text = snippet(URL, "M1", CHOSEN | {"estate": "OBJ7"}, "Anmäl intresse")
    assert f'<script src="{URL}/embed.js" async></script>' in text
    assert '<div data-intresse="interest" data-customer="M1" data-estate="OBJ7">' in text
    assert f'<a href="{URL}/forms/M1/interest/OBJ7">Anmäl intresse</a>' in text


def test_a_booking_names_its_viewing_and_time_and_what_is_not_chosen_is_an_example() -> None:
    text = snippet(URL, "M1", CHOSEN | {"form": "viewing", "slot": "T2"}, "Boka")
    assert 'data-viewing="VIS1" data-slot="T2"' in text
    assert f"{URL}/forms/M1/viewing/VIS1/T2" in text


def test_a_booking_by_home_alone_needs_two_attributes() -> None:
    text = snippet(URL, "M1", CHOSEN | {"form": "open-times", "estate": "OBJ7", "slot": "T2"}, "Boka")
    assert '<div data-intresse="viewing" data-customer="M1" data-estate="OBJ7">' in text
    assert f'<a href="{URL}/forms/M1/viewing/OBJ7">Boka</a>' in text


def test_a_title_can_not_break_out_of_its_attribute() -> None:
    text = snippet(URL, "M1", CHOSEN | {"title": '"><script>alert(1)</script>'}, "Boka")
    assert "<script>alert" not in text
