"""What a register explains: permits, temporary works, registered demolitions, water, plants; each by a rule that is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from jiequ.sense.engine.shapes import Finding, Hint, Mask, Suppression

EXPLAINED_SHARE = 0.8  # of a finding that must lie inside what explains it; our own proposal
HEIGHT_LEEWAY_M = 1.5  # by which a building may exceed what its permit says before the permit explains it no longer
GROWTH = (Hint.NEW_BUILDING, Hint.ADDED_FLOOR, Hint.ROOF_SHED, Hint.EARTHWORKS, Hint.OTHER)
RULES: Mapping[str, tuple[Hint, ...]] = {
    "planning": GROWTH,
    "rural": GROWTH,
    "temporary": GROWTH,
    "demolition": (Hint.DEMOLITION, Hint.EARTHWORKS),
    "water": (*GROWTH, Hint.DEMOLITION),
    "vegetation": (Hint.OTHER, Hint.NEW_BUILDING, Hint.EARTHWORKS),
}
PERMITS = ("planning", "rural", "temporary")


@dataclass(frozen=True, slots=True)
class _Drawn:
    mask: Mask
    shape: BaseGeometry


def suppress(findings: Sequence[Finding], masks: Sequence[Mask], *, on: date) -> tuple[list[Finding], list[Suppression]]:
    """(what stays, what a mask explains and by which rule). ``on``: the day of the later flight.

    A permit explains a rise within 1.5 m of what it allows, never a demolition; a registered demolition explains no building;
    plants explain only what has no roof that the net or the tin saw.
    """
    drawn = [_Drawn(mask, _valid(shape(mask.geometry))) for mask in masks if holds(mask, on)]
    tree = shapely.STRtree([one.shape for one in drawn])
    kept, explained = [], []
    for finding in findings:
        why = _explained(finding, drawn, tree)
        explained.append(why) if why else kept.append(finding)
    return kept, explained


def holds(mask: Mask, on: date) -> bool:
    """Whether a mask is valid on a day, its first and last day included."""
    return (mask.valid_from is None or mask.valid_from <= on) and (mask.valid_to is None or on <= mask.valid_to)


def _valid(geometry: BaseGeometry) -> BaseGeometry:
    return geometry if geometry.is_valid else shapely.make_valid(geometry)


def _explained(finding: Finding, drawn: Sequence[_Drawn], tree: shapely.STRtree) -> Suppression | None:
    place = _valid(shape(finding.geometry))
    for number in sorted(int(n) for n in tree.query(place, "intersects")):
        mask = drawn[number].mask
        share = place.intersection(drawn[number].shape).area / place.area if place.area else 0.0
        rule = _rule(finding, mask)
        if rule and share >= EXPLAINED_SHARE:
            return Suppression(finding.key, mask.id, rule, round(share, 3))
    return None


def _rule(finding: Finding, mask: Mask) -> str:
    """The rule by which a mask of this kind explains such a finding, "" where it does not."""
    if finding.hint not in RULES.get(mask.kind, ()):
        return ""
    if mask.kind in PERMITS and mask.height_m is not None and (finding.height_m or 0.0) > mask.height_m + HEIGHT_LEEWAY_M:
        return ""
    if mask.kind == "vegetation" and (finding.tin_roof or finding.evidence.get("net", {}).get("mean", 0.0) >= 0.5):
        return ""
    return f"{mask.kind}_covers"
