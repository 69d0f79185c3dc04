"""What a comparison found is laid against the register: which permit explains it, and which suspect it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from jiequ.sense.engine.filters import suppress
from jiequ.sense.engine.matching import match
from jiequ.sense.engine.results import outcome_from_json
from jiequ.sense.engine.shapes import Known, Mask

Tell = Callable[[dict[str, Any]], None]


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Suppressions and matches, one for each finding of the outcome, by its key."""
    outcome = outcome_from_json(Path(request["outcome"]).read_bytes())
    masks = [_mask(one) for one in request["masks"]]
    kept, held = suppress(outcome.findings, masks, on=date.fromisoformat(request["on"]))
    matches = match(kept, [Known(**one) for one in request["known"]])
    return {"held": [asdict(one) for one in held], "matches": [asdict(one) for one in matches]}


def _mask(told: dict[str, Any]) -> Mask:
    return Mask(**{**told, "valid_from": _day(told["valid_from"]), "valid_to": _day(told["valid_to"])})


def _day(told: str | None) -> date | None:
    return date.fromisoformat(told) if told else None
