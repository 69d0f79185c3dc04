"""A cell of a table that somebody may open in a spreadsheet: never a formula (RELIABILITY 30)."""

from __future__ import annotations

import re

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")
_HONEST = re.compile(r"-|[+-]?\d+(?:[.,]\d+)?%?")


def plain_cell(text: str) -> str:
    """``text`` with an apostrophe in front where a spreadsheet would run it; honest data such as -5 stays as it is."""
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) and not _HONEST.fullmatch(text) else text
