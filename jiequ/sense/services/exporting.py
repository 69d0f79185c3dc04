"""Files of what was found: asked for, made by a job in a child process, fetched by whoever asked, gone after a day."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.ids import new_token
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import access, children, files, words
from ..models import Comparison, Export, Finding, Suspect, SuspectState
from ..queries import comparisons, desk
from . import stored
from .flights import record
from .taking import DROP

JOB = "sense.export"
LIVES = timedelta(hours=24)
REMEMBERED = timedelta(days=30)
MOST_WAITING = 3
READING = 500
Row = dict[str, Any]
COLUMNS = {
    "suspects": [
        ("number", "text"), ("state", "text"), ("hint", "text"), ("area_m2", "number"), ("height_m", "number"),
        ("confidence", "number"), ("calibrated", "number"), ("times_seen", "number"), ("first_on", "text"), ("last_on", "text"),
        ("point", "text"), ("tin_roof", "text"), ("evidence", "text"), ("rule", "text"), ("permit", "text"), ("reason", "text"),
        ("path", "text"),
    ],
    "comparison": [
        ("suspect", "text"), ("hint", "text"), ("area_m2", "number"), ("height_m", "number"), ("volume_m3", "number"),
        ("confidence", "number"), ("tin_roof", "text"), ("evidence", "text"), ("relation", "text"), ("rule", "text"),
        ("permit", "text"), ("reason", "text"), ("path", "text"), ("key", "text"),
    ],
}  # fmt: skip


def ask_export(*, street_id: int, form: str, by: Actor, at: datetime, comparison_id: int | None = None) -> Export:
    """Ask for a file of a street's suspects, or of one comparison; with what was held back and what could not be compared, for
    all suspects by the newest comparison of each place."""
    access.require_judge(by, street_id)
    if form not in Export.Form.values:
        raise Refusal("no_such_form", _("没有这样的文件。"), facts={"field": "form"})
    if comparison_id is not None:
        _check_comparison(street_id, comparison_id)
    if own(by).filter(state__in=["waiting", "working"]).count() >= MOST_WAITING:
        raise Refusal("too_many_exports", _("您已有 %(n)d 个文件在制作，请等它们做完。") % {"n": MOST_WAITING})
    row = Export(
        street_id=street_id, comparison_id=comparison_id, form=form, key=new_token(), language=by.language, asked_at=at,
        asked_by=by.person_id or 0, expires_at=at + LIVES,
    )  # fmt: skip
    with writing():
        row.save(force_insert=True)
        record(by, street_id, at, "export", "export", row.pk, form=form)
        enqueue(JobSpec(JOB, {"export_id": row.pk}, at, key=f"{JOB}:{row.pk}", street_id=street_id))
    return row


def _check_comparison(street_id: int, comparison_id: int) -> None:
    row = Comparison.objects.filter(pk=comparison_id, street_id=street_id).first()
    if row is None:
        raise NotFound("no_such_comparison", _("没有找到这次比对。"))
    if row.state != Comparison.State.DONE:
        raise Refusal("comparison_not_done", _("这次比对还没有完成，没有结果可导出。"))
    if row.in_pixels:
        raise Refusal("comparison_in_pixels", _("固定视角的比对没有地图位置，不能导出成地图文件。"))


def own(by: Actor) -> Any:
    """The files somebody asked for."""
    return Export.objects.filter(asked_by=by.person_id or 0)


def file_of(export: Export) -> Path:
    """The file, or a copy of it on this machine; KeyError if it is gone. Refusal where the store does not answer."""
    return stored.path_of(files.export_key(export.pk, export.form))


def make(export_id: int, at: datetime) -> Callable[[], Any] | None:
    """Write the rows, have the child make the file of them; made again from the beginning if a worker dies over it."""
    export = Export.objects.select_related("street", "comparison").filter(pk=export_id).first()
    if export is None or export.state in ("ready", "expired"):
        return None
    Export.objects.filter(pk=export.pk).update(state=Export.State.WORKING)
    work = files.work(f"export-{export.pk}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    what = "suspects" if export.comparison is None else "comparison"
    request = {
        "do": "export", "rows": str(work / "rows"), "form": export.form, "target": str(work / f"found.{export.form}"),
        "columns": COLUMNS[what], "place": files.described(), "key": files.export_key(export.pk, export.form),
    }  # fmt: skip
    try:
        with translation.override(export.language):
            _write(work / "rows", _suspects(export) if export.comparison is None else _comparison(export.comparison))
        told = children.ask("export", f"export:{export.pk}", request, seconds=SECONDS)
        if told is None or "fault" in told:
            children.stop(f"export:{export.pk}")
            return partial(_fail, export.pk, told["fault"] if told else "too_long")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return partial(_ready, export.pk, told, at)


SECONDS = 240.0


def _ready(export_id: int, told: dict[str, Any], at: datetime) -> None:
    done = {"state": Export.State.READY, "rows": told["rows"], "size_bytes": told["size"], "ready_at": at}
    Export.objects.filter(pk=export_id).update(**done)


def _fail(export_id: int, code: str) -> None:
    Export.objects.filter(pk=export_id).update(state=Export.State.FAILED, reason=code[:40])


def give_up(export_id: int) -> None:
    """The job was given up: whoever asked sees it."""
    _fail(export_id, "given_up")


def fetched(export_id: int, *, by: Actor, at: datetime) -> Export:
    """A file that is ready, for whoever asked and may still see the street; the fetching is audited. NotFound otherwise."""
    export = own(by).filter(pk=export_id, state=Export.State.READY, expires_at__gt=at).first()
    if export is None or not access.may_judge(by, export.street_id) or not _lies(export):
        raise NotFound("no_such_export", _("没有这个文件，或已经过期。"))
    with writing():
        record(by, export.street_id, at, "export_fetch", "export", export.pk)
    return export


def _lies(export: Export) -> bool:
    try:
        return file_of(export).is_file()
    except KeyError:
        return False


def expire(*, at: datetime) -> int:
    """Have files removed whose time is over, and forget old requests; how many files go."""
    gone = list(Export.objects.filter(expires_at__lte=at).exclude(state=Export.State.EXPIRED))
    for export in gone:
        spec = JobSpec(
            DROP, {"prefix": f"exports/{export.pk}"}, at, key=f"{DROP}:export:{export.pk}", street_id=export.street_id
        )
        with writing():
            Export.objects.filter(pk=export.pk).update(state=Export.State.EXPIRED)
            enqueue(spec)
    Export.objects.filter(expires_at__lte=at - REMEMBERED).delete()
    return len(gone)


def _write(path: Path, rows: Iterator[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _suspects(export: Export) -> Iterator[Row]:
    unread = desk.second_readings(export.street_id, export.asked_by)
    found = Suspect.objects.filter(street_id=export.street_id).exclude(state=SuspectState.MERGED)
    for one in found.select_related("point", "latest").order_by("number").iterator(READING):
        state = desk.state_shown(one, one.pk in unread)
        yield {
            "layer": "suspects", "geometry": one.geometry, "number": one.number, "state": state,
            "hint": str(one.get_hint_display()), "area_m2": one.area_m2, "height_m": one.height_m, "confidence": one.confidence,
            "calibrated": one.likelihood, "times_seen": one.times_seen, "first_on": one.first_on.isoformat(),
            "last_on": one.last_on.isoformat(), "point": str(one.point) if one.point else None,
            "tin_roof": _yes(one.latest.has_tin_roof) if one.latest else None,
            "evidence": json.dumps(one.latest.evidence, sort_keys=True) if one.latest else None,
        }  # fmt: skip
    for row in comparisons.newest_of_each_place(export.street_id):
        held = Finding.objects.filter(comparison=row).exclude(rule="")
        yield from (
            {**told, "number": None, "last_on": row.after_on.isoformat(), "point": str(row.point) if row.point else None}
            for told in (*_findings(held), *_blind(row))
        )


def _comparison(row: Comparison) -> Iterator[Row]:
    yield from _findings(Finding.objects.filter(comparison=row))
    yield from _blind(row)


def _findings(found: QuerySet[Finding]) -> Iterator[Row]:
    for one in found.select_related("suspect", "permit").order_by("key").iterator(READING):
        yield {
            "layer": "held_back" if one.rule else "found", "geometry": one.geometry, "key": one.key,
            "suspect": one.suspect.number if one.suspect else None, "hint": str(one.get_hint_display()), "area_m2": one.area_m2,
            "height_m": one.height_m, "volume_m3": one.volume_m3, "confidence": one.confidence,
            "tin_roof": _yes(one.has_tin_roof), "evidence": json.dumps(one.evidence, sort_keys=True), "relation": one.relation,
            "rule": words.said(words.RULES, one.rule) if one.rule else None,
            "permit": f"{one.permit.number} v{one.permit.version}" if one.permit else None,
        }  # fmt: skip


def _blind(row: Comparison) -> Iterator[Row]:
    for blind in row.blind.order_by("pk").iterator(READING):
        yield {
            "layer": "cannot_compare", "geometry": blind.geometry, "area_m2": blind.area_m2,
            "reason": words.said(words.BLIND, blind.reason), "path": blind.path,
        }  # fmt: skip


def _yes(value: bool) -> str:
    return "yes" if value else "no"
