"""The fields of template and subscription messages: which are asked, and what each type admits.

Since 2023-05-04 first line, remark and colours are dropped and a field holds 20 characters without line breaks.
"""

from __future__ import annotations

import re
from typing import Any

from emulator.errors import ApiError
from emulator.store import Template

FIELD = re.compile(r"\{\{\s*(\w+)\.DATA\s*\}\}")
DROPPED = ("first", "remark")
ASCII = re.compile(r"[\x20-\x7e]{1,32}")
DATE = r"\d{4}(?:年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2})"
CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
MOMENT = rf"(?:{DATE}(?: ?{CLOCK})?|{CLOCK})"
TYPES: dict[str, re.Pattern[str]] = {
    "thing": re.compile(r"[^\r\n]{1,20}"),
    "number": re.compile(r"-?\d{1,32}(?:\.\d{1,31})?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s\u4e00-\u9fff]{1,5}"),
    "character_string": ASCII,
    "time": re.compile(rf"{MOMENT}(?:~{MOMENT})?"),
    "date": re.compile(rf"{DATE}(?: ?{CLOCK})?(?:~{DATE}(?: ?{CLOCK})?)?"),
    "amount": re.compile(r"[^\d\s]?\d{1,10}(?:\.\d{1,2})?元?"),
    "phone_number": re.compile(r"[\d+\-() ]{1,17}"),
    "car_number": re.compile(r"[\u4e00-\u9fff]?[A-Z][A-Z0-9]{4,6}[\u4e00-\u9fff]?"),
    "name": re.compile(r"[\u4e00-\u9fff·]{1,10}|[A-Za-z][A-Za-z .'-]{0,19}"),
    "phrase": re.compile(r"[\u4e00-\u9fff]{1,5}"),
}
KEYWORD = re.compile(r"[^\r\n]{1,20}")


def names(template: Template) -> list[str]:
    """The fields it shows, in order; first line and remark of old templates are no more."""
    return [name for name in FIELD.findall(template.content) if name not in DROPPED]


def check(template: Template, data: Any) -> dict[str, str]:
    """The values by field; 47003 names the first wrong one. What the template does not ask for is ignored."""
    if not isinstance(data, dict):
        raise ApiError(47001)
    found = {}
    for name in names(template):
        value = data.get(name)
        text = value.get("value") if isinstance(value, dict) else None
        if text is None or str(text) == "":
            raise ApiError(47003, words=f"argument invalid! data.{name}.value is empty")
        if not _fits(template, name, str(text)):
            raise ApiError(47003, words=f"argument invalid! data.{name}.value invalid")
        found[name] = str(text)
    return found


def _fits(template: Template, name: str, text: str) -> bool:
    kind = name.rstrip("0123456789")
    if kind in ("const", "enum"):
        return text in template.enums.get(name, [text])
    return bool(TYPES.get(kind, KEYWORD).fullmatch(text))


def shown(template: Template, values: dict[str, str]) -> list[list[str]]:
    """Label and value of each line of the card."""
    lines = []
    for line in template.content.splitlines():
        if (asked := FIELD.search(line)) and asked[1] in values:
            lines.append([line[: asked.start()].strip().rstrip("：:"), values[asked[1]]])
    return lines
