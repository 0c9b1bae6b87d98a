"""Countries as people write them."""

import pytest

from app.domain.countries import COUNTRIES, MAX_COUNTRY_TEXT, country_code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *((text, "SE") for text in ("SE", " se ", "Sverige", "SVERIGE", "Sweden", "SWE", "Ruotsi", "Schweden")),
        *(
            (text, "SE")
            for text in ("Sverige (Sweden)", "SE - Sverige", "Sverige (+46)", "\U0001f1f8\U0001f1ea Sverige")
        ),
        *((text, "NO") for text in ("no", "NOR", "Norge", "Norway", "Norja", "Norge [NO]")),
        *((text, "GB") for text in ("UK", "U.K.", "Storbritannien", "England", "United Kingdom (UK)")),
        *((text, "US") for text in ("USA", "U.S.A.", "United States", "The United States")),
        *((text, "NL") for text in ("Nederländerna", "Nederlanderna", "the Netherlands", "Holland")),
        *((text, "BA") for text in ("Bosnia and Herzegovina", "Bosnien & Hercegovina", "Bosnien och Hercegovina")),
        *((text, "GW") for text in ("Guinea-Bissau", "guinea bissau")),
        ("Åland", "AX"),
        ("Co\u0302te d\u2019Ivoire", "CI"),
        *((text, None) for text in ("", " ", "-", "46", "752", "XX", "EU", "Europa", "Stockholm", "Svergie")),
        *((text, None) for text in ("Sverige/Norge", "Sverige, Stockholm", "Jugoslavien", "YU", "ANT")),
        ("Sverige" + " " * MAX_COUNTRY_TEXT, None),
    ],
)
def test_a_country_is_read_as_people_write_it(written: str, code: str | None) -> None:
    assert country_code(written) == code


def test_every_code_is_itself() -> None:
    assert {code: country_code(code.lower()) for code in COUNTRIES} == {code: code for code in COUNTRIES}
