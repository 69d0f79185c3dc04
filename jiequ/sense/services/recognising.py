"""What a comparison found is kept: findings, blind places, suppressions with their rule, and the suspects that they are.

The register and the suspects are laid against the findings by the engine, in the child. A suspect that somebody changed
meanwhile makes the job try again: nothing is decided on an old reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from shapely.geometry import Point, shape
from shapely.ops import unary_union

from jiequ.core.bulk import store
from jiequ.core.db import writing
from jiequ.core.ids import next_numbers

from ..engine.shapes import Finding as Found
from ..engine.shapes import Outcome
from ..ground import area_m2
from ..models import Blind, Comparison, Finding, Permit, Reflight, Suspect, SuspectState
from ..queries.permits import meeting
from . import queueing

PREFIX = "TB"
NEAR_DEGREES = 0.0005  # some fifty metres: what may be the same thing lies within
CLOSED = (SuspectState.CONFIRMED, SuspectState.LAWFUL, SuspectState.QUIET)
REOPENING = ("grown", "storey")
SECOND_READ_OF = 10  # one in ten is read by a second person
Bounds = tuple[float, float, float, float]


class Changed(Exception):
    """A suspect was changed between reading and storing: the job tries again."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Suppressions and matches by the finding's key, the suspects as they were when that was said, and what is blind in m²."""

    held: Mapping[str, Mapping[str, Any]]
    matches: Mapping[str, Mapping[str, Any]]
    suspects: Mapping[int, Suspect]
    blind_m2: float


def question(row: Comparison, outcome: Outcome) -> tuple[dict[str, Any], dict[int, Suspect]]:
    """What the child is asked: permits in force and suspects near what was found. Two SELECTs."""
    bounds = bounds_of([one.geometry for one in outcome.findings])
    masks = [] if bounds is None or row.in_pixels else [_mask(one) for one in meeting(row.street_id, bounds).order_by("pk")]
    near = [] if bounds is None or row.in_pixels else list(_suspects(row.street_id, bounds))
    asked = {
        "masks": masks, "known": [_known(one, row.before_on) for one in near], "on": row.after_on.isoformat()
    }  # fmt: skip
    return asked, {one.pk: one for one in near}


def recognised(row: Comparison, outcome: Outcome, told: Mapping[str, Any], suspects: Mapping[int, Suspect]) -> Recognised:
    """The child's answer, by keys; what can be reckoned before the transaction is."""
    held, matches = ({one["key"]: one for one in told[name]} for name in ("held", "matches"))
    return Recognised(held, matches, suspects, _blind_m2(row, outcome))


def keep(row: Comparison, seen: Recognised, outcome: Outcome, sha256: str, at: datetime) -> None:
    """All of it, in one transaction with the end of the job; nothing where somebody stopped the comparison."""
    with writing():
        done = {
            "state": Comparison.State.DONE, "ended_at": at, "stage": "", "notes": list(outcome.notes),
            "provenance": dict(outcome.provenance), "outcome_sha256": sha256, "compared_m2": outcome.compared_m2,
            "blind_m2": seen.blind_m2, "found": len(outcome.findings) - len(seen.held),
            "held_back": len(seen.held),
        }  # fmt: skip
        if not Comparison.objects.filter(pk=row.pk, state=Comparison.State.RUNNING).update(**done):
            return
        suspects = {} if row.in_pixels else _suspects_of(row, seen, outcome.findings, at)
        findings = [_finding(row, one, seen, suspects.get(one.key)) for one in outcome.findings]
        store(findings)
        store([Blind(comparison=row, geometry=dict(one.geometry), reason=one.reason, path=one.path, area_m2=one.area_m2)
               for one in outcome.blind])  # fmt: skip
        _latest(findings)
        if not row.in_pixels:
            _flown_again(row, at)
            queueing.reorder(row.street_id)


def _blind_m2(row: Comparison, outcome: Outcome) -> float:
    """What at least one path cannot speak of, each place counted once; pixels where shapes are pixels."""
    places = unary_union([shape(one.geometry).buffer(0) for one in outcome.blind])
    return round(float(places.area) if row.in_pixels else area_m2(places), 1)


def bounds_of(geometries: Sequence[Any]) -> Bounds | None:
    """West, south, east, north of all of them; None for none."""
    if not geometries:
        return None
    west, south, east, north = unary_union([shape(one).envelope for one in geometries]).bounds
    return west, south, east, north


def _suspects(street_id: int, bounds: Bounds) -> list[Suspect]:
    west, south, east, north = bounds
    near = Q(lon__range=(west - NEAR_DEGREES, east + NEAR_DEGREES), lat__range=(south - NEAR_DEGREES, north + NEAR_DEGREES))
    return list(Suspect.objects.filter(near, street_id=street_id).exclude(state=SuspectState.MERGED).order_by("pk"))


def _mask(permit: Permit) -> dict[str, Any]:
    return {
        "id": str(permit.pk), "kind": permit.kind, "geometry": permit.geometry, "height_m": permit.height_m,
        "valid_from": permit.valid_from.isoformat() if permit.valid_from else None,
        "valid_to": permit.valid_to.isoformat() if permit.valid_to else None,
    }  # fmt: skip


def _known(suspect: Suspect, before_on: date) -> dict[str, Any]:
    """A suspect as the engine knows it. Where the earlier flight shows it already, all that is higher now came on top of it."""
    came_since = suspect.last_on <= before_on
    return {
        "id": str(suspect.pk), "geometry": suspect.geometry, "area_m2": suspect.area_m2,
        "height_m": 0.0 if came_since and suspect.height_m is not None else suspect.height_m,
        "closed": suspect.state in CLOSED, "patrols": suspect.times_seen,
    }  # fmt: skip


def _finding(row: Comparison, found: Found, seen: Recognised, suspect_id: int | None) -> Finding:
    held, match = seen.held.get(found.key), seen.matches.get(found.key)
    middle = shape(found.geometry).representative_point()
    evidence = {name: dict(part) for name, part in found.evidence.items()}
    return Finding(
        comparison=row, key=found.key, suspect_id=suspect_id, geometry=dict(found.geometry),
        lon=None if row.in_pixels else middle.x, lat=None if row.in_pixels else middle.y,
        area_m2=found.area_m2, height_m=found.height_m, volume_m3=found.volume_m3, hint=str(found.hint),
        has_tin_roof=found.tin_roof, confidence=found.confidence, evidence=evidence,
        relation=match["change"] if match and not row.in_pixels else "", rule=held["rule"] if held else "",
        permit_id=int(held["mask"]) if held else None, covered=held["covered"] if held else None,
    )  # fmt: skip


def _suspects_of(row: Comparison, seen: Recognised, findings: Sequence[Found], at: datetime) -> dict[str, int]:
    """The suspect of each finding that nothing explains: known ones brought forward, new ones made. By the finding's key."""
    told: dict[str, int] = {}
    fresh: list[Found] = []
    for found in findings:
        match = seen.matches.get(found.key)
        if match is None:
            continue
        if match["suspect"] is None:
            fresh.append(found)
        else:
            suspect = seen.suspects[int(match["suspect"])]
            _bring_forward(suspect, row, found, match["change"])
            told[found.key] = suspect.pk
    made = _new_ones(row, fresh, at)
    return told | {found.key: suspect.pk for found, suspect in zip(fresh, made, strict=True)}


def _new_ones(row: Comparison, findings: Sequence[Found], at: datetime) -> list[Suspect]:
    if not findings:
        return []
    numbers = next_numbers(PREFIX, timezone.localtime(at).year, len(findings))
    made = [_suspect(row, found, number, at) for found, number in zip(findings, numbers, strict=True)]
    store(made)
    return made


def _suspect(row: Comparison, found: Found, number: str, at: datetime) -> Suspect:
    middle = shape(found.geometry).representative_point()
    return Suspect(
        street_id=row.street_id, number=number, point_id=row.point_id, geometry=dict(found.geometry), lon=middle.x,
        lat=middle.y, area_m2=found.area_m2, height_m=found.height_m, hint=str(found.hint), confidence=found.confidence,
        first_on=row.after_on, last_on=row.after_on, wants_second=_is_drawn(found.key), made_at=at,
    )  # fmt: skip


def _is_drawn(key: str) -> bool:
    """One in ten, by the finding's own hash: nobody can choose which."""
    return int(key[:8], 16) % SECOND_READ_OF == 0


def _bring_forward(suspect: Suspect, row: Comparison, found: Found, change: str) -> None:
    """What a later look says of a known suspect; a closed one that grew is open again. Changed: it was touched meanwhile."""
    changes: dict[str, Any] = {"version": suspect.version + 1}
    if row.after_on > suspect.last_on:
        seen = suspect.times_seen + 1
        changes |= {"last_on": row.after_on, "times_seen": seen, "confidence": _repeated(found.confidence, seen)}
    if row.after_on >= suspect.last_on and not suspect.is_drawn:
        middle = shape(found.geometry).representative_point()
        changes |= {"geometry": dict(found.geometry), "lon": middle.x, "lat": middle.y, "area_m2": found.area_m2,
                    "height_m": found.height_m, "hint": str(found.hint)}  # fmt: skip
    if suspect.state in CLOSED and change in REOPENING:
        changes |= {"state": SuspectState.OPEN, "came_back": change}
    if not Suspect.objects.filter(pk=suspect.pk, version=suspect.version).update(**changes):
        raise Changed(suspect.number)


def _repeated(confidence: float, patrols: int) -> float:
    """As engine.matching: each further patrol that sees it closes a third of the gap to certainty."""
    return 1.0 - (1.0 - confidence) * (2.0 / 3.0) ** max(0, patrols - 1)


def _latest(findings: Sequence[Finding]) -> None:
    """Each suspect points at the newest finding of it."""
    rows = {one.suspect_id: one.pk for one in findings if one.suspect_id}
    suspects = [Suspect(pk=suspect_id, latest_id=finding_id) for suspect_id, finding_id in rows.items()]
    Suspect.objects.bulk_update(suspects, ["latest"], batch_size=200)


def _flown_again(row: Comparison, at: datetime) -> None:
    """Suspects that waited for another flight and lie in these pictures are back in the queue."""
    bounds = _seen_bounds(row)
    if bounds is None:
        return
    west, south, east, north = bounds
    waiting = Reflight.objects.filter(
        done_at=None, cancelled_at=None, suspect__street_id=row.street_id, suspect__lon__range=(west, east),
        suspect__lat__range=(south, north), asked_at__date__lte=row.after_on, suspect__last_on__lte=row.after_on,
    )  # fmt: skip
    places = waiting.values_list("pk", "suspect_id", "suspect__lon", "suspect__lat")
    ids = [(pk, suspect_id) for pk, suspect_id, lon, lat in places if _is_within(row, lon, lat)]
    Reflight.objects.filter(pk__in=[pk for pk, _suspect_id in ids]).update(done_at=at)
    back = Suspect.objects.filter(pk__in=[suspect_id for _pk, suspect_id in ids], state=SuspectState.REFLIGHT)
    back.update(state=SuspectState.OPEN)


def _is_within(row: Comparison, lon: float, lat: float) -> bool:
    """Whether an area that was drawn, if one was, holds the place."""
    return row.area is None or bool(shape(row.area).covers(Point(lon, lat)))


def _seen_bounds(row: Comparison) -> Bounds | None:
    asset = row.after or row.after_dsm
    if asset is None or asset.west is None or asset.south is None or asset.east is None or asset.north is None:
        return None
    return asset.west, asset.south, asset.east, asset.north
