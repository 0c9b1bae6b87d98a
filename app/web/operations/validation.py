"""Validation of a body into an application: removes what the caller may not set, and reports all faults at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from app.domain.characters import normalized
from app.domain.countries import country_code
from app.domain.datetimes import STOCKHOLM
from app.domain.field_errors import FieldError, field_errors_of
from app.domain.fields import ReadContext, is_true
from app.domain.marketing import Marketing, is_tag, normalize_marketing, tags_in
from app.domain.phones import SWEDEN
from app.i18n import GetText
from app.operations.member_paths import Tree, member_at, member_tree, pop_members, set_member
from app.operations.members import Approval, MarketingMember, VitecModel
from app.operations.specification import SOCIAL_SECURITY_NUMBER, PostSpec
from app.web.operations.body import CONSENT, Body
from app.web.operations.value_recovery import invalid_to_message, split_phone_numbers

APPROVAL = member_tree(Approval)


@dataclass(slots=True)
class ValidationContext:
    """What validation depends on besides the body: the customer, the caller, the configuration. `address_members` are
    members taken from the address; `filled` are the names of those that the configuration can fill in; `gettext` is in
    the firm's language."""

    customer_id: str
    with_key: bool
    collect_personnummer: bool
    consent_required: bool
    now: datetime
    address_members: Mapping[str, Any] = field(default_factory=dict)
    filled: frozenset[str] = frozenset()
    gettext: GetText = str


@dataclass(slots=True)
class ValidationResult:
    """Either `faults` or an `application`. `consented_at`: when the box was ticked or the approval given; None if there
    was no consent, or if the application itself holds the time."""

    application: VitecModel | None
    consented_at: datetime | None
    faults: tuple[FieldError, ...]


def validate(spec: PostSpec, body: Body, rules: ValidationContext) -> ValidationResult:
    """The application, or all faults at once, in the order of the form."""
    if body.faults:
        return ValidationResult(None, None, body.faults)
    members = dict(body.members) if body.form else _json_members(spec, body)
    if spec.person:
        members.setdefault(spec.person, {})  # so that each missing name is reported
    consented_at, faults = _consented_at(spec, body, members, rules)
    if "ticks" in body.typed:  # our form had the checkboxes, so a missing one was unticked
        members = _with_ticks(spec, members)
    faults += _personnummer_faults(spec, members, body.form, rules)
    if not rules.with_key:
        members = _only(members, spec.tree, spec.settable(rules.collect_personnummer))
    members |= rules.address_members
    context = ReadContext(body.form, rules.now, _country(spec, body, members), visitor=not rules.with_key)

    def attempt(members: Mapping[str, Any]) -> ValidationResult:
        application, all_faults = None, faults
        try:
            application = spec.model.model_validate(members, context=context)
        except ValidationError as error:
            all_faults = field_errors_of(error) + all_faults
        all_faults = all_faults + _beyond_fields(spec, members, rules)
        is_wrong = any(fault.field == CONSENT for fault in faults)
        if not is_wrong and not _consent_is_enough(spec, members, consented_at, body.form, rules):
            all_faults.append(FieldError(CONSENT, "consent_required"))
        return ValidationResult(None if all_faults else application, consented_at, tuple(all_faults))

    result = attempt(members)
    if result.faults and (split := split_phone_numbers(spec, members, result.faults, context.country)):
        members, result = split, attempt(split)
    if (
        result.faults
        and not rules.with_key
        and (repaired := invalid_to_message(spec, members, result.faults, rules.gettext))
    ):
        lenient = attempt(repaired)
        return result if lenient.faults else lenient
    return result


def _json_members(spec: PostSpec, body: Body) -> dict[str, Any]:
    """The members of a JSON body. Tags sent beside them are moved to `body.tags`."""
    members = dict(body.members)
    if members.keys() <= spec.json_tree.keys():
        return members
    tags = {name: value for name, value in members.items() if name not in spec.tree and is_tag(name)}
    if tags:
        body.tags = tuple(tags_in(tags))
    return {name: value for name, value in members.items() if name not in tags}


def _country(spec: PostSpec, body: Body, members: Mapping[str, Any]) -> str:
    """The country of the person's address, also from a form whose operation has no such member at Vitec; default
    Sweden."""
    typed = body.typed
    value = member_at(members, spec.country) or typed.get(spec.country) or typed.get("address.countryCode")
    return (country_code(normalized(value)) if isinstance(value, str) else None) or SWEDEN


def _with_ticks(spec: PostSpec, members: Mapping[str, Any]) -> dict[str, Any]:
    ticked = dict(members)
    for name, taken_away in spec.ticks.items():
        if member_at(ticked, name) is None:
            set_member(ticked, name, taken_away)
    return ticked


def _consented_at(
    spec: PostSpec, body: Body, members: dict[str, Any], rules: ValidationContext
) -> tuple[datetime | None, list[FieldError]]:
    """When consent was given: by the checkbox, or also by Vitec's own members in JSON, and in a form that need not have
    the checkbox. Removes from `members` those that Vitec's body has no place for."""
    if body.form:
        needs_tick = rules.consent_required and not rules.with_key
        ticked = is_true(body.typed.get(CONSENT)) or (not needs_tick and is_true(member_at(members, spec.approval)))
        return _second_of(rules) if ticked else None, []
    ticked = members.pop(CONSENT, None)
    given_at, faults = _approval(spec, members, rules) if spec.asks_consent else (None, [])
    if not isinstance(ticked, bool | None):
        faults.append(FieldError(CONSENT, "wrong_type"))
    elif ticked or (spec.approval and member_at(members, spec.approval) is True):
        given_at = given_at or _second_of(rules)
    return given_at, faults


def _second_of(rules: ValidationContext) -> datetime:
    """The second of receipt, as Stockholm's clocks show it."""
    return _stockholm_second(int(rules.now.timestamp()))


@lru_cache(maxsize=2)
def _stockholm_second(timestamp: int) -> datetime:
    """With a fixed offset: a zone looks for its own each time that the moment is written."""
    moment = datetime.fromtimestamp(timestamp, STOCKHOLM)
    return moment.replace(tzinfo=timezone(moment.utcoffset() or timedelta()))


def _approval(
    spec: PostSpec, members: dict[str, Any], rules: ValidationContext
) -> tuple[datetime | None, list[FieldError]]:
    """When approval was given, from approval members that this operation's body, or its person, has no place for.
    Removes them from `members`."""
    given_at, faults = None, []
    places: list[tuple[str, Tree, dict[str, Any]]] = [("", spec.tree, members)]
    if spec.person and isinstance(person := members.get(spec.person), dict):
        members[spec.person] = person = dict(person)
        places.append((f"{spec.person}.", spec.person_tree, person))
    for above, tree, inside in places:
        if approval := pop_members(inside, APPROVAL, tree):
            try:
                parsed = Approval.model_validate(approval, context=ReadContext(form=False, now=rules.now))
                given_at = given_at or parsed.given_at(_second_of(rules))
            except ValidationError as error:
                faults += [replace(fault, field=above + fault.field) for fault in field_errors_of(error)]
    return given_at, faults


def _consent_is_enough(
    spec: PostSpec, members: Mapping[str, Any], consented_at: datetime | None, form: bool, rules: ValidationContext
) -> bool:
    """Whether there is consent if any is required. With a key, asking the person is the caller's duty; in JSON, Vitec's
    own approval member counts too."""
    if consented_at or rules.with_key or not rules.consent_required:
        return True
    return not form and bool(spec.approval) and member_at(members, spec.approval) not in (None, False)


def _personnummer_faults(
    spec: PostSpec, members: Mapping[str, Any], form: bool, rules: ValidationContext
) -> list[FieldError]:
    """The fault of a public JSON post with a personnummer that may not carry one. In a form it is just removed, and so
    is the mark of a foreign one without a number: a .NET client sends all its booleans."""
    if rules.with_key or rules.collect_personnummer or form or SOCIAL_SECURITY_NUMBER not in spec.person_tree:
        return []
    name = spec.dotted(SOCIAL_SECURITY_NUMBER)
    return [FieldError(name, "not_allowed")] if member_at(members, name) is not None else []


def _only(members: Mapping[str, Any], tree: Tree, settable: Tree) -> dict[str, Any]:
    """The members that a caller without a key may set, and unknown ones, which validation then refuses."""
    allowed = {}
    for name, value in members.items():
        if name not in tree:
            allowed[name] = value
        elif name in settable:
            inside = settable[name]
            allowed[name] = value if inside is None or not isinstance(value, dict) else _only(value, tree[name], inside)
    return allowed


def _beyond_fields(spec: PostSpec, members: Mapping[str, Any], rules: ValidationContext) -> list[FieldError]:
    """Faults by rules on several members, which pydantic would not check while one of them is invalid."""
    missing = [name for name in spec.required if member_at(members, name) is None and name not in rules.filled]
    faults = [FieldError(name, "required") for name in missing]
    if spec.reach and all(member_at(members, name) is None for name in spec.reach):
        faults.append(FieldError(spec.reach[0], "contact_required"))
    name = spec.customer
    if name and member_at(members, name) not in (None, rules.customer_id):
        faults.append(FieldError(name, "customer_mismatch"))
    return faults


def marketing_of(
    body: Body, application: VitecModel, query: Iterable[tuple[str, str]], referer: str | None
) -> Marketing:
    """The tags in the post's query (our form copies its page's query), then those in the body; and the page, from the
    body, the query or the `Referer` header, in this order."""
    member: MarketingMember | None = getattr(application, "marketing", None)
    pairs = [pair for pair in query if is_tag(pair[0])]
    pairs += body.tags
    pages = [next((value for name, value in query if name == "referrer"), None), referer]
    if member:
        pairs += [(tag.name, tag.value) for tag in member.utm_tags or ()]
        pages.insert(0, member.referrer)
    return normalize_marketing(pairs, pages)
