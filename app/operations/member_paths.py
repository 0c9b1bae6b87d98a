"""Trees and dotted paths of an application's members, read off its model.

A tree maps a member's name to what it may hold: None one value, `LIST` several, `TICK` true or false, a mapping
further members.
"""

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.operations.members import VitecModel

LIST = "list"
TICK = "tick"
Tree = Mapping[str, Any]
# Where an input's value goes: the path of members, and `LIST`, `TICK` or None.
Place = tuple[tuple[str, ...], str | None]
Places = Mapping[str, Place]


def member_tree(model: type[VitecModel]) -> Tree:
    """The names that a model knows, nested."""
    return {str(field.alias): _branch(field.annotation) for field in model.model_fields.values()}


def _branch(annotation: Any) -> Any:
    union = typing.get_origin(annotation) in {types.UnionType, typing.Union}
    for part in typing.get_args(annotation) if union else (annotation,):
        if isinstance(part, type) and issubclass(part, VitecModel):
            return member_tree(part)
        if part is bool:
            return TICK
        if typing.get_origin(part) is list:
            inside = typing.get_args(part)[0]
            return {} if isinstance(inside, type) and issubclass(inside, VitecModel) else LIST
        if typing.get_origin(part) is typing.Annotated and (inside := _branch(typing.get_args(part)[0])) is not None:
            return inside
    return None


def nested(paths: Iterable[str]) -> Tree:
    """A tree of dotted paths; a member that a shorter path names is taken whole."""
    tree: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):
        *above, last = path.split(".")
        inner = tree
        for part in above:
            inner = inner.setdefault(part, {})
        inner[last] = None
    return tree


def places_in(tree: Tree, person: str | None) -> Places:
    """Where each form input's value goes, by the input's name: the dotted path, or the same without the prefix of the
    member that holds the person."""
    places = dict(_places(tree, ()))
    if person:
        inside = _places(tree[person], (person,))
        places |= {name.removeprefix(f"{person}."): place for name, place in inside if place[0][1] not in tree}
    return places


def _places(tree: Tree, above: tuple[str, ...]) -> Iterator[tuple[str, Place]]:
    for name, inside in tree.items():
        path = (*above, name)
        if isinstance(inside, Mapping):
            yield from _places(inside, path)
        else:
            yield ".".join(path), (path, inside)


def as_spelled(members: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    """The members by the tree's names, in whatever casing they came (.NET's have a capital letter); what is not in the
    tree stays as it is."""
    if members.keys() <= tree.keys():
        spelled = dict(members)
    else:
        names = {name.lower(): name for name in tree}
        spelled = {names.get(name.lower(), name): value for name, value in members.items()}
    for name, value in spelled.items():
        if isinstance(value, dict) and isinstance(inside := tree.get(name), Mapping):
            spelled[name] = as_spelled(value, inside)
    return spelled


def taken_out(members: dict[str, Any], tree: Tree, excluded: Tree) -> dict[str, Any]:
    """The members of a tree, in whatever casing, that another does not know. They are taken away from `members`."""
    if members.keys() <= excluded.keys():
        return {}
    names = {name.lower() for name in tree if name not in excluded}
    return as_spelled({name: members.pop(name) for name in [*members] if name.lower() in names}, tree)


def as_sent(dotted: str, members: Mapping[str, Any]) -> str:
    """A dotted path in the casing of a body as it came."""
    inner: Any = members
    path = []
    for part in dotted.split("."):
        names = inner if isinstance(inner, dict) else {}
        path.append(part if part in names else next((name for name in names if name.lower() == part.lower()), part))
        inner = names.get(path[-1])
    return ".".join(path)


def with_member(members: Mapping[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a dotted path; without the member, and what holds nothing else, where it is None."""
    name, _, inside = dotted.partition(".")
    if inside:
        above = members.get(name)
        value = with_member(above if isinstance(above, dict) else {}, inside, value) or None
    changed = {**members, name: value}
    if value is None:
        del changed[name]
    return changed


def set_member(members: dict[str, Any], dotted: str, value: Any) -> None:
    *above, last = dotted.split(".")
    for part in above:
        members = members.setdefault(part, {})
    members[last] = value


def leaves(members: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Each value with its dotted path; a list is one value."""
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{above}{name}.")
        else:
            yield above + name, value


def member_at(members: Mapping[str, Any], dotted: str) -> Any:
    """The value at a dotted path; None where any part of the path is missing."""
    if "." not in dotted:
        return members.get(dotted)
    value: Any = members
    for part in dotted.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
