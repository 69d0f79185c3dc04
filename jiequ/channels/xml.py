"""The XML of callbacks and of the answers to them: a reader that a stranger cannot hurt, a writer that a text cannot break.

The reader takes at most 64 KiB of UTF-8 without a document type (so no entity can be declared), of bounded depth and count
(RELIABILITY row 14: 200,000 nested elements cost the standard readers 67–113 MB). It is fed to expat piece by piece, so
that it stops where a bound is passed.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn
from xml.parsers import expat

MOST_BYTES = 64 * 1024
MOST_DEPTH = 8
MOST_ELEMENTS = 1000
PIECE = 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Value = str | dict[str, Any] | list[Any]


class XmlError(Exception):
    """Not a message that this reader takes; the text says why, in words of ours."""


def read_xml(body: bytes) -> dict[str, Any]:
    """The fields inside ``<xml>…</xml>``: a text, a dict for an element with elements, a list for a repeated name. XmlError."""
    if len(body) > MOST_BYTES:
        raise XmlError("longer than 64 KiB")
    builder = _Builder()
    try:
        for start in range(0, len(body), PIECE):
            builder.parser.Parse(body[start : start + PIECE], False)
        builder.parser.Parse(b"", True)
    except expat.ExpatError:
        raise XmlError("not well formed") from None
    found = builder.done
    if not isinstance(found, dict):
        raise XmlError("nothing inside <xml>")
    return found


def many(value: Any) -> list[Any]:
    """A repeated element as a list: ``List`` and ``item`` come once or several times, and empty."""
    if isinstance(value, list):
        return value
    return [value] if value else []


class _Builder:
    """Collects values while expat reads. Attributes, comments and instructions do not count."""

    def __init__(self) -> None:
        self.done: Value = ""
        self._open: list[tuple[str, list[str], dict[str, Any]]] = []
        self._count = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse_doctype(self, *_given: Any) -> NoReturn:
        raise XmlError("with a document type")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._count += 1
        if not self._open and name != "xml":
            raise XmlError("the root is not <xml>")
        if len(self._open) >= MOST_DEPTH or self._count > MOST_ELEMENTS:
            raise XmlError("too deep or too many elements")
        self._open.append((name, [], {}))

    def _text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def _end(self, _name: str) -> None:
        name, texts, fields = self._open.pop()
        value: Value = fields or "".join(texts)
        if self._open:
            _put(self._open[-1][2], name, value)
        else:
            self.done = value


def _put(fields: dict[str, Any], name: str, value: Value) -> None:
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def write_xml(fields: dict[str, Any]) -> str:
    """``<xml>…</xml>``: numbers bare, texts as CDATA that no text can leave, dicts nested, lists repeated.

    Characters that XML has no way to say are left out. Raises ValueError for a name that is none: names are never a stranger's.
    """
    return f"<xml>{_inside(fields)}</xml>"


def _inside(fields: dict[str, Any]) -> str:
    return "".join(
        _element(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])
    )


def _element(name: str, value: Any) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no element")
    return f"<{name}>{_written(value)}</{name}>"


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return _inside(value)
    if isinstance(value, int | float):
        return str(value)
    text = _NO_XML.sub("", str(value))
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
