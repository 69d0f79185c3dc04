"""The audit for its administrator: who did what when, an export that is itself recorded, and the proof of the chains.

These pages stand in ``web`` and not in ``core`` because they ask for a role and show names, which live in ``people``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from jiequ.cases.queries.types import said
from jiequ.core import audit, audit_log, clock
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.models import AuditEntry, Street
from jiequ.core.worktime import ZONE
from jiequ.people.access import actor_of, needs
from jiequ.people.models import Person
from jiequ.people.rules import Role

from .audit_words import ACTIONS, action_words, problems

MOST_EXPORTED = 20_000
MOST_VERIFIED_HERE = 200_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@needs(Role.AUDIT_ADMIN)
@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """The entries, newest first, narrowed by action, person, street and period."""
    return _page(request, verdicts=None)


@needs(Role.AUDIT_ADMIN)
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """The entries that fit as CSV; that somebody took them stands in the audit too."""
    actor, at = actor_of(request), clock.now()
    found = audit_log.entries(_asked(request.POST))
    rows = list(found[: MOST_EXPORTED + 1])
    if len(rows) > MOST_EXPORTED:
        text = _("一次最多导出 %(most)d 条，请先缩小范围。") % {"most": MOST_EXPORTED}
        raise Refusal("too_many_rows", text, facts={"limit": MOST_EXPORTED})
    with writing():
        audit.record(
            street_id=None,
            person_id=actor.person_id,
            action="audit.exported",
            object_kind="audit",
            object_id="entries",
            at=at,
            facts={"rows": len(rows)},
        )
    answer = HttpResponse("\ufeff" + _csv(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.localtime(at):%Y%m%d-%H%M}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


@needs(Role.AUDIT_ADMIN)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Every chain read again from the beginning and compared with the heads written outside."""
    actor, at = actor_of(request), clock.now()
    if audit_log.sealed_count() > MOST_VERIFIED_HERE:
        raise Refusal("too_long_to_verify", _("记录太多，在网页里核对要等太久。请在服务器上运行 ./run check audit。"))
    chains: list[tuple[str, int | None]] = [(_("全区"), None), *((_named(s), s.pk) for s in _streets())]
    verdicts = [_verdict(name, audit.verify(street_id), at) for name, street_id in chains]
    with writing():
        audit.record(
            street_id=None,
            person_id=actor.person_id,
            action="audit.verified",
            object_kind="audit",
            object_id="chains",
            at=at,
            facts={"chains": len(verdicts), "faults": sum(not v["is_whole"] for v in verdicts)},
        )
    return _page(request, verdicts=verdicts)


def _verdict(name: str, verdict: audit.Verdict, at: datetime) -> dict[str, Any]:
    wrong = problems(verdict, at)
    return {"name": name, "verdict": verdict, "problems": wrong, "is_whole": not wrong}


def _page(request: HttpRequest, *, verdicts: list[dict[str, Any]] | None) -> HttpResponse:
    given = request.GET
    streets = {s.pk: _named(s) for s in _streets()}
    page = audit_log.page(_asked(given), before=_whole(given.get("before", "")))
    people = Person.objects.in_bulk({row.person_id for row in page.rows if row.person_id})
    query = given.copy()
    for name in [n for n in query if n == "before" or not query[n]]:
        query.pop(name)
    context = {
        "rows": [_row(row, people, streets) for row in page.rows],
        "next_before": page.next_before,
        "is_first_page": "before" not in given,
        "query": query.urlencode(),
        "given": {name: given.get(name, "") for name in ("action", "person", "street", "since", "until")},
        "kept": [(name, query[name]) for name in query],
        "streets": [("0", _("全区")), *((str(pk), name) for pk, name in streets.items())],
        "actions": _actions(),
        "verdicts": verdicts,
    }
    return render(request, "web/pages/audit.html", context)


def _actions() -> list[tuple[str, str]]:
    groups = [("case.", _("案件：全部")), ("person.", _("账号：全部")), ("grid.", _("网格：全部"))]
    return groups + [(code, str(words)) for code, words in ACTIONS.items()]


def _row(row: AuditEntry, people: dict[int, Person], streets: dict[int, str]) -> dict[str, Any]:
    person = people.get(row.person_id or 0)
    seal = getattr(row, "auditseal", None)
    return {
        "at": row.at,
        "who": person.name if person else (_("居民或系统") if row.person_id is None else f"#{row.person_id}"),
        "username": person.username if person else "",
        "action": action_words(row.action),
        "code": row.action,
        "object": f"{row.object_kind} {row.object_id}",
        "facts": " · ".join(f"{key} {_plain(value)}" for key, value in row.facts.items() if value not in (None, "", [])),
        "street": streets.get(row.street_id or 0, _("全区")),
        "seq": seal.seq if seal else None,
    }


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _asked(data: Any) -> audit_log.Asked:
    words = str(data.get("person", "")).strip()[:60]
    people = None
    if words:
        fits = Q(username=words.lower()) | Q(name=words)
        people = list(Person.objects.filter(fits).values_list("pk", flat=True)[:50])
    return audit_log.Asked(
        action=str(data.get("action", "")).strip()[:60],
        person_ids=people,
        street_id=_whole(str(data.get("street", ""))),
        since=_midnight(data.get("since", "")),
        until=_midnight(data.get("until", ""), days=1),
    )


def _midnight(text: str, *, days: int = 0) -> datetime | None:
    """The beginning of a local day (or of the day after it); Refusal for what is not a date."""
    if not text:
        return None
    try:
        day: date | None = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2100:
        raise Refusal("bad_date", _("日期不对，请写成 2026-03-04 这样。"), facts={"field": "since"})
    return datetime.combine(day, time(), tzinfo=ZONE) + timedelta(days=days)


def _whole(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refusal("bad_number", _("编号应是数字。"))
    return int(text)


def _streets() -> list[Street]:
    return list(Street.objects.order_by("code9"))


def _named(street: Street) -> str:
    return said(street.name_zh, street.name_en)


def _csv(rows: Iterable[AuditEntry]) -> str:
    """One line an entry; nothing a spreadsheet could take for a formula."""
    rows = list(rows)
    people = dict(Person.objects.filter(pk__in={r.person_id for r in rows if r.person_id}).values_list("pk", "username"))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["id", "at", "street_id", "person_id", "username", "action", "object_kind", "object_id", "facts", "seq", "hash"]
    )
    for row in rows:
        seal = getattr(row, "auditseal", None)
        facts = json.dumps(row.facts, ensure_ascii=False, sort_keys=True)
        at = timezone.localtime(row.at).isoformat()
        cells = [row.pk, at, row.street_id, row.person_id, people.get(row.person_id or 0, ""), row.action, row.object_kind]
        cells += [row.object_id, facts, seal.seq if seal else "", seal.hash if seal else ""]
        writer.writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
