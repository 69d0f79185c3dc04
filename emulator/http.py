"""Requests and answers as the emulator's handlers see them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from emulator.errors import ApiError


def parsed(text: str) -> Any:
    """JSON; ValueError for other text, for what is nested too deep, and for half a character, which no answer could hold."""
    try:
        found = json.loads(text)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as fault:
        raise ValueError("nested too deep") from fault
    return found


@dataclass
class File:
    """One part of a form with a file name."""

    name: str
    kind: str
    data: bytes


@dataclass
class Request:
    """One request. ``base`` is how the caller reached us (``http://127.0.0.1:8140``); ``person``: whose phone asks."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    client: str = "127.0.0.1"
    params: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Scheme and host."""
        return "http://" + self.headers.get("host", "127.0.0.1")

    def json(self) -> dict[str, Any]:
        """The body as an object, with WeChat's refusals: 44002 empty, 47001 not JSON or no object."""
        if not self.body.strip():
            raise ApiError(44002)
        try:
            found = parsed(self.body.decode())
        except ValueError as fault:
            raise ApiError(47001) from fault
        if not isinstance(found, dict):
            raise ApiError(47001)
        return found

    def form(self) -> dict[str, str]:
        """A form's plain fields."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def files(self) -> dict[str, File]:
        """The files of a multipart form by field name."""
        found = re.search(r'boundary="?([^";]+)"?', self.headers.get("content-type", ""))
        if not found:
            return {}
        parts = self.body.split(b"--" + found[1].encode())[1:-1]
        return dict(one for part in parts if (one := _file(part)))


def _file(part: bytes) -> tuple[str, File] | None:
    head, _gap, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    words = head.decode("utf-8", "replace")
    field_name = re.search(r'\bname="?([^";\r\n]+)"?', words)
    name = re.search(r'\bfilename="?([^";\r\n]*)"?', words)
    kind = re.search(r"(?i)^content-type:\s*(\S+)", words, re.MULTILINE)
    if not field_name or not name:
        return None
    return field_name[1], File(name[1], kind[1] if kind else "", data.removesuffix(b"\r\n"))


@dataclass
class Answer:
    """One answer; ``stream`` instead of ``body`` for what does not end."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    stream: AsyncIterator[bytes] | None = None


def as_json(value: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(json.dumps(value, ensure_ascii=False).encode(), status)


def page(html: str, status: int = 200) -> Answer:
    """An answer in HTML."""
    return Answer(html.encode(), status, "text/html; charset=utf-8")


def redirect(url: str) -> Answer:
    """Go there."""
    return Answer(b"", 302, "text/plain", {"location": url})
