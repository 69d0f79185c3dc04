"""What had been suggested, set beside what a person chose: the honest figure, and the week's drift alarm.

Each lesson is judged by the versions in use, with all that came before it and without itself (predict, then learn).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Count, Q

from jiequ.core.models import District
from jiequ.core.worktime import ZONE

from .. import feed, running
from ..minds import Dispatcher, Report, advise, drift
from ..models import Kind, Lesson, Week

WAIT = timedelta(seconds=15)
"""A move can be taken back for ten seconds."""
BATCH = 200
SURE = 0.8
LEAST_TAUGHT = 30
FALL = 0.10
"""So much lower than the weeks before is an alarm (ours)."""
WEEKS_BEFORE = 8
RECENT = 500

_FIELDS = ("type_place", "type_confidence", "department_place", "department_confidence", "is_correction", "judged_at")


# -- each lesson ------------------------------------------------------------------------------------------------------


def judge(*, at: datetime) -> Callable[[], None] | None:
    """Judge the next lessons outside any transaction; what is handed back stores it. None: nothing to judge."""
    waiting = Lesson.objects.filter(judged_at=None, at__lte=at - WAIT).order_by("pk")
    lessons = list(waiting[:BATCH])
    ledger, district = feed.registered(), District.objects.values_list("code6", flat=True).first()
    if not lessons or ledger is None or district is None:
        return None
    versions = running.in_use()
    model = running.model_of(versions.get(Kind.TYPE), district)
    dispatcher = _dispatcher_before(lessons[0], versions.get(Kind.DEPARTMENT), district)
    words = ledger.words(sorted({lesson.case_ref for lesson in lessons if not lesson.is_forgotten}))
    for lesson in lessons:
        _judge_type(lesson, model, words.get(lesson.case_ref, ""))
        _judge_department(lesson, dispatcher, words.get(lesson.case_ref, ""))
        lesson.is_correction = (
            lesson.is_return or lesson.type_place not in (None, 1) or lesson.department_place not in (None, 1)
        )
        lesson.judged_at = at
    return partial(_store, lessons)


def _store(lessons: Sequence[Lesson]) -> None:
    Lesson.objects.bulk_update(lessons, _FIELDS, batch_size=100)


def _dispatcher_before(lesson: Lesson, version: running.InUse | None, district: str) -> Dispatcher:
    """The dispatcher as it stood before the lesson."""
    dispatcher = running.dispatcher_of(version, district)
    after = version.last_lesson_id if version else 0
    earlier = Lesson.objects.filter(pk__gt=after, pk__lt=lesson.pk).exclude(department="").order_by("-pk")
    for row in reversed(list(earlier.values(*running.LESSON)[: running.AT_ONCE])):
        running.learn(dispatcher, row, "")
    return dispatcher


def _judge_type(lesson: Lesson, model: Any, words: str) -> None:
    if not lesson.is_type_taught or not words.strip():
        return
    report = Report(words=words, source=lesson.source, place=lesson.community, hour=running.hour_of(lesson.at))
    found = advise(report, model=model).suggestions
    codes = [one.code for one in found]
    lesson.type_place = codes.index(lesson.type_code) + 1 if lesson.type_code in codes else 0
    lesson.type_confidence = round(found[0].confidence, 4) if found else 0.0


def _judge_department(lesson: Lesson, dispatcher: Dispatcher, words: str) -> None:
    if not lesson.department:
        return
    row = {name: getattr(lesson, name) for name in running.LESSON}
    if not lesson.is_return:
        found = dispatcher.suggest(running.matter_of(row, words), day=running.day_of(lesson.at), allowed=None)
        codes = [one.code for one in found]
        lesson.department_place = codes.index(lesson.department) + 1 if lesson.department in codes else 0
        lesson.department_confidence = round(found[0].confidence, 4) if found else 0.0
    running.learn(dispatcher, row, words)


# -- the week ---------------------------------------------------------------------------------------------------------


def monday_before(at: datetime) -> date:
    """The Monday of the week that is over."""
    today = at.astimezone(ZONE).date()
    return today - timedelta(days=today.weekday() + 7)


def close_week(*, at: datetime) -> Callable[[], None] | None:
    """Count the week that is over, once; an alarm where it went clearly worse or the words have changed."""
    monday = monday_before(at)
    if Week.objects.filter(monday=monday).exists():
        return None
    weeks = [_week(kind, monday, at) for kind in Kind]
    return partial(_settle, weeks, at)


def count_past_weeks(weeks: int, *, at: datetime) -> None:
    """The last weeks, the oldest first, each once: for what was judged before this installation stood a week."""
    for back in range(weeks - 1, -1, -1):
        settle = close_week(at=at - timedelta(days=7 * back))
        if settle is not None:
            settle()


def _week(kind: Kind, monday: date, at: datetime) -> Week:
    place, confidence = f"{kind}_place", f"{kind}_confidence"
    begin = datetime(monday.year, monday.month, monday.day, tzinfo=ZONE)
    rows = Lesson.objects.filter(at__gte=begin, at__lt=begin + timedelta(days=7), **{f"{place}__isnull": False})
    sure = Q(**{f"{confidence}__gte": SURE})
    first = Q(**{place: 1})
    counts = rows.aggregate(
        taught=Count("pk"),
        first_right=Count("pk", filter=first),
        three_right=Count("pk", filter=Q(**{f"{place}__range": (1, 3)})),
        sure=Count("pk", filter=sure),
        sure_right=Count("pk", filter=sure & first),
    )
    week = Week(kind=kind, monday=monday, counted_at=at, **counts)
    causes = [*_fall(week)]
    if kind == Kind.TYPE:
        causes += _words_drift(week)
    week.is_alarm = bool(causes)
    week.facts = week.facts | {"causes": causes}
    return week


def _fall(week: Week) -> list[str]:
    """Clearly fewer were right than in the weeks before, where there are enough to say so."""
    before = Week.objects.filter(kind=week.kind, monday__lt=week.monday).order_by("-monday")[:WEEKS_BEFORE]
    taught = sum(one.taught for one in before)
    if week.taught < LEAST_TAUGHT or taught < LEAST_TAUGHT:
        return []
    usual = sum(one.first_right for one in before) / taught
    week.facts = week.facts | {"usual": round(usual, 4)}
    return ["fewer_right"] if week.first_right / week.taught < usual - FALL else []


def _words_drift(week: Week) -> list[str]:
    """What people write about and how, against what the model was fitted with."""
    ledger, district = feed.registered(), District.objects.values_list("code6", flat=True).first() or ""
    version = running.in_use().get(Kind.TYPE)
    rows = ledger.latest(RECENT) if ledger else []
    if version is None or len(rows) < LEAST_TAUGHT:
        return []
    reports = [Report(words=row.words, source=row.source, place=row.community) for row in rows]
    found = drift(running.model_of(version, district), reports)
    week.drift = round(float(found.score), 4)
    week.facts = week.facts | {"by": {name: round(float(value), 4) for name, value in found.by.items()}}
    return ["other_words"] if found.is_alarm else []


def _settle(weeks: Sequence[Week], at: datetime) -> None:
    for week in weeks:
        week.save(force_insert=True)
        if week.is_alarm:
            facts: dict[str, float | int | str] = {
                "taught": week.taught,
                "first_right": week.first_right,
                "causes": ",".join(week.facts["causes"]),
            }
            feed.raise_alarm(feed.Alarm(week.kind, week.monday.isoformat(), facts), at=at)
