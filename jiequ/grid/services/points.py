"""Monitoring points by hand."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import F, ProtectedError
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.people.rules import Actor

from .. import access
from ..models import MonitoringPoint, PointKind, RiskClass, UnitGrid
from ..queries import locate
from ..rules import CoordinateSystem, is_position, to_canonical
from .common import record
from .store import located

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")


@dataclass(frozen=True, slots=True)
class PointFacts:
    """A monitoring point as it is written down; x and y in ``system``."""

    code: str
    name: str
    kind: str
    x: float
    y: float
    area: str = ""
    risk_class: str = RiskClass.MEDIUM
    system: str = CoordinateSystem.CGCS2000


def add_point(*, street_id: int, facts: PointFacts, by: Actor, at: datetime) -> MonitoringPoint:
    """A new monitoring point. Refused: a code in use, an unknown kind, a position outside the street's grids."""
    access.require_edit(by, street_id)
    row = MonitoringPoint(street_id=street_id, **_columns(street_id, facts))
    try:
        with writing():
            MonitoringPoint.objects.bulk_create([row])
            record(by, street_id, at, "point_add", "monitoring_point", row.pk, {"code": row.code})
    except IntegrityError:
        raise Refusal("point_code_taken", _("编号 %(code)s 已经有监控点了。") % {"code": facts.code}) from None
    return row


def edit_point(*, point_id: int, version: int, facts: PointFacts, by: Actor, at: datetime) -> None:
    """Changes a monitoring point. Stale if somebody changed it after ``version``."""
    point = _point(point_id, by)
    columns = _columns(point.street_id, facts)
    try:
        with writing():
            rows = MonitoringPoint.objects.filter(pk=point.pk, version=version)
            _refuse_stale(rows.update(**columns, version=F("version") + 1))
            record(by, point.street_id, at, "point_edit", "monitoring_point", point.pk, {"code": facts.code})
    except IntegrityError:
        raise Refusal("point_code_taken", _("编号 %(code)s 已经有监控点了。") % {"code": facts.code}) from None


def remove_point(*, point_id: int, version: int, by: Actor, at: datetime) -> None:
    """Removes a monitoring point that no camera stands at."""
    point = _point(point_id, by)
    try:
        with writing():
            deleted, _rows = MonitoringPoint.objects.filter(pk=point.pk, version=version).delete()
            _refuse_stale(deleted)
            record(by, point.street_id, at, "point_remove", "monitoring_point", point.pk, {"code": point.code})
    except ProtectedError:
        raise Refusal("point_in_use", _("这个监控点上还有摄像头，不能删除；可以改它的名称和位置。")) from None


def _point(point_id: int, by: Actor) -> MonitoringPoint:
    point = MonitoringPoint.objects.filter(pk=point_id).first()
    if point is None or not (access.may_read(by, point.street_id) or access.may_edit(by, point.street_id)):
        raise NotFound("no_such_point", _("没有找到这个监控点。"))
    access.require_edit(by, point.street_id)
    return point


def _refuse_stale(rows_changed: int) -> None:
    if not rows_changed:
        raise Stale("point_changed", _("这个监控点刚刚被别人改过，请刷新后再改。"))


def _columns(street_id: int, facts: PointFacts) -> dict[str, Any]:
    if not CODE.fullmatch(facts.code):
        raise Refusal("point_code", _("编号由 1 到 20 个字母、数字、横线组成，例如 JK001。"))
    if not facts.name.strip() or len(facts.name) > 80 or len(facts.area) > 60:
        raise Refusal("point_name", _("请填写监控点的名称，不超过 80 个字；片区不超过 60 个字。"))
    if facts.kind not in PointKind.values or facts.risk_class not in RiskClass.values:
        raise Refusal("point_kind", _("请选择监控点的种类和风险等级。"))
    if facts.system not in set(CoordinateSystem):
        raise Refusal("point_system", _("请选择坐标系。"))
    if not (math.isfinite(facts.x) and math.isfinite(facts.y)) or not is_position(facts.x, facts.y):
        raise Refusal("point_position", _("坐标应是经度和纬度，例如 113.500000、23.180000。"))
    spot = locate(*to_canonical(facts.x, facts.y, facts.system))
    if spot is None or spot.street_id != street_id:
        _refuse_outside(street_id)
    names = {"code": facts.code, "name": facts.name.strip(), "kind": facts.kind, "area": facts.area.strip()}
    unit_id = spot.unit_grid_id if spot and spot.street_id == street_id else None
    position = located(facts.x, facts.y, facts.system)
    return names | position | {"risk_class": facts.risk_class, "unit_grid_id": unit_id}


def _refuse_outside(street_id: int) -> None:
    """Outside the street is refused, unless the street has no grids yet."""
    if UnitGrid.objects.filter(street_id=street_id, retired_at=None).exists():
        raise Refusal("point_outside", _("这个位置不在本街道的网格内，请检查坐标和坐标系。"))
