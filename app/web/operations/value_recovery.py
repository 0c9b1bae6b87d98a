"""Recovery of optional values that are invalid: a second phone number moves to the other phone field, and a
value that can't be understood becomes a line of the message, for a person to read.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.domain.field_errors import FieldError
from app.domain.phones import split_phones
from app.i18n import GetText
from app.operations.member_labels import member_label
from app.operations.member_paths import member_at, with_member
from app.operations.specification import PostSpec

FOR_A_PERSON = frozenset({"invalid_phone", "invalid_number", "invalid_datetime"})


def split_phone_numbers(
    spec: PostSpec, members: Mapping[str, Any], faults: Iterable[FieldError], country: str
) -> dict[str, Any] | None:
    """The members with the first number of a field that holds several in that field, the second in the other phone
    field, and the rest at the end of the message. None if no field holds several."""
    split: dict[str, Any] | None = None
    for fault in faults:
        value = member_at(members, fault.field) if fault.code == "invalid_phone" else None
        numbers = split_phones(value, country) if isinstance(value, str) else []
        if not numbers or not (spec.other_phone or spec.message):
            continue
        first, *more = numbers
        split = with_member(split or members, fault.field, first)
        if spec.other_phone and not member_at(split, spec.other_phone):
            split = with_member(split, spec.other_phone, more.pop(0))
        split = _with_lines(spec, split, more) if spec.message else split
    return split


def invalid_to_message(
    spec: PostSpec, members: Mapping[str, Any], faults: Sequence[FieldError], gettext: GetText
) -> dict[str, Any] | None:
    """The members without invalid values, each of which becomes a line of the message: "Boarea: ungefär 70". None if
    there is no message member, or another fault to correct: then the visitor sees all faults at once."""
    if not spec.message or any(fault.code not in FOR_A_PERSON for fault in faults):
        return None
    valid: dict[str, Any] = dict(members)
    lines = []
    for fault in faults:
        value = member_at(members, fault.field)
        if not isinstance(value, str):
            return None
        valid = with_member(valid, fault.field, None)
        lines.append(f"{member_label(fault.field, gettext)}: {value.strip()}")
    return _with_lines(spec, valid, lines)


def _with_lines(spec: PostSpec, members: Mapping[str, Any], lines: Sequence[str]) -> dict[str, Any]:
    message = member_at(members, spec.message)
    if not lines or not (message is None or isinstance(message, str)):
        return dict(members)
    return with_member(members, spec.message, "\n\n".join(filter(None, [message, "\n".join(lines)])))
