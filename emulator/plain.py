"""The state as JSON and back, by the annotations of its dataclasses."""

from __future__ import annotations

import base64
import json
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from emulator.store import State


def to_plain(value: Any) -> Any:
    """Dataclasses as dictionaries, bytes as base64: what JSON can hold."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {name: to_plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [to_plain(one) for one in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def from_plain(kind: Any, value: Any) -> Any:
    """The way back, by the annotations; a field the file lacks takes its default."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else from_plain(inside[0], value)
    if origin is dict:
        return {name: from_plain(inside[1], one) for name, one in value.items()}
    if origin is list:
        return [from_plain(inside[0], one) for one in value]
    if kind is bytes:
        return base64.b64decode(value)
    if isinstance(kind, type) and is_dataclass(kind):
        if not isinstance(value, dict):
            raise TypeError(f"{kind.__name__} is not {type(value).__name__}")
        hints = typing.get_type_hints(kind)
        given = {one.name: from_plain(hints[one.name], value[one.name]) for one in fields(kind) if one.name in value}
        return kind(**given)
    return value


def save(state: State, file: Path) -> None:
    """Write the state, whole or not at all."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(to_plain(state), ensure_ascii=False), encoding="utf-8")
    part.replace(file)


def load(file: Path) -> State | None:
    """What was saved; fields it lacks take their defaults. None if there is none that can be read."""
    try:
        found = from_plain(State, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, State) else None


def changed(thing: Any, given: dict[str, Any]) -> None:
    """Set fields of a dataclass from plain values; ValueError for an unknown one."""
    hints = typing.get_type_hints(type(thing))
    for name, value in given.items():
        if name not in hints:
            raise ValueError(f"{type(thing).__name__} has no {name}")
        setattr(thing, name, from_plain(hints[name], value))


def made(kind: type[Any], given: dict[str, Any]) -> Any:
    """A dataclass from plain values; ValueError says what lacks or is unknown."""
    known = {one.name: one for one in fields(kind)}
    unknown = set(given) - set(known)
    lacks = [
        one.name
        for one in known.values()
        if one.name not in given and one.default is MISSING and one.default_factory is MISSING
    ]
    if unknown or lacks:
        raise ValueError(f"{kind.__name__}: unknown {sorted(unknown)}, lacks {lacks}")
    return from_plain(kind, given)
