"""What a visitor can do about the time: choose one, and when it couldn't be booked another one, or send the same as an
interest in the home."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from app.domain.marketing import is_tag
from app.web.messages import SAME
from app.web.pages import FIELDS, InterestOffer, Notice, SlotChoice
from app.web.visit import Visit

KEPT = frozenset({*FIELDS["interest"], "email.emailAddress2", "marketing.referrer", "return_url", *SAME.values()})
TOLD = frozenset({"title", "lang", "referrer"})  # of the page's query, besides the tags


def slot_choices(visit: Visit, values: Mapping[str, str], notice: Notice | None) -> Iterator[SlotChoice]:
    """The times that the embed told of. `gone` remembers those that Vitec refused while this visitor tried."""
    if not visit.slots:
        return
    gone = set(values.get("gone", "").split())
    if notice and notice.kind == "refused":
        gone.add(visit.resource[-1])
    chosen = values.get("slot", visit.resource[-1])
    for slot in visit.slots:
        refused = slot.id in gone
        day, time = slot.said(visit.language, visit.gettext)
        yield SlotChoice(slot.id, day, time, chosen=slot.id == chosen and not refused, gone=refused)


def interest_offer(visit: Visit, values: Mapping[str, str]) -> InterestOffer | None:
    """Where the embed named the home."""
    if not visit.estate:
        return None
    path = f"/Advertising/Estate/{visit.customer.id}/{visit.estate}/interest"
    query = urlencode([(name, value) for name, value in visit.query if name in TOLD or is_tag(name)])
    named = {SAME.get(name, name): value for name, value in values.items()}
    return InterestOffer(
        action=f"{path}?{query}" if query else path,
        token=visit.site.tokens.issue(path),
        values={name: value for name, value in named.items() if name in KEPT or is_tag(name)},
    )
