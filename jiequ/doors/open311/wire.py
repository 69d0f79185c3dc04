"""Documents as GeoReport writes them: XML, and JSON by the Spark convention. Pure; imports nothing of Django.

A document is plain values. Its XML gives each list a container, whose children have the name in ``CHILDREN``; its JSON is the
same without the names of root and children, so a list stays a list even of one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

XML_TYPE = "text/xml; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"
CSV_TYPE = "text/csv; charset=utf-8"
CHILDREN = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "endpoints": "endpoint",
    "formats": "format",
    "errors": "error",
    "notes": "note",
    "photos": "photo",
    "elsewhere": "number",
}
_is_plain = re.compile("[^&<>\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufffe\\uffff]*").fullmatch
"""No mark of XML's, and nothing that it cannot hold."""
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(root: str, value: Any) -> bytes:
    """The document as XML, in UTF-8 with its declaration."""
    parts: list[str] = ['<?xml version="1.0" encoding="utf-8"?>\n']
    _write(parts, root, value)
    return "".join(parts).encode()


def jsoned(value: Any) -> bytes:
    """The document as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def plain(text: str) -> str:
    """The text without what XML cannot hold, and no database of ours can: control characters, NUL, half characters."""
    return _UNWRITABLE.sub("", text)


def _write(parts: list[str], name: str, value: Any) -> None:
    if value is None or value == "":
        parts.append(f"<{name}/>")
    elif isinstance(value, Mapping):
        parts.append(f"<{name}>")
        for key, inner in value.items():
            if type(inner) is str and inner and _is_plain(inner):  # most of a document, so it is written without a call
                parts.append(f"<{key}>{inner}</{key}>")
            else:
                _write(parts, key, inner)
        parts.append(f"</{name}>\n")
    elif isinstance(value, list | tuple):
        _list(parts, name, value)
    else:
        parts.append(f"<{name}>{_text(value)}</{name}>")


def _list(parts: list[str], name: str, value: list[Any] | tuple[Any, ...]) -> None:
    child = CHILDREN[name]
    parts.append(f"<{name}>")
    for inner in value:
        _write(parts, child, inner)
    parts.append(f"</{name}>")


def _text(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return escape(plain(value))
    return str(value)
