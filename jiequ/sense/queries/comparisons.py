"""Comparisons as lists and pages show them, and the pictures by which a suspect is looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ..ground import area_m2
from ..models import Blind, Comparison, Finding, Suspect
from ..words import NOTES, STAGES, UNUSABLE, said, why
from .pairs import Pair

SHOWN = 50
MOST_SHAPES = 2000
MOST_PARTS = 100  # of one area
TONES = {"waiting": "plain", "running": "go", "done": "done", "failed": "stop", "stopped": "plain"}
JOINED = ("point", "before", "after", "before_dsm", "after_dsm")


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison in a list: its state in words, how far it is, and why it failed."""

    comparison: Comparison
    state: str
    tone: str
    percent: int
    why: str


def rows(*, street_id: int, before: int | None = None) -> tuple[list[Row], int | None]:
    """The newest comparisons of a street and where the next page begins. One SELECT."""
    found = Comparison.objects.filter(street_id=street_id).select_related("point").defer("provenance", "notes")
    if before is not None:
        found = found.filter(pk__lt=before)
    page = list(found.order_by("-id")[: SHOWN + 1])
    more = page[SHOWN - 1].pk if len(page) > SHOWN else None
    return [row_of(one) for one in page[:SHOWN]], more


def row_of(comparison: Comparison) -> Row:
    """A comparison as it is shown."""
    percent = round(100 * comparison.done / comparison.total) if comparison.total else 0
    state = str(comparison.get_state_display())
    if comparison.state == Comparison.State.RUNNING and comparison.stage:
        state = _("%(stage)s %(done)d / %(total)d") % {
            "stage": said(STAGES, comparison.stage), "done": comparison.done, "total": comparison.total
        }  # fmt: skip
    return Row(comparison, state, TONES[comparison.state], percent, why(comparison.reason) if comparison.reason else "")


def newest_of_each_place(street_id: int) -> list[Comparison]:
    """Of each monitoring point and each area that was drawn the newest, and all others, that ended well and lie on the map.

    One SELECT.
    """
    found = Comparison.objects.filter(street_id=street_id, state=Comparison.State.DONE, in_pixels=False)
    newest: dict[str, Comparison] = {}
    for one in found.select_related("point").defer("provenance", "notes").order_by("-after_on", "-pk"):
        place = f"point {one.point_id}" if one.point_id else json.dumps(one.area or one.pk, sort_keys=True)
        newest.setdefault(place, one)
    return list(newest.values())


def is_moving(street_id: int) -> bool:
    """True while a comparison of the street waits or runs. One SELECT."""
    return Comparison.objects.filter(street_id=street_id, state__in=["waiting", "running"]).exists()


def findings(*comparisons: Comparison) -> list[Finding]:
    """What was found, the surest first, what a permit explains last. One SELECT."""
    found = Finding.objects.filter(comparison__in=comparisons).select_related("suspect", "permit").order_by("pk")
    return sorted(found[:MOST_SHAPES], key=lambda one: (bool(one.rule), -one.confidence, one.pk))


def blind(*comparisons: Comparison) -> list[Blind]:
    """Where they could not compare, the largest first. One SELECT."""
    return list(Blind.objects.filter(comparison__in=comparisons).order_by("-area_m2", "pk")[:MOST_SHAPES])


def notes(comparison: Comparison) -> list[str]:
    """What the engine says of the comparison as a whole."""
    return [said(NOTES if one["code"] in NOTES else UNUSABLE, one["code"]) for one in comparison.notes]


def shapes_of(found: list[Finding], unseen: list[Blind]) -> list[dict[str, Any]]:
    """Both as GeoJSON features for the map: "found", "held" (a permit explains it) or "blind"."""
    features = [_feature(one.geometry, "held" if one.rule else "found", one.pk) for one in found]
    return features + [_feature(one.geometry, "blind", one.pk) for one in unseen]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Blind places of one reason on one path: how many, together how large, and the largest of them."""

    reason: str
    path: str
    places: int
    area_m2: float
    largest: int


def by_reason(unseen: Sequence[Blind]) -> list[Unseen]:
    """Blind places as a table shows them, the most ground first; ``unseen`` comes the largest first."""
    groups: dict[tuple[str, str], list[Blind]] = {}
    for one in unseen:
        groups.setdefault((one.reason, one.path), []).append(one)
    found = [Unseen(*key, len(many), sum(one.area_m2 for one in many), many[0].pk) for key, many in groups.items()]
    return sorted(found, key=lambda group: -group.area_m2)


def asked_together(comparison: Comparison) -> list[int]:
    """The comparisons that were asked for with this one, as parts of one area; none for one that stands alone. One SELECT."""
    if comparison.area is None:
        return []
    told = {"asked_at": comparison.asked_at, "before_on": comparison.before_on, "after_on": comparison.after_on}
    parts = Comparison.objects.filter(street_id=comparison.street_id, area__isnull=False, **told).order_by("pk")
    ids = list(parts.values_list("pk", flat=True)[:MOST_PARTS])
    return ids if len(ids) > 1 else []


def parts_of_area(ids: Sequence[int]) -> list[Comparison]:
    """Comparisons of drawn areas by their numbers, of the first one's street and days; others are left out. One SELECT."""
    found = list(Comparison.objects.filter(pk__in=ids[:MOST_PARTS], area__isnull=False).select_related("street", *JOINED))
    return [one for one in found if _of_area(one) == _of_area(found[0])]


def _of_area(comparison: Comparison) -> tuple[Any, ...]:
    return comparison.street_id, comparison.before_on, comparison.after_on


def area_shape(comparison: Comparison) -> list[dict[str, Any]]:
    """The area that was drawn as a feature, if one was."""
    return [_feature(comparison.area, "area", comparison.pk)] if comparison.area else []


def _feature(geometry: dict[str, Any], what: str, key: int) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"what": what, "id": f"{what}-{key}"}, "geometry": geometry}


def facts(comparison: Comparison) -> list[tuple[str, str]]:
    """What is known of a comparison, line by line."""
    dated = [(_("前一期"), comparison.before_on, comparison.before, comparison.before_dsm),
             (_("后一期"), comparison.after_on, comparison.after, comparison.after_dsm)]  # fmt: skip
    found = [(label, f"{day} · " + "、".join(one.name for one in files if one)) for label, day, *files in dated]
    if comparison.area:
        found.append((_("范围"), f"{area_m2(comparison.area):,.0f} m²"))
    if comparison.state == Comparison.State.DONE and not comparison.in_pixels:
        found.append((_("比对面积"), f"{comparison.compared_m2:,.0f} m²"))
        found.append((_("不能比对"), f"{comparison.blind_m2:,.0f} m²"))
    if model := comparison.provenance.get("model"):
        found.append((_("识别网络"), str(model)[:16]))
    if comparison.outcome_sha256:
        found.append((_("结果摘要"), comparison.outcome_sha256[:16]))
    return found


def sightings(suspect: Suspect) -> list[Finding]:
    """Each time that a suspect was seen, newest first. One SELECT."""
    return list(suspect.findings.select_related("comparison").order_by("-comparison__after_on", "-pk")[:SHOWN])


def pair_of(suspect: Suspect) -> Pair | None:
    """The pictures in which a suspect was seen last; None where they are gone. One SELECT."""
    joined = [f"comparison__{name}" for name in JOINED]
    finding = Finding.objects.filter(pk=suspect.latest_id or 0).select_related(*joined).first()
    if finding is None:
        return None
    one = finding.comparison
    return Pair(one.before, one.after, one.before_dsm, one.after_dsm, one.before_on, one.after_on)
