"""What other GeoReport servers answer, read leniently: XML or JSON, numbers or texts, missing fields, a list that is not one.

Pure; imports nothing of Django. Everything becomes rows of texts. A document type is refused (no entity is ever expanded), and
so is a document that is nested deeper than any of the specification's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from .wire import CHILDREN, plain

DEEPEST = 12
MOST_TEXT = 10_000
_SINGLE = frozenset(CHILDREN.values())


class Unreadable(ValueError):
    """The body is neither XML nor JSON of any shape that we know."""


@dataclass(slots=True)
class _Element:
    name: str
    text: list[str] = field(default_factory=list)
    children: list[_Element] = field(default_factory=list)


def rows(body: bytes) -> list[dict[str, Any]]:
    """The records of a list; a single record is a list of one. Unreadable for anything else."""
    value = parsed(body)
    if isinstance(value, dict):
        lists = [inner for inner in value.values() if isinstance(inner, list)]
        has_only_a_list = len(value) == 1 and len(lists) == 1
        value = lists[0] if has_only_a_list else [value] if value else []
    if not isinstance(value, list):
        raise Unreadable("no list")
    return [one for one in value if isinstance(one, dict)]


def text(row: dict[str, Any], name: str) -> str:
    """A field as text that can be stored (JSON may hold a NUL, or half a character).

    "" where it is missing, null or no plain value.
    """
    value = row.get(name)
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(str(value)).strip()[:MOST_TEXT]


def number(row: dict[str, Any], name: str) -> float | None:
    """A field as a number; None where it is none."""
    try:
        value = float(text(row, name))
    except ValueError:
        return None
    return value if value == value and abs(value) <= 180 else None


def parsed(body: bytes) -> Any:
    """The document as plain values, by what it is rather than by what it is called. Unreadable for neither."""
    start = body.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1]  # whatever marks the encoding, too
    if start == b"<":
        root = _tree(body)
        return _listed(root) if root.name in CHILDREN else _value(root)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("neither XML nor JSON") from None


def _listed(element: _Element) -> list[Any]:
    return [_value(child) for child in element.children]


def _value(element: _Element) -> Any:
    if not element.children:
        return "".join(element.text).strip() or ([] if element.name in CHILDREN else None)
    if element.name in CHILDREN or all(child.name in _SINGLE for child in element.children):
        return _listed(element)
    return {child.name: _value(child) for child in element.children}


def _tree(body: bytes) -> _Element:
    root = _Element("")
    path = [root]
    parser = expat.ParserCreate(namespace_separator="|")

    def begin(name: str, _attributes: Any) -> None:
        if len(path) > DEEPEST:
            raise Unreadable("nested too deep")
        element = _Element(name.rpartition("|")[2])
        path[-1].children.append(element)
        path.append(element)

    def end(_name: str) -> None:
        path.pop()

    def refuse(*_what: Any) -> None:
        raise Unreadable("a document type")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = lambda data: path[-1].text.append(data)
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(str(error)) from None
    return root.children[0]
