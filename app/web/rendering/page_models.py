"""Page models: typed contexts for the templates, without any logic of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from app.domain.fields import is_true
from app.operations.specification import FormSpec
from app.web.rendering.theme import Theme

CONTACT = "contact"  # the error of the pair "e-mail or phone" as a whole
# Inputs that the page sets itself, and `_charset_`, which browsers fill in.
OURS = frozenset({"token", "ticks", "gone", "return_url", "marketing.referrer", "_charset_", ""})
FOLDED = ("address.", "presentAccommodation.")  # the fields under "Add more details"


@dataclass(frozen=True)
class Firm:
    """The broker as a visitor meets it. `accent`, `radius` and `font` are CSS values from the configuration."""

    name: str
    phone: str | None
    email: str | None
    privacy_url: str | None
    accent: str
    radius: str
    font: str


@dataclass(frozen=True)
class LanguageLink:
    """A language that the page can be read in; `label` is its own name for itself."""

    code: str
    label: str
    href: str
    current: bool


@dataclass(frozen=True)
class FieldMessage:
    """What to correct, in the page's language. `field` is the input's name, or `CONTACT`."""

    field: str
    message: str


@dataclass(frozen=True)
class Notice:
    """Why the form is shown again although nothing in it is wrong.

    kind         "forbidden", "busy" (429), "unavailable" (503), "refused" (by Vitec), "expired"
    upstream     Vitec's own words, with "refused"
    retry_after  seconds, with "busy" and "unavailable"
    """

    kind: str
    upstream: str | None = None
    retry_after: int | None = None


@dataclass(frozen=True)
class SlotChoice:
    """A time to choose on the booking form; `day` and `time` as people say them.
    `gone`: it couldn't be booked; `state` "full" or "closed": it can't be."""

    id: str
    day: str
    time: str
    chosen: bool
    gone: bool = False
    state: str = ""


@dataclass(frozen=True)
class ViewingChoice:
    """The times of one of a home's viewings, and the firm's comment on it."""

    comment: str
    slots: tuple[SlotChoice, ...]


@dataclass(frozen=True)
class InterestOffer:
    """The same data as an interest in the home, ready to be sent: a form's address, its token and its inputs."""

    action: str
    token: str
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FormPage:
    """A form, empty or with everything that was typed.

    frame_origins   as `Site.frame_origins`
    name            the first name of the one whose personal page it is
    trap            the input that only robots fill in; "" for none
    values          what was typed, by input name; the hidden `ticks` in it tells that an absent tick was taken away
    extra           inputs of the broker's own form that have no place here and are wrong, with what they are called
    consent         whether a consent must be ticked
    personnummer    whether it is asked for
    action          where it is posted, if that is another address than its own
    viewings        of a home, in order of time; `times` is the same as HTML, where nobody has chosen yet
    away            the home's times can't be read now
    interest_href   the form that a home without times is left with
    *_reminder, *_confirmation  which ticks the configuration allows; they are set until the visitor takes them away
    """

    form: FormSpec
    language: str
    languages: tuple[LanguageLink, ...]
    firm: Firm
    demo: bool
    frame_origins: str
    token: str
    referrer: str
    trap: str = ""
    title: str = ""
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[FieldMessage, ...] = ()
    notice: Notice | None = None
    action: str = ""
    slots: tuple[SlotChoice, ...] = ()
    viewings: tuple[ViewingChoice, ...] = ()
    times: Markup | None = None
    by_home: bool = False
    away: bool = False
    interest_href: str = ""
    reminder_minutes: int = 0
    extra: tuple[tuple[str, str], ...] = ()
    offer: InterestOffer | None = None
    consent: bool = False
    personnummer: bool = False
    sms_reminder: bool = False
    mail_confirmation: bool = False
    sms_confirmation: bool = False
    theme: Theme = Theme.AUTO

    @property
    def fault_of(self) -> Mapping[str, str]:
        return {fault.field: fault.message for fault in self.faults}

    @property
    def ordered_faults(self) -> list[FieldMessage]:
        """In the order of the page; faults of fields without an input come last."""
        order = self.form.fields
        return sorted(self.faults, key=lambda fault: order.index(fault.field) if fault.field in order else len(order))

    @property
    def unshown(self) -> frozenset[str]:
        """Inputs of the form that this page does without."""
        shown = {
            "slot": bool(self.slots),
            "timeSlotId": bool(self.viewings),
            "consent": self.consent,
            "socialSecurityNumber": self.personnummer,
            **dict.fromkeys(("smsReminder", "reminderTime"), self.sms_reminder),
            **dict.fromkeys(("mailConfirmation", "confirmation.isEmailEnabled"), self.mail_confirmation),
            **dict.fromkeys(("smsConfirmation", "confirmation.isSmsEnabled"), self.sms_confirmation),
        }
        return frozenset(name for name, there in shown.items() if not there)

    def has_input(self, name: str) -> bool:
        """Where a person can write or tick it."""
        return (name in self.form.fields and name not in self.unshown) or name in dict(self.extra)

    @property
    def hidden(self) -> Mapping[str, str]:
        """What the broker's own form sent and this one has no place for: sent along again."""
        return {name: text for name, text in self.values.items() if name not in OURS and not self.has_input(name)}

    def ticked(self, name: str) -> bool:
        """The submitted value, or the initial one: the ticks of a booking are set."""
        text = self.values.get(name)
        if text is None:
            return "ticks" not in self.values and name != "consent"
        return is_true(text) or text == str(self.reminder_minutes)

    @property
    def other_times(self) -> bool:
        """Whether there is a time left to try."""
        return any(not (slot.gone or slot.state) for slot in self._all_slots)

    @property
    def bookable(self) -> bool:
        """Whether there is anything to send: for a home whose times can't be read, the time that was chosen before."""
        return (
            not self.by_home
            or self.times is not None
            or self.other_times
            or (self.away and "timeSlotId" in self.values)
        )

    @property
    def _all_slots(self) -> list[SlotChoice]:
        return [*self.slots, *(slot for viewing in self.viewings for slot in viewing.slots)]

    @property
    def gone(self) -> str:
        """The times that are not, to be sent along."""
        return " ".join(slot.id for slot in self._all_slots if slot.gone)

    @property
    def unfolded(self) -> bool:
        """Whether something under "Add more details" was filled in or is wrong."""
        touched = [name for name, value in self.values.items() if value] + [fault.field for fault in self.faults]
        return any(name.startswith(FOLDED) for name in touched)


ReceiptState = Literal["received", "booked", "refused", "cancelling", "cancelled", "not-cancelled"]


@dataclass(frozen=True)
class ReceiptPage:
    """What was received. `status` is the public one; `refresh_url` is this page's own address while the outcome is
    still open; `home` and `time` of a booking are set if the embed named them, `calendar_url` once it is booked;
    `cancel_url` where its visitor may cancel it."""

    form: FormSpec
    language: str
    languages: tuple[LanguageLink, ...]
    firm: Firm
    demo: bool
    frame_origins: str
    status: str
    reference: str
    state: ReceiptState
    refresh_url: str | None
    home: str = ""
    time: tuple[str, str] | None = None
    calendar_url: str | None = None
    cancel_url: str | None = None
    theme: Theme = Theme.AUTO

    @property
    def readable_reference(self) -> str:
        """In groups of four, as it is read over the phone."""
        return " ".join(self.reference[i : i + 4] for i in range(0, len(self.reference), 4))


@dataclass(frozen=True)
class CancelPage:
    """Asks before a booking is cancelled. `home` and `time` as on its receipt, which is at `back`."""

    language: str
    languages: tuple[LanguageLink, ...]
    firm: Firm
    demo: bool
    frame_origins: str
    home: str
    time: tuple[str, str] | None
    back: str
    theme: Theme = Theme.AUTO


@dataclass(frozen=True)
class ErrorPage:
    """A page instead of a form. `kind`: "not-found", "gone", "too-large", "unsupported-media", "forbidden", "fault",
    and instead of a personal form "used", "no-contact". `firm` is None if it is not known whose page it should be."""

    language: str
    firm: Firm | None
    demo: bool
    status: int
    kind: str
    languages: tuple[LanguageLink, ...] = ()
    frame_origins: str = ""
    theme: Theme = Theme.AUTO


Page = FormPage | ReceiptPage | CancelPage | ErrorPage
