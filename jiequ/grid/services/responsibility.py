"""Responsibility grids by hand: which unit grids, whose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.people import queries as people_queries
from jiequ.people.rules import Actor, Role

from .. import access
from ..models import GridMember, ResponsibilityGrid, UnitGrid
from .common import changed, record

MAX_UNITS = 999
Result = TypeVar("Result")


def make_responsibility_grid(
    *, street_id: int, name: str, codes: Iterable[str], worker_id: int | None, by: Actor, at: datetime
) -> ResponsibilityGrid:
    """A new responsibility grid of these unit grids (15-digit codes). Refused: no name, unknown or taken unit grids."""
    access.require_edit(by, street_id)
    name, units = _name(name), _units(street_id, codes)
    _refuse_unless_worker(worker_id, street_id, at)
    with writing():
        _refuse_taken(units, None)
        row = ResponsibilityGrid(street_id=street_id, name=name, worker_id=worker_id)
        grid = _once(name, lambda: ResponsibilityGrid.objects.bulk_create([row])[0])
        _set_members(grid.pk, units)
        _finish(by, grid, at, "responsibility_make", units)
    return grid


def edit_responsibility_grid(
    *, grid_id: int, version: int, name: str, codes: Iterable[str], worker_id: int | None, by: Actor, at: datetime
) -> ResponsibilityGrid:
    """Another name, other unit grids, another worker. Stale if somebody changed it after ``version``."""
    grid = _grid(grid_id, by)
    name, units = _name(name), _units(grid.street_id, codes)
    if worker_id != grid.worker_id:
        _refuse_unless_worker(worker_id, grid.street_id, at)
    with writing():
        _refuse_taken(units, grid.pk)
        rows = ResponsibilityGrid.objects.filter(pk=grid.pk, version=version, retired_at=None)
        _refuse_stale(_once(name, lambda: rows.update(name=name, worker_id=worker_id, version=F("version") + 1)))
        _set_members(grid.pk, units)
        _finish(by, grid, at, "responsibility_edit", units)
    grid.refresh_from_db()
    return grid


def assign_worker(*, grid_id: int, version: int, worker_id: int | None, by: Actor, at: datetime) -> None:
    """Gives a responsibility grid to a worker of the street, or to nobody."""
    grid = _grid(grid_id, by)
    _refuse_unless_worker(worker_id, grid.street_id, at)
    with writing():
        rows = ResponsibilityGrid.objects.filter(pk=grid.pk, version=version, retired_at=None)
        _refuse_stale(rows.update(worker_id=worker_id, version=F("version") + 1))
        changed(grid.street_id, at)
        record(by, grid.street_id, at, "worker_assign", "responsibility_grid", grid.pk, {"worker": worker_id})


def retire_responsibility_grid(*, grid_id: int, version: int, by: Actor, at: datetime) -> None:
    """Takes a responsibility grid out of force; its unit grids are free again."""
    grid = _grid(grid_id, by)
    with writing():
        rows = ResponsibilityGrid.objects.filter(pk=grid.pk, version=version, retired_at=None)
        _refuse_stale(rows.update(retired_at=at, version=F("version") + 1))
        GridMember.objects.filter(responsibility_grid=grid).delete()
        changed(grid.street_id, at)
        record(by, grid.street_id, at, "responsibility_retire", "responsibility_grid", grid.pk)


def _grid(grid_id: int, by: Actor) -> ResponsibilityGrid:
    """The grid in force, if the actor may see its street; what may not be seen does not exist."""
    grid = ResponsibilityGrid.objects.filter(pk=grid_id, retired_at=None).first()
    if grid is None or not (access.may_read(by, grid.street_id) or access.may_edit(by, grid.street_id)):
        raise NotFound("no_such_grid", _("没有找到这个责任网格。"))
    access.require_edit(by, grid.street_id)
    return grid


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise Refusal("grid_name", _("请填写责任网格的名称，不超过 60 个字。"))
    return name


def _units(street_id: int, codes: Iterable[str]) -> dict[str, int]:
    """Code -> id of the unit grids asked for; the refusal names those that do not exist."""
    wanted = list(dict.fromkeys(code for code in codes if code))
    if not wanted:
        raise Refusal("grid_empty", _("请至少选一个单元网格。"))
    if len(wanted) > MAX_UNITS:
        raise Refusal("grid_too_large", _("一个责任网格最多 %(most)d 个单元网格。") % {"most": MAX_UNITS})
    rows = UnitGrid.objects.filter(street_id=street_id, retired_at=None, code15__in=wanted)
    found = dict(rows.order_by("code15").values_list("code15", "id"))
    missing = [code for code in wanted if code not in found]
    if missing:
        sentence = _("没有这些单元网格：%(codes)s。") % {"codes": _few(missing)}
        raise Refusal("unit_unknown", sentence, facts={"codes": [code[:40] for code in missing[:50]]})
    return found


def _refuse_taken(units: dict[str, int], own_id: int | None) -> None:
    taken = GridMember.objects.filter(unit_grid__in=units.values()).exclude(responsibility_grid_id=own_id)
    rows = list(taken.order_by("unit_grid__code15").values_list("unit_grid__code15", "responsibility_grid__name"))
    if rows:
        sentence = _("单元网格 %(codes)s 已在责任网格“%(name)s”里，请先从那里移出。")
        few = _few([code for code, _name in rows])
        raise Refusal("unit_taken", sentence % {"codes": few, "name": rows[0][1]}, facts={"codes": [c for c, _n in rows]})


def _few(codes: list[str]) -> str:
    shown = _("、").join(code[:40] for code in codes[:5])
    return shown + (_(" 等 %(count)d 个") % {"count": len(codes)} if len(codes) > 5 else "")


def _refuse_unless_worker(worker_id: int | None, street_id: int, at: datetime) -> None:
    if worker_id is None:
        return
    if worker_id not in {person.pk for person in people_queries.holders(Role.GRID_WORKER, street_id, at)}:
        raise Refusal("not_a_worker", _("只能指派本街道的在岗网格员。"))


def _set_members(grid_id: int, units: dict[str, int]) -> None:
    GridMember.objects.filter(responsibility_grid_id=grid_id).exclude(unit_grid__in=units.values()).delete()
    held = set(GridMember.objects.filter(responsibility_grid_id=grid_id).values_list("unit_grid_id", flat=True))
    rows = [GridMember(responsibility_grid_id=grid_id, unit_grid_id=unit) for unit in units.values() if unit not in held]
    GridMember.objects.bulk_create(rows)


def _once(name: str, write: Callable[[], Result]) -> Result:
    """What ``write`` gives; a name that is in use is refused in words."""
    try:
        with writing():
            return write()
    except IntegrityError:
        raise Refusal("grid_name_taken", _("已有名为“%(name)s”的责任网格。") % {"name": name}) from None


def _refuse_stale(rows_changed: int) -> None:
    if not rows_changed:
        raise Stale("grid_changed", _("这个责任网格刚刚被别人改过，请刷新后再改。"))


def _finish(by: Actor, grid: ResponsibilityGrid, at: datetime, action: str, units: dict[str, int]) -> None:
    changed(grid.street_id, at)
    facts = {"worker": grid.worker_id, "units": len(units)}
    record(by, grid.street_id, at, action, "responsibility_grid", grid.pk, facts)
