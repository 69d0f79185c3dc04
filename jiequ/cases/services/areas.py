"""Duty lists (who answers for what) and control areas (where and when some types are not to be reported)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from shapely.errors import ShapelyError
from shapely.geometry import shape

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.grid.models import Community
from jiequ.people.models import Department
from jiequ.people.rules import Actor

from ..models.types import ControlArea, DutyList, EventType
from .types import administrator, changed

MOST_CORNERS = 500


# --- duty lists ------------------------------------------------------------------------------------------------------
def set_duty_list(
    *,
    street_id: int,
    clause: str,
    codes: Iterable[tuple[str, str]],
    by: Actor,
    at: datetime,
    department_id: int | None = None,
    community_id: int | None = None,
    version: int = 0,
) -> DutyList:
    """Say what one department or community answers for: ``codes`` are (kind, code). ``version`` 0 makes the first list.

    Stale if somebody changed it since; Refusal for no clause, an unknown code, or a holder of another street.
    """
    administrator(by)
    if not clause.strip():
        raise Refusal("duty.clause", _("请写明依据的条款，派遣被拒绝时要引用它。"))
    if (department_id is None) == (community_id is None):
        raise Refusal("duty.holder", _("请选择一个部门或一个社区。"))
    types = _types(codes)
    with writing():
        _check_holder(street_id, department_id, community_id)
        holder = {"street_id": street_id, "department_id": department_id, "community_id": community_id}
        fields = {"clause": clause.strip()[:300], "changed_at": at, "changed_by": by.person_id}
        row = _versioned(DutyList, holder, fields, version, _("这份职责清单刚被别人改过，请看过最新内容再改。"))
        row.types.set(types)
        facts = {"department": department_id, "community": community_id, "codes": [t.code for t in types]}
        changed(by, "duty_list.set", "duty_list", row.pk, at, facts, street_id=street_id)
    return row


def remove_duty_list(*, duty_list_id: int, version: int, by: Actor, at: datetime) -> None:
    """From now on that department or community may be sent anything again."""
    administrator(by)
    with writing():
        row = DutyList.objects.filter(pk=duty_list_id, version=version).first()
        if row is None:
            raise Stale("duty.stale", _("这份职责清单刚被别人改过，请看过最新内容再改。"))
        row.types.clear()
        row.delete()
        changed(by, "duty_list.removed", "duty_list", duty_list_id, at, {}, street_id=row.street_id)


# --- control areas ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AreaDraft:
    """A control area as somebody wants it: a GeoJSON polygon (CGCS2000) or a community, from a moment to another."""

    name: str
    notice_zh: str
    starts_at: datetime
    ends_at: datetime
    notice_en: str = ""
    geometry: Mapping[str, Any] | None = None
    community_id: int | None = None
    codes: tuple[tuple[str, str], ...] = ()


def set_control_area(
    *, street_id: int, draft: AreaDraft, by: Actor, at: datetime, area_id: int | None = None, version: int = 0
) -> ControlArea:
    """Make or change a control area. Stale if somebody changed it since; Refusal for what cannot be a place or a time."""
    administrator(by)
    if not draft.name.strip() or not draft.notice_zh.strip():
        raise Refusal("area.words", _("请填写名称和给上报人的说明。"))
    if draft.ends_at <= draft.starts_at:
        raise Refusal("area.times", _("结束时间要晚于开始时间。"))
    if (draft.geometry is None) == (draft.community_id is None):
        raise Refusal("area.place", _("请画一个范围，或者选一个社区。"))
    geometry = None if draft.geometry is None else checked_polygon(draft.geometry)
    types = _types(draft.codes)
    fields = {
        "name": draft.name.strip()[:80],
        "notice_zh": draft.notice_zh.strip()[:300],
        "notice_en": draft.notice_en.strip()[:400],
        "geometry": geometry,
        "community_id": draft.community_id,
        "starts_at": draft.starts_at,
        "ends_at": draft.ends_at,
        "changed_at": at,
        "changed_by": by.person_id,
    }
    with writing():
        _check_holder(street_id, None, draft.community_id)
        identity = {"street_id": street_id} | ({"pk": area_id} if area_id else {})
        row = _versioned(ControlArea, identity, fields, version, _("这个管控区域刚被别人改过，请看过最新内容再改。"))
        row.types.set(types)
        facts = {"codes": [t.code for t in types], "community": draft.community_id}
        changed(by, "control_area.set", "control_area", row.pk, at, facts, street_id=street_id)
    return row


def end_control_area(*, area_id: int, version: int, by: Actor, at: datetime) -> None:
    """Reports are welcome again from now on; the row stays as a record. Refusal if it has not begun or is over."""
    administrator(by)
    with writing():
        current = ControlArea.objects.filter(pk=area_id, version=version, starts_at__lt=at, ends_at__gt=at)
        if not current.update(ends_at=at, version=F("version") + 1, changed_at=at, changed_by=by.person_id):
            raise Stale("area.stale", _("这个管控区域没有在进行，或刚被别人改过。"))
        street_id = ControlArea.objects.values_list("street_id", flat=True).get(pk=area_id)
        changed(by, "control_area.ended", "control_area", area_id, at, {}, street_id=street_id)


def checked_polygon(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """The polygon, if it is one: closed, simple, at most 500 corners, within China, at most 25 km². Refusal otherwise."""
    problem = Refusal("area.geometry", _("这个范围不是一个完整的多边形，请重新画，或改选社区。"))
    if geometry.get("type") != "Polygon" or len(str(geometry)) > 60_000:
        raise problem
    try:
        polygon = shape(geometry)
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise problem from error
    west, south, east, north = polygon.bounds if not polygon.is_empty else (0.0, 0.0, 0.0, 0.0)
    within_china = west >= 73 and east <= 136 and south >= 3 and north <= 54
    is_small = east - west <= 0.06 and north - south <= 0.06
    if not (within_china and is_small and polygon.is_valid) or len(polygon.exterior.coords) > MOST_CORNERS:
        raise problem
    return {"type": "Polygon", "coordinates": [[[x, y] for x, y, *_rest in ring] for ring in geometry["coordinates"]]}


# --- small parts --------------------------------------------------------------------------------------------------
def _versioned(model: Any, identity: dict[str, Any], fields: dict[str, Any], version: int, stale: str) -> Any:
    """Insert version 1, or update exactly the version the reader saw; Stale with that sentence otherwise."""
    if version == 0:
        try:
            with transaction.atomic():
                return model.objects.create(**identity, **fields)
        except IntegrityError as error:
            raise Stale("stale", stale) from error
    if not model.objects.filter(**identity, version=version).update(version=F("version") + 1, **fields):
        raise Stale("stale", stale)
    return model.objects.get(**identity)


def _types(codes: Iterable[tuple[str, str]]) -> list[EventType]:
    wanted = set(codes)
    found = [t for t in EventType.objects.order_by("code") if (t.kind, t.code) in wanted]
    unknown = sorted(code for kind, code in wanted - {(t.kind, t.code) for t in found})
    if unknown:
        raise Refusal("type.unknown", _("没有这些代码：%(codes)s。") % {"codes": _("、").join(unknown)})
    return found


def _check_holder(street_id: int, department_id: int | None, community_id: int | None) -> None:
    own_department = department_id is None or Department.objects.filter(pk=department_id, street_id=street_id).exists()
    own_community = community_id is None or Community.objects.filter(pk=community_id, street_id=street_id).exists()
    if not (own_department and own_community):
        raise NotFound("duty.holder", _("这个街道没有这个部门或社区。"))
