"""What people are shown when they consent, kept word for word for each version, for as long as somebody's consent to it
may be asked for. The current version stands in the form's template; a test compares the two."""

from collections.abc import Mapping
from typing import Any

# Raised whenever a sentence in the template changes, and the old one stays here.
CURRENT_VERSION = 1
# version -> language -> what was shown, in order; {firm} is the firm's name.
TEXTS: Mapping[int, Mapping[str, tuple[str, ...]]] = {
    1: {
        "sv": (
            "{firm} sparar det du skriver för att kunna kontakta dig om bostaden.",
            "Så hanterar vi dina personuppgifter (öppnas i en ny flik)",
            "Ja, ni får använda mina uppgifter till det",
        ),
        "en": (
            "{firm} saves what you write in order to get in touch with you about the home.",
            "How we handle your personal data (opens in a new tab)",
            "Yes, you may use my details for that",
        ),
    },
}


def consent_record(version: int | None, language: str, at: str, firm: str, privacy_url: str | None) -> dict[str, Any]:
    """What is kept with a submission. `version` is None where the caller's own page asked: its words are the caller's
    to keep."""
    return {"version": version, "language": language, "at": at, "firm": firm, "privacyUrl": privacy_url}


def wording(record: Mapping[str, Any]) -> list[str] | None:
    """What the person was shown, word for word; None where it was not ours."""
    if record["version"] is None:
        return None
    sentence, link, tick = TEXTS[record["version"]][record["language"]]
    shown = [sentence.format(firm=record["firm"]), f"{link}: {record['privacyUrl']}", tick]
    return shown if record["privacyUrl"] else [shown[0], shown[2]]
