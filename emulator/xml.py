"""The XML of pushes and passive replies, to and from plain dictionaries."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

LARGEST = 64 * 1024


class XmlError(Exception):
    """Not a message in XML."""


def to_xml(fields: dict[str, Any]) -> str:
    """``<xml>…</xml>``: texts as CDATA, numbers bare, dictionaries and lists as nested elements."""
    return f"<xml>{_inside(fields)}</xml>"


def _inside(fields: dict[str, Any]) -> str:
    found = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            found.append(f"<{name}>{_value(one)}</{name}>")
    return "".join(found)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return _inside(value)
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    # A text cannot hold the end of its own CDATA.
    return escape(text) if "]]>" in text else f"<![CDATA[{text}]]>"


def from_xml(text: str) -> dict[str, Any]:
    """The fields of a message; repeated elements become a list. XmlError for anything else."""
    if len(text) > LARGEST or "<!DOCTYPE" in text.upper():
        raise XmlError("too large, or with a document type")
    try:
        root = ElementTree.fromstring(text)
        fields = _fields(root)
    except (ElementTree.ParseError, RecursionError) as fault:
        raise XmlError(str(fault)) from fault
    if root.tag != "xml" or not isinstance(fields, dict):
        raise XmlError("not <xml>…</xml>")
    return fields


def _fields(element: ElementTree.Element) -> Any:
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        value = _fields(child)
        if child.tag in found:
            before = found[child.tag]
            found[child.tag] = [*before, value] if isinstance(before, list) else [before, value]
        else:
            found[child.tag] = value
    return found
