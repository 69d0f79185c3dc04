"""Text as a spreadsheet may hold it (RELIABILITY row 30). Pure.

In XLSX a text is written as a text, so it is never worked out and stays as it is. A CSV has no types: what a program could take
for a formula gets an apostrophe in front; an honest number such as -5 stays.
"""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NUMBER = re.compile(r"[-+]?\d{1,15}([.,]\d{1,15})?%?")
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LONGEST = 32_000
"""A cell of XLSX takes 32,767 characters."""


def plain(value: object) -> str:
    """The text without characters that a file of XML cannot hold, NUL first among them."""
    return _CONTROL.sub("", str(value))[:LONGEST]


def harmless(value: object) -> str:
    """The text for a CSV: with an apostrophe where it could be taken for a formula, spaces in front of it or not."""
    text = plain(value)
    if _NUMBER.fullmatch(text):
        return text
    return f"'{text}" if text.startswith(_STARTS) or text.lstrip(" \u3000\u00a0").startswith(_STARTS) else text
