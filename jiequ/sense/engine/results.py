"""What a comparison found as JSON, the same bytes for the same result."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from jiequ.sense.engine.shapes import Blind, Finding, Hint, Outcome


def outcome_to_json(outcome: Outcome) -> str:
    """Sorted and rounded: two equal outcomes are equal bytes."""
    told = _told(outcome) | {name: [_told(one) for one in getattr(outcome, name)] for name in ("findings", "blind")}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _told(record: Any) -> dict[str, Any]:
    """Its fields as they are; ``asdict`` would copy each point of each polygon."""
    return {one.name: getattr(record, one.name) for one in fields(record)}


def outcome_from_json(text: str | bytes) -> Outcome:
    """The outcome that was written."""
    data = json.loads(text)
    findings = tuple(_finding(one) for one in data["findings"])
    blind = tuple(Blind(**one) for one in data["blind"])
    return Outcome(findings, blind, tuple(data["notes"]), data["provenance"], data["compared_m2"], data["tiles"])


def _finding(data: dict[str, Any]) -> Finding:
    known = {one.name for one in fields(Finding)}
    given: dict[str, Any] = {name: value for name, value in data.items() if name in known}
    return Finding(**{**given, "hint": Hint(data["hint"])})
