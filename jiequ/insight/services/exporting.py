"""Files somebody asked for: asked, made by a job, fetched by that person only, gone when their time is over."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from jiequ.cases.queries import supervise
from jiequ.cases.queries.types import said
from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.ids import new_token
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.access import actor_for
from jiequ.people.rules import Actor

from .. import access
from ..catalogue import COMMON
from ..files import MOST_PRINTED, MOST_ROWS, Document, Table
from ..models import Export
from ..queries import asking, figures, hotline, tables
from ..queries import board as boards
from ..words import matter_word, part_words
from . import listing

log = logging.getLogger(__name__)
MAKE = "insight.export"
LIVES = timedelta(hours=24)
REMEMBERED = timedelta(days=30)
MOST_WAITING = 3
CASES = "cases"
FORMS = {
    "board": ("xlsx", "pdf"),
    "indicators": ("xlsx", "pdf"),
    "behind": ("xlsx", "pdf", "csv"),
    "matter": ("xlsx", "pdf", "csv"),
    "hotline": ("xlsx", "pdf", "csv"),
}
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
}


def ask(*, what: str, form: str, data: Mapping[str, Any], by: Actor, is_strong: bool, at: datetime) -> Export:
    """Ask for a file of what a page shows. Refusal for what cannot be had, or while three of theirs are still being made."""
    if form not in FORMS.get(what, ()):
        raise Refusal("no_such_export", _("没有这样的文件。"), facts={"field": "form"})
    asked = asking.of(data, by, at)
    _check(what, asked, data)
    kept = {name: str(data[name]) for name in ("part", "group", "of", "name", "source") if data.get(name)}
    export = Export(what=what, form=form, asked=kept | asked.stored(), street_id=asked.street_id, is_strong=is_strong)
    return _begin(export, by, at)


def ask_list(*, query: str, order: str, form: str, by: Actor, is_strong: bool, at: datetime) -> Export:
    """Ask for a file of the list of cases, narrowed as its address says (``check_list`` first). Refusal as in ``ask``."""
    asked = listing.of(query, order, by, at)
    street_id = asked.filters.street_id or by.street_id
    return _begin(Export(what=CASES, form=form, asked=asked.stored(), street_id=street_id, is_strong=is_strong), by, at)


def check_list(*, query: str, order: str, form: str, by: Actor, at: datetime) -> None:
    """Refusal for a list of which no file can be made, or one too long for a file. It reads the list: never while writing."""
    if form not in TYPES:
        raise Refusal("no_such_export", _("没有这样的文件。"), facts={"field": "form"})
    listing.ids_of(listing.of(query, order, by, at), by, form, at)


def _begin(export: Export, by: Actor, at: datetime) -> Export:
    """Store what was asked for, with its audit row and its job."""
    waiting = own(by).filter(state__in=[Export.State.WAITING, Export.State.WORKING])
    if waiting.count() >= MOST_WAITING:
        raise Refusal("too_many_exports", _("您已有 %(n)d 个文件在制作，请等它们做完。") % {"n": MOST_WAITING})
    assert by.person_id is not None  # the door is for people
    export.key, export.language, export.person_id = new_token(), by.language, by.person_id
    export.asked_at, export.expires_at = at, at + LIVES
    with writing():
        export.save(force_insert=True)
        _audit("export.asked", export, by, at)
        enqueue(JobSpec(MAKE, {"export_id": export.pk}, run_at=at, key=f"{MAKE}:{export.pk}", street_id=export.street_id))
    return export


def own(actor: Actor) -> QuerySet[Export]:
    """The files somebody asked for."""
    return Export.objects.filter(person_id=actor.person_id or 0)


def _check(what: str, asked: asking.Asked, data: Mapping[str, Any]) -> None:
    """Refusal before a job is made for what cannot be made."""
    if what == "behind":
        asking.behind(asked, data)
    elif what == "hotline" and hotline.chosen(asked, str(data.get("source", ""))) is None:
        raise Refusal("no_such_figure", _("没有这个数。"), facts={"field": "source"})
    elif what == "matter" and not supervise.is_matter(str(data.get("name", ""))):
        raise Refusal("no_such_matter", _("没有这一项。"), facts={"field": "name"})


def _audit(action: str, export: Export, by: Actor, at: datetime) -> None:
    facts = {"what": export.what, "form": export.form, "rows": export.done}
    audit.record(
        street_id=export.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="export",
        object_id=export.pk,
        at=at,
        facts=facts,
    )


def file_of(export: Export) -> Path:
    """Where the file lies."""
    return Path(settings.EXPORTS) / f"{export.key}.{export.form}"


def make(export_id: int, *, at: datetime) -> Callable[[], None] | None:
    """Make the file (again, if a worker died over it) and hand back what marks it as ready. Done by a job."""
    export = Export.objects.select_related("person", "street").filter(pk=export_id).first()
    if export is None or export.state in {Export.State.READY, Export.State.EXPIRED}:
        return None
    Export.objects.filter(pk=export.pk).update(state=Export.State.WORKING, done=0, error="")
    path = file_of(export)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_suffix(".part")
    try:
        with translation.override(export.language):
            document = _document(export, at)
            _writer(export.form)(document, half, lambda done: _tell(export.pk, done))
    except Refusal as refusal:
        code = refusal.code
        return lambda: _fail(export.pk, code)
    os.replace(half, path)
    name, size = _name(document, export.form), path.stat().st_size

    def ready() -> None:
        Export.objects.filter(pk=export.pk).update(state=Export.State.READY, ready_at=at, name=name, size_bytes=size)

    return ready


def _fail(export_id: int, code: str) -> None:
    Export.objects.filter(pk=export_id).update(state=Export.State.FAILED, error=code[:60])


def give_up(export_id: int) -> None:
    """The job was given up: whoever asked sees it."""
    _fail(export_id, "job_failed")


def _tell(export_id: int, done: int) -> None:
    Export.objects.filter(pk=export_id).update(done=done)


def _writer(form: str) -> Any:
    """The heavy part, imported here: this runs in the worker of jobs only."""
    from ..files import comma, pdf, xlsx

    return {"xlsx": xlsx.write, "pdf": pdf.write, "csv": comma.write}[form]


def _document(export: Export, at: datetime) -> Document:
    """What the person may see now, as they asked for it: their seats are read again."""
    if not export.person.is_active:
        raise NotFound("nobody", "")
    actor = actor_for(export.person, at=at, is_strong=export.is_strong)
    if export.what == CASES:
        return _list(export, actor, at)
    asked = asking.of(export.asked, actor, at)
    title, found = _tables(export, asked, actor, at)
    total = sum(table.total for table in found)
    _check_size(export.form, total)
    Export.objects.filter(pk=export.pk).update(total=total)
    notes = [str(text) for text in COMMON] if export.what in {"indicators", "behind"} else []
    return Document(title, asking.place_of(asked), asking.span_of(asked.period), at, found, notes)


def _list(export: Export, actor: Actor, at: datetime) -> Document:
    """The list as it stands now, which the file says; "today" and "this week" are those of the day it was asked for."""
    asked = listing.of(export.asked["query"], export.asked["order"], actor, export.asked_at)
    ids = listing.ids_of(asked, actor, export.form, at)
    Export.objects.filter(pk=export.pk).update(total=len(ids), asked=export.asked | {"sight": listing.sight_of(actor)})
    street = export.street
    place = _("全区") if street is None else said(street.name_zh, street.name_en)
    return Document(_("案件"), place, listing.span_of(at), at, [listing.table_of(asked, actor, ids, at)])


def _check_size(form: str, total: int) -> None:
    most = MOST_PRINTED if form == "pdf" else MOST_ROWS
    if total > most:
        raise Refusal("too_many_rows", "", facts={"limit": most})


def _tables(export: Export, asked: asking.Asked, actor: Actor, at: datetime) -> tuple[str, list[Table]]:
    if export.what == "indicators":
        return pgettext("page", "评价"), tables.indicator_tables(asked.street_ids, asked.period, asked.policy)
    if export.what == "hotline":
        source = hotline.chosen(asked, export.asked["source"])
        if source is None:
            raise NotFound("no_such_source", "")
        return _("热线三率"), hotline.tables(hotline.Rates(source, asked), asked.policy.compare_min_n)
    scope = boards.scope_of(asked.streets, asked.period, at=at, actor=actor)
    if export.what == "board":
        return _("督办台"), tables.board_tables(scope)
    if export.what == "behind":
        question = asking.behind(asked, export.asked)
        name = part_words()[question.part]
        cases = tables.behind_cases(actor, question)
        return name, [tables.case_table(name, cases, figures.total(question), at=at)]
    name = str(export.asked["name"])
    of = int(export.asked.get("of") or 0)
    rows = supervise.matter(name, scope, group=export.asked.get("group", ""), key=of)
    if rows is None:
        raise NotFound("no_such_matter", "")
    title = matter_word(name)
    return title, [tables.case_table(title, tables.matter_cases(rows), rows.count(), at=at)]


def _name(document: Document, form: str) -> str:
    plain = "".join(mark if mark.isalnum() or mark in "-_" else "-" for mark in f"{document.title}-{document.span}")
    while "--" in plain:
        plain = plain.replace("--", "-")
    return f"{plain.strip('-')[:80]}.{form}"


def fetched(export_id: int, *, by: Actor, at: datetime) -> Export:
    """A file that is ready, for whoever asked for it and may still see those streets; the fetching is audited.

    NotFound for anybody else's, one that is not ready, and one whose time is over: told alike.
    """
    export = own(by).filter(pk=export_id, state=Export.State.READY, expires_at__gt=at).first()
    if export is None or not file_of(export).is_file():
        raise NotFound("no_such_export", _("没有这个文件，或已经过期。"))
    if not _may_still(export, by):
        raise NotFound("no_such_export", _("没有这个文件，或已经过期。"))
    with writing():
        _audit("export.fetched", export, by, at)
    return export


def _may_still(export: Export, by: Actor) -> bool:
    """True if whoever asked may still see all that the file was made of."""
    if export.what == CASES:
        return set(listing.sight_of(by)) >= set(export.asked["sight"])
    streets = {street.pk for street in access.streets_for(by)}
    return streets >= {*export.asked.get("streets", []), *([export.street_id] if export.street_id else [])}


def expire(*, at: datetime) -> int:
    """Remove files whose time is over, and forget old requests; how many files went."""
    gone = 0
    for export in Export.objects.filter(expires_at__lte=at).exclude(state=Export.State.EXPIRED):
        file_of(export).unlink(missing_ok=True)
        file_of(export).with_suffix(".part").unlink(missing_ok=True)
        Export.objects.filter(pk=export.pk).update(state=Export.State.EXPIRED)
        gone += 1
    Export.objects.filter(expires_at__lte=at - REMEMBERED).delete()
    return gone
