"""Page models: typed contexts for the templates, without logic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from app.domain.fields import is_true
from app.domain.ids import grouped
from app.operations.specification import FormSpec
from app.web.rendering.theme import Theme

# By form.js: shows the form in another language, with everything that is filled in, and if it showed errors with those
# that are left.
SWITCH = "switch-language"
WITH_ERRORS = "with-errors"
CONTACT = "contact"  # the error of the pair "e-mail or phone" as a whole
# Inputs that our page sets itself, and `_charset_`, which browsers fill in.
OURS = frozenset({"token", "ticks", "gone", "return_url", "marketing.referrer", "_charset_", SWITCH, ""})
FOLDED = ("address.", "presentAccommodation.")  # the fields under "Add more details"


@dataclass(frozen=True)
class Firm:
    """The broker, as shown to visitors. `accent`, `radius` and `font` are CSS values from the configuration."""

    name: str
    phone: str | None
    email: str | None
    privacy_url: str | None
    accent: str
    radius: str
    font: str


@dataclass(frozen=True)
class LanguageLink:
    """A language in which the page is available; `label` is its name in that language."""

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
    """Why the form is shown again although it has no field errors.

    kind         "forbidden", "busy" (429), "unavailable" (503), "refused" (by Vitec)
    upstream     Vitec's own messages, with "refused"
    retry_after  seconds, with "busy" and "unavailable"
    """

    kind: str
    upstream: Sequence[str] = ()
    retry_after: int | None = None


@dataclass(frozen=True)
class SlotChoice:
    """A time to choose on the booking form, with `day` and `time` formatted. `gone`: a booking of it was refused;
    `state`: "full" or "closed" if it can't be booked."""

    id: str
    day: str
    time: str
    chosen: bool
    gone: bool = False
    state: str = ""


@dataclass(frozen=True)
class ViewingChoice:
    """The times of one viewing of a home, and the firm's comment on it."""

    comment: str
    slots: tuple[SlotChoice, ...]


@dataclass(frozen=True)
class InterestOffer:
    """The typed values as an interest in the home, ready to be sent: the form's address, its token and its inputs."""

    action: str
    token: str
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FormPage:
    """A form, empty or with everything that was typed.

    frame_origins   as `Dependencies.frame_origins`
    name            the contact's first name, on a personal page
    trap            the name of the honeypot input, which only robots fill in; "" for none
    values          the typed values, by input name; a hidden `ticks` among them means that an absent tick was removed
    extra           name and label of inputs of the broker's own form that have errors but no input on ours
    consent         whether consent must be ticked
    personnummer    whether it is asked for
    action          where the form is posted, if not to its own address
    viewings        a home's viewings in order of time; `times` is the same as HTML, if nothing has been chosen yet
    away            the home's times can't be read now
    interest_href   the interest form, offered if a home has no times
    *_reminder, *_confirmation  the ticks that the configuration allows; initially they are set
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
        """The errors in the order of the page; those of fields without an input come last."""
        order = self.form.fields
        return sorted(self.faults, key=lambda fault: order.index(fault.field) if fault.field in order else len(order))

    @property
    def unshown(self) -> frozenset[str]:
        """Inputs of the form that this page does not show."""
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
        """Whether the page has a visible input for it."""
        return (name in self.form.fields and name not in self.unshown) or name in dict(self.extra)

    @property
    def hidden(self) -> Mapping[str, str]:
        """Values from the broker's own form without an input on ours: they are posted again as hidden inputs."""
        return {name: text for name, text in self.values.items() if name not in OURS and not self.has_input(name)}

    def ticked(self, name: str) -> bool:
        """Whether the tick is set: as submitted, or initially, when a booking's ticks are set."""
        text = self.values.get(name)
        if text is None:
            return "ticks" not in self.values and name != "consent"
        return is_true(text) or text == str(self.reminder_minutes)

    @property
    def other_times(self) -> bool:
        """Whether another time can be booked."""
        return any(not (slot.gone or slot.state) for slot in self._all_slots)

    @property
    def bookable(self) -> bool:
        """Whether the form can be sent; if a home's times can't be read, only with a time that was chosen before."""
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
        """Ids of the times that could not be booked, for a hidden input."""
        return " ".join(slot.id for slot in self._all_slots if slot.gone)

    @property
    def unfolded(self) -> bool:
        """Whether a field under "Add more details" is filled in or has an error."""
        touched = [name for name, value in self.values.items() if value] + [fault.field for fault in self.faults]
        return any(name.startswith(FOLDED) for name in touched)


ReceiptState = Literal["received", "booked", "refused", "cancelling", "cancelled", "not-cancelled"]


@dataclass(frozen=True)
class ReceiptPage:
    """The receipt of a submission. `status` is the public one. `refresh_url` is this page's own address while the
    outcome is open. Of a booking, `home` and `time` are set if the embed named them, `calendar_url` once it is booked,
    and `cancel_url` if the visitor may cancel it."""

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
        return grouped(self.reference)


@dataclass(frozen=True)
class CancelPage:
    """Asks for confirmation before a booking is cancelled. `home` and `time` are those of its receipt, at `back`."""

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
    """A page instead of a form. `kind`: "not-found", "gone", "too-large", "unsupported-media", "forbidden" or "fault";
    instead of a personal form also "used" or "no-contact". `firm` is None if the customer is unknown."""

    language: str
    firm: Firm | None
    demo: bool
    status: int
    kind: str
    languages: tuple[LanguageLink, ...] = ()
    frame_origins: str = ""
    theme: Theme = Theme.AUTO


Page = FormPage | ReceiptPage | CancelPage | ErrorPage
