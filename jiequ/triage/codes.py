"""How codes are written: what joins triage to the apps above it instead of foreign keys. Pure."""

from __future__ import annotations


def type_code(kind: str, code: str) -> str:
    """``event:0110``: a code is only unique together with its kind (DOMAIN §4)."""
    return f"{kind}:{code}"


def split_type(code: str) -> tuple[str, str]:
    """The kind and the code again; two empty strings for what is no type (``other``)."""
    kind, _, rest = code.partition(":")
    return (kind, rest) if rest else ("", "")


def groups_of(code: str) -> tuple[str, ...]:
    """The broader class of a type: the digits of its major (``event:0110`` → ``event:01``), as GB/T 30428 numbers them."""
    return (code[:-2],) if split_type(code)[1][2:] else ()
