"""The starter catalogue: our own event types, filing conditions and departments, as files; read here into drafts. Pure.

event_types.csv and conditions.csv name their sources and how strong each is: A a published table names the limit,
B a neighbouring type's or another place's does, C practice without a published limit, P our own proposal.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from jiequ.cases import type_rules as rules
from jiequ.core.worktime import Limit, Unit

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Entry:
    """One type of the catalogue."""

    kind: str
    code: str
    is_active: bool
    draft: rules.TypeDraft


def entries() -> list[Entry]:
    """Every type of the catalogue with its conditions, in the files' order."""
    conditions = _conditions()
    return [
        Entry(
            row["kind"],
            row["code"],
            row["is_active"] == "1",
            _draft(row, conditions[row["kind"], row["code"]]),
        )
        for row in _rows("event_types.csv")
    ]


def departments() -> Sequence[Mapping[str, str]]:
    """The departments that the types name: key, name_zh, name_en, kind. ``sq`` stands for the place's community."""
    return _rows("departments.csv")


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _conditions() -> dict[tuple[str, str], list[rules.ConditionDraft]]:
    found: dict[tuple[str, str], list[rules.ConditionDraft]] = defaultdict(list)
    for row in _rows("conditions.csv"):
        found[row["kind"], row["code"]].append(
            rules.ConditionDraft(
                key=row["key"],
                name_zh=row["name_zh"],
                name_en=row["name_en"],
                limit=Limit(Decimal(row["limit_value"]), Unit(row["limit_unit"])),
                closing_zh=row["closing_condition_zh"],
                closing_en=row["closing_condition_en"],
                proofs=rules.proofs_from_text(row["required_proofs"]),
                covers=rules.Covers(row["covers"]),
                starts=rules.Starts(row["starts"]),
                has_light=row["has_light"] == "1",
                limit_from_zh=row["limit_from_zh"],
                limit_from_en=row["limit_from_en"],
                source=row["source"],
                strength=rules.Strength(row["strength"]),
            )
        )
    return found


def _draft(row: Mapping[str, str], conditions: Sequence[rules.ConditionDraft]) -> rules.TypeDraft:
    return rules.TypeDraft(
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        major_code=row["major_code"],
        major_zh=row["major_zh"],
        major_en=row["major_en"],
        lead_department_key=row["lead_department_key"],
        assist_department_keys=tuple(row["assist_department_keys"].split()),
        priority=int(row["priority"]),
        needs_check=row["needs_check"] == "1",
        needs_verify=row["needs_verify"] == "1",
        is_confidential=row["is_confidential"] == "1",
        std_trace=row["std_trace"],
        trace_strength=rules.Strength(row["trace_strength"]),
        note=row["note"],
        conditions=tuple(conditions),
    )
