"""The register of permits and masks: kept by hand or from files, in versions; nothing in it is ever edited or lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from tempfile import NamedTemporaryFile
from typing import Any

import shapely
from django.conf import settings
from django.db import IntegrityError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from shapely.geometry import shape

from jiequ.core.bulk import store
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.grid.rules import CoordinateSystem
from jiequ.people.rules import Actor

from .. import access, children, ground
from ..models import Permit, PermitDraft, PermitKind
from ..permit_files import Row
from ..words import UNUSABLE
from .flights import record

LARGEST_FILE = 10 * 1024 * 1024
READING_SECONDS = 25.0
LARGEST_M2 = 100_000_000.0
FAULTS: dict[str, Promise] = {
    "shape_unreadable": gettext_lazy("范围读不出来"),
    "shape_no_polygon": gettext_lazy("范围不是面"),
    "shape_not_degrees": gettext_lazy("坐标不是经纬度"),
    "shape_crosses_itself": gettext_lazy("范围自己交叉"),
    "bad_date_or_height": gettext_lazy("日期或限高写得不对"),
    "no_number": gettext_lazy("没有编号"),
    "unknown_kind": gettext_lazy("种类不认识"),
    "dates_reversed": gettext_lazy("有效期的止日早于起日"),
    "too_large": gettext_lazy("范围超过 100 平方公里"),
    "twice": gettext_lazy("文件里有两条同样的编号"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What taking a file over does: rows by what becomes of them, and the faulty ones with their line, number and why."""

    new: int
    changed: int
    same: int
    faults: tuple[tuple[int, str, str], ...]


def keep_permit(*, street_id: int, row: Row, by: Actor, at: datetime, file: str = "") -> Permit:
    """One permit: new, or a new version of the one with that kind and number; the one that is there if nothing differs."""
    access.require_judge(by, street_id)
    if fault := fault_of(row):
        raise Refusal(fault, str(FAULTS[fault]), facts={"field": "geometry" if fault.startswith("shape") else "number"})
    current = Permit.objects.filter(street_id=street_id, kind=row.kind, number=row.number, ended_at=None).first()
    if current is not None and is_same(current, row):
        return current
    try:
        with writing():
            return _versions(street_id, [(row, current)], by, at, file)[0]
    except IntegrityError:
        raise Stale("permit_changed", _("别人刚刚改过这一条，请刷新后再改。")) from None


def read_permits(
    *, street_id: int, name: str, file: Iterable[bytes], by: Actor, at: datetime, kind: str = "", system: str = "cgcs2000"
) -> PermitDraft:
    """Reads a file in a process of its own and keeps what it says as a draft: nothing holds yet. Refusal for what is no file
    of permits. Never inside a transaction."""
    access.require_judge(by, street_id)
    if system not in set(CoordinateSystem):
        raise Refusal("system", _("请选择坐标系。"), facts={"field": "system"})
    if kind and kind not in PermitKind.values:
        raise Refusal("permit_kind", _("请选择种类。"), facts={"field": "kind"})
    rows = _read(name, file, kind, system)
    sound, faults = _sorted_out(rows)
    draft = PermitDraft(
        street_id=street_id, name=name[-120:], rows=[row.as_data() for row in sound], faults=faults, made_at=at,
        made_by=by.person_id or 0,
    )  # fmt: skip
    with writing():
        draft.save(force_insert=True)
    return draft


def draft_by_id(draft_id: int, by: Actor) -> PermitDraft:
    """The draft, for whoever read the file; NotFound for anybody else."""
    draft = PermitDraft.objects.filter(pk=draft_id, made_by=by.person_id or 0).first()
    if draft is None or not access.may_judge(by, draft.street_id):
        raise NotFound("no_such_draft", _("没有找到这份读入的文件，可能已经导入或过期，请重新上传。"))
    return draft


def report_of(draft: PermitDraft) -> Report:
    """What taking it over would do now. One SELECT."""
    return _report(draft, _changes(draft))


def _report(draft: PermitDraft, changes: Sequence[tuple[Row, Permit | None]]) -> Report:
    new = sum(old is None for _row, old in changes)
    return Report(new, len(changes) - new, len(draft.rows) - len(changes), _fault_words(draft))


def take_over(*, draft_id: int, by: Actor, at: datetime) -> Report:
    """The sound rows of a draft become new permits or new versions, all or none of them; the draft is gone then."""
    draft = draft_by_id(draft_id, by)
    changes = _changes(draft)
    try:
        with writing():
            if not PermitDraft.objects.filter(pk=draft.pk).delete()[0]:
                raise Stale("draft_gone", _("这份文件刚刚已经导入了。"))
            if changes:
                _versions(draft.street_id, changes, by, at, draft.name)
    except IntegrityError:
        raise Stale("permit_changed", _("别人刚刚改过这里的许可，请再导入一次。")) from None
    return _report(draft, changes)


def forget_drafts(*, before: datetime) -> int:
    """Drafts that nobody took over; returns how many."""
    return PermitDraft.objects.filter(made_at__lt=before).delete()[0]


def end_permit(*, permit_id: int, by: Actor, at: datetime) -> None:
    """Withdraws a permit: from now on it holds nothing back. Its versions stay readable."""
    permit = permit_by_id(permit_id, by)
    access.require_judge(by, permit.street_id)
    with writing():
        if not Permit.objects.filter(pk=permit.pk, ended_at=None).update(ended_at=at, ended_by=by.person_id):
            raise Stale("permit_changed", _("这一条已经停用，或有了新版本。"))
        record(by, permit.street_id, at, "permit_end", "permit", permit.pk, version=permit.version)


def permit_by_id(permit_id: int, by: Actor) -> Permit:
    """The permit; NotFound for one of another street."""
    permit = Permit.objects.filter(pk=permit_id).select_related("street").first()
    if permit is None or not access.may_see(by, permit.street_id):
        raise NotFound("no_such_permit", _("没有找到这一条许可。"))
    return permit


def fault_of(row: Row) -> str:
    """What is wrong with a row; "" if nothing."""
    if row.fault:
        return row.fault
    if not row.number:
        return "no_number"
    if row.kind not in PermitKind.values:
        return "unknown_kind"
    if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
        return "dates_reversed"
    return "too_large" if ground.area_m2(row.geometry or {}) > LARGEST_M2 else ""


def is_same(permit: Permit, row: Row) -> bool:
    """True if the row tells what stands there already; a geometry that was only written in another order is the same."""
    told = (row.title, row.authority, row.height_m, row.valid_from, row.valid_to)
    if told != (permit.title, permit.authority, permit.height_m, permit.valid_from, permit.valid_to):
        return False
    return bool(shapely.equals_exact(shape(permit.geometry).normalize(), shape(row.geometry).normalize(), 1e-8))


def _read(name: str, file: Iterable[bytes], kind: str, system: str) -> list[Row]:
    """By a child process, from a file of its own: no page's worker parses what a stranger sent."""
    settings.SENSE.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=settings.SENSE, prefix="permits-") as written:
        for size, piece in _counted(file):
            if size > LARGEST_FILE:
                raise Refusal("permit_file", _("文件超过 10 MB，请分开导入。"), facts={"field": "file"})
            written.write(piece)
        written.flush()
        request = {"do": "permits", "file": written.name, "name": name, "kind": kind, "system": system}
        answer = children.once("permits", request, seconds=READING_SECONDS)
    if "fault" in answer:
        raise Refusal("permit_file", _why(answer["fault"]), facts={"field": "file"})
    return [Row.from_data(one) for one in answer["rows"]]


def _counted(file: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    size = 0
    for piece in file:
        size += len(piece)
        yield size, piece


def _why(code: str) -> str:
    words = {
        "too_many": _("文件里超过 20,000 条，请分开导入。"),
        "empty": _("文件里一条也没有。"),
        "too_long": _("读这个文件用了太久，没有读完。请分开导入。"),
    }
    if code in ("zip_slip", "bomb", "xml_entities", "too_much_memory"):
        return str(UNUSABLE[code])
    return words.get(code) or _("读不出这个文件。请用 GeoJSON、GeoPackage、KML、KMZ，或带 WKT 列的 CSV。")


def _changes(draft: PermitDraft) -> list[tuple[Row, Permit | None]]:
    """The rows that are new or tell something else than what is in force, which stands beside them. One SELECT."""
    now = {(one.kind, one.number): one for one in Permit.objects.filter(street_id=draft.street_id, ended_at=None)}
    pairs = ((row, now.get((row.kind, row.number))) for row in map(Row.from_data, draft.rows))
    return [(row, old) for row, old in pairs if old is None or not is_same(old, row)]


def _fault_words(draft: PermitDraft) -> tuple[tuple[int, str, str], ...]:
    return tuple((line, number, str(FAULTS.get(code, code))) for line, number, code in draft.faults)


def _sorted_out(rows: Sequence[Row]) -> tuple[list[Row], list[tuple[int, str, str]]]:
    """The sound rows, and (line, number, code) of the others."""
    sound: dict[tuple[str, str], Row] = {}
    faults: list[tuple[int, str, str]] = []
    for row in rows:
        fault = fault_of(row) or ("twice" if (row.kind, row.number) in sound else "")
        if fault:
            faults.append((row.line, row.number, fault))
        else:
            sound[row.kind, row.number] = row
    return list(sound.values()), faults


def _versions(street_id: int, pairs: Sequence[tuple[Row, Permit | None]], by: Actor, at: datetime, file: str) -> list[Permit]:
    old = [one.pk for _row, one in pairs if one is not None]
    if old and Permit.objects.filter(pk__in=old, ended_at=None).update(ended_at=at, ended_by=by.person_id) != len(old):
        raise Stale("permit_changed", _("别人刚刚改过这里的许可，请再试一次。"))
    versions = _last_versions(street_id, [row for row, _old in pairs])
    made = [_permit(street_id, row, versions.get((row.kind, row.number), 0) + 1, by, at, file) for row, _old in pairs]
    store(made)
    record(by, street_id, at, "permits_keep", "street", street_id, rows=len(made), replaced=len(old))
    return made


def _last_versions(street_id: int, rows: Sequence[Row]) -> dict[tuple[str, str], int]:
    """The highest version of each kind and number, ended ones too. One SELECT a thousand numbers."""
    found: dict[tuple[str, str], int] = {}
    numbers = sorted({row.number for row in rows})
    for first in range(0, len(numbers), 500):
        some = Permit.objects.filter(street_id=street_id, number__in=numbers[first : first + 500])
        for kind, number, version in some.values_list("kind", "number", "version"):
            found[kind, number] = max(version, found.get((kind, number), 0))
    return found


def _permit(street_id: int, row: Row, version: int, by: Actor, at: datetime, file: str) -> Permit:
    geometry: dict[str, Any] = row.geometry or {}
    west, south, east, north = shape(geometry).bounds
    return Permit(
        street_id=street_id, kind=row.kind, number=row.number, version=version, title=row.title, authority=row.authority,
        geometry=geometry, west=west, south=south, east=east, north=north, area_m2=round(ground.area_m2(geometry), 1),
        height_m=row.height_m, valid_from=row.valid_from, valid_to=row.valid_to, file=file, made_at=at, made_by=by.person_id,
    )  # fmt: skip
