"""Trees and dotted paths of an application's members, derived from its model.

A tree maps a member's name to what it may hold: None is one value, `LIST` several values, `TICK` a boolean, and a
mapping further members.
"""

import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from app.operations.members import VitecModel

LIST = "list"
TICK = "tick"
Tree = Mapping[str, Any]
Casing = Mapping[str, tuple[str, "Casing"]]  # of a received body, see `casing_of`
# Where a form input's value goes: the path of members, and `LIST`, `TICK` or None.
Place = tuple[tuple[str, ...], str | None]
Places = Mapping[str, Place]


def member_tree(model: type[VitecModel]) -> Tree:
    """The tree of the model's members."""
    return {str(field.alias): _branch(field.annotation) for field in model.model_fields.values()}


def _branch(annotation: Any) -> Any:
    union = typing.get_origin(annotation) in {types.UnionType, typing.Union}
    for part in typing.get_args(annotation) if union else (annotation,):
        if isinstance(part, type) and issubclass(part, VitecModel):
            return member_tree(part)
        if part is bool:
            return TICK
        if typing.get_origin(part) is list:
            item = typing.get_args(part)[0]
            return {} if isinstance(item, type) and issubclass(item, VitecModel) else LIST
        if typing.get_origin(part) is typing.Annotated and (branch := _branch(typing.get_args(part)[0])) is not None:
            return branch
    return None


def nested(paths: Iterable[str]) -> Tree:
    """The tree of dotted paths. If one path is part of another, the whole member is included."""
    tree: dict[str, Any] = {}
    for path in sorted(paths, key=len, reverse=True):
        *parents, last = path.split(".")
        inner = tree
        for part in parents:
            inner = inner.setdefault(part, {})
        inner[last] = None
    return tree


def places_in(tree: Tree, person: str | None) -> Places:
    """Where each form input's value goes, by the input's name: the dotted path, which may lack the prefix of the member
    that holds the person."""
    places = dict(_places(tree, ()))
    if person:
        of_person = _places(tree[person], (person,))
        places |= {name.removeprefix(f"{person}."): place for name, place in of_person if place[0][1] not in tree}
    return places


def _places(tree: Tree, parents: tuple[str, ...]) -> Iterator[tuple[str, Place]]:
    for name, content in tree.items():
        path = (*parents, name)
        if isinstance(content, Mapping):
            yield from _places(content, path)
        else:
            yield ".".join(path), (path, content)


def normalize_names(members: Mapping[str, Any], tree: Tree, required: str | None = None) -> dict[str, Any]:
    """The members under the tree's names, ignoring case (.NET's names begin with a capital). Names that are not in the
    tree are kept. An empty list in place of an object is read as an empty object, unless it is the `required` one: PHP
    writes `"address": []` for a visitor who left all of it empty."""
    if members.keys() <= tree.keys():
        spelled = dict(members)
    else:
        names = {name.lower(): name for name in tree}
        spelled = {names.get(name.lower(), name): value for name, value in members.items()}
    for name, value in spelled.items():
        subtree = tree.get(name)
        if isinstance(value, dict) and isinstance(subtree, Mapping):
            spelled[name] = normalize_names(value, subtree)
        elif value == [] and isinstance(subtree, Mapping) and subtree and name != required:
            spelled[name] = {}
    return spelled


def pop_members(members: dict[str, Any], tree: Tree, excluded: Tree) -> dict[str, Any]:
    """Removes from `members` those that are in `tree` but not in `excluded`, ignoring case, and returns them under the
    tree's names."""
    if members.keys() <= excluded.keys():
        return {}
    names = {name.lower() for name in tree if name not in excluded}
    return normalize_names({name: members.pop(name) for name in [*members] if name.lower() in names}, tree)


def casing_of(members: Mapping[str, Any]) -> Callable[[str], str]:
    """A function that returns a dotted path in the casing of the received body."""
    as_sent = _casing(members)

    def written(dotted: str) -> str:
        inner: Casing = as_sent
        path = []
        for part in dotted.split("."):
            name, inner = inner.get(part) or inner.get(part.lower()) or (part, {})
            path.append(name)
        return ".".join(path)

    return written


def _casing(members: Any) -> Casing:
    """Each name of an object, and what is inside it, by the name and by the name in lower case. Looked up so, and not
    by going through the names for each path: a body may have hundreds of faults and hundreds of long names."""
    names = {name: (name, _casing(value)) for name, value in members.items()} if isinstance(members, dict) else {}
    return {name.lower(): named for name, named in reversed(names.items())} | names


def with_member(members: Mapping[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """A copy with another value at the dotted path. None removes the member, and parents that are empty without it."""
    name, _, rest = dotted.partition(".")
    if rest:
        current = members.get(name)
        value = with_member(current if isinstance(current, dict) else {}, rest, value) or None
    changed = {**members, name: value}
    if value is None:
        del changed[name]
    return changed


def set_member(members: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for part in parents:
        members = members.setdefault(part, {})
    members[last] = value


def leaves(members: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted path and the value of each member; a list is one value."""
    for name, value in members.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def member_at(members: Mapping[str, Any], dotted: str) -> Any:
    """The value at the dotted path; None if any part of the path is missing."""
    if "." not in dotted:
        return members.get(dotted)
    value: Any = members
    for part in dotted.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
