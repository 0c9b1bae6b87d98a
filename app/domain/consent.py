"""The consent texts of each version, word for word. A version is kept as long as proof of a consent to it may be asked
for. The current version is also in the form's template; a test compares the two."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Incremented whenever a sentence in the template changes; the old texts stay here.
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


@dataclass(slots=True)  # not frozen: one is made for each post
class ConsentRecord:
    """What a person who consented was shown; the time is `SubmissionContext.consented_at`. `version` is None if the
    caller's own page asked for the consent: then keeping the wording is up to the caller."""

    version: int | None
    language: str
    firm: str
    privacy_url: str | None

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "language": self.language,
            "firm": self.firm,
            "privacyUrl": self.privacy_url,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ConsentRecord":
        return cls(stored["version"], stored["language"], stored["firm"], stored["privacyUrl"])

    def wording(self) -> list[str] | None:
        """What the person was shown, word for word; None if the text was not ours."""
        if self.version is None:
            return None
        sentence, link, tick = TEXTS[self.version][self.language]
        shown = [sentence.format(firm=self.firm), f"{link}: {self.privacy_url}", tick]
        return shown if self.privacy_url else [shown[0], shown[2]]
