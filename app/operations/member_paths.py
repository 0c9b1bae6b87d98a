"""Trees and dotted paths of an application's members, read off its model.

A tree maps a member's name to what it may hold: None one value, `LIST` several, a mapping further members.
"""

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.operations.members import VitecModel

LIST = "list"
Tree = Mapping[str, Any]
# Where an input's value goes: the path of members, and whether there may be several.
Place = tuple[tuple[str, ...], bool]
Places = Mapping[str, Place]


def member_tree(model: type[VitecModel]) -> Tree:
    """The names that a model knows, nested."""
    return {str(field.alias): _branch(field.annotation) for field in model.model_fields.values()}


def _branch(annotation: Any) -> Any:
    union = typing.get_origin(annotation) in {types.UnionType, typing.Union}
    for part in typing.get_args(annotation) if union else (annotation,):
        if isinstance(part, type) and issubclass(part, VitecModel):
            return member_tree(part)
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
            yield ".".join(path), (path, inside == LIST)


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
    value: Any = members
    for part in dotted.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
