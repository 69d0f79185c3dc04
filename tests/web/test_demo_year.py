"""The demonstration's year: shares as measured on real orders, honest rows, the same street from the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from jiequ.cases import clocks
from jiequ.cases.models import Case, CaseEvent, Proof, Rating, Report, Task, Topic
from jiequ.cases.queries import topics
from jiequ.cases.services import missing_proofs, rollups, searching
from jiequ.core import audit, pictures
from jiequ.core.models import AuditEntry, Job, Picture, Street
from jiequ.core.worker import work_once
from jiequ.core.worktime import ZONE
from jiequ.people.access import actor_for
from jiequ.people.models import Person
from jiequ.web.demo import history, learning, photos, progress, seeding, texts, year
from jiequ.web.demo.base import seed_base
from jiequ.web.demo.past import Past
from jiequ.web.demo.views import _story_case, _story_grid
from tests.support.kept import kept

NOW = datetime(2026, 7, 23, 2, 0, tzinfo=UTC)
PLANS = year.between(NOW - timedelta(days=365), NOW)


def share(plans: list[year.Plan], is_so: Any) -> float:
    return sum(map(bool, map(is_so, plans))) / len(plans)


def test_hours_weekdays_and_lateness_follow_what_was_measured() -> None:
    assert 6_000 <= len(PLANS) <= 10_000
    assert share(PLANS, lambda p: not 8 <= p.at.astimezone(ZONE).hour < 20) == pytest.approx(0.19, abs=0.015)
    assert share(PLANS, lambda p: p.at.astimezone(ZONE).weekday() >= 5) == pytest.approx(0.17, abs=0.015)
    closed = [plan for plan in PLANS if plan.end == "closed"]
    assert share(closed, lambda p: not p.is_late) == pytest.approx(0.908, abs=0.01)


def test_rain_brings_water_and_every_kind_of_end_and_quarrel_is_there() -> None:
    rainy = [plan for plan in PLANS if plan.at.month in {5, 6, 7, 8}]
    dry = [plan for plan in PLANS if plan.at.month in {11, 12, 1, 2}]
    assert share(rainy, lambda p: p.code == "0506") > 4 * share(dry, lambda p: p.code == "0506")
    kinds = Counter(plan.code for plan in PLANS)
    assert set(kinds) == set(year.WEIGHTS) == {subject.code for subject in texts.SUBJECTS}
    assert kinds.most_common(1)[0][0] == "0110"
    assert set(Counter(plan.end for plan in PLANS)) == {"closed", "self_handled", "rejected", "cancelled", "forced"}
    for name in ("is_returned", "is_reworked", "is_reopened", "is_appealed", "more_voices", "is_rated"):
        assert share(PLANS, lambda p, name=name: getattr(p, name)) > 0.005, name
    assert any(plan.is_rated and not plan.is_solved for plan in PLANS)


def test_the_same_day_has_the_same_plans() -> None:
    day = NOW.date() - timedelta(days=100)
    assert list(year.plans_of(day)) == list(year.plans_of(day))
    assert [plan for plan in PLANS if plan.at.astimezone(ZONE).date() == day] == sorted(
        year.plans_of(day), key=lambda p: (p.at, p.number)
    )


def test_stretches_that_meet_hold_every_plan_once() -> None:
    middle = NOW - timedelta(days=200)
    parts = year.between(NOW - timedelta(days=210), middle) + year.between(middle, NOW - timedelta(days=190))
    assert parts == year.between(NOW - timedelta(days=210), NOW - timedelta(days=190))


@pytest.fixture(scope="module")
def district(django_db_setup: None, django_db_blocker: Any) -> Iterator[Street]:
    yield from kept(django_db_blocker, lambda: seed_base(NOW), at=NOW)


@pytest.fixture
def street(district: Street, db: None, monkeypatch: pytest.MonkeyPatch) -> Street:
    """The invented district; its photos are not drawn."""
    texts.spots.cache_clear()
    texts._condition_id.cache_clear()

    def scene(kind: str, *, is_after: bool, number: int) -> Any:
        digest = f"{Random(f'{kind}{is_after}{number}').getrandbits(256):064x}"
        return pictures.Clean(
            **{**dict.fromkeys(pictures.Clean.__dataclass_fields__), "sha256": digest, "width": 8, "height": 6, "size_bytes": 1}
        )

    monkeypatch.setattr("jiequ.web.demo.pictures.scene", scene)
    return deepcopy(district)


def snapshot() -> list[Any]:
    """What the year leaves, without ids of pictures."""
    cases = list(
        Case.objects.order_by("number").values_list(
            "number", "state", "closing", "reported_at", "ended_at", "is_late", "lead_id"
        )
    )
    return [cases, list(CaseEvent.objects.order_by("pk").values_list("case_id", "move", "at", "by_id", "text"))]


def test_what_is_written_in_bulk_keeps_every_promise_of_the_loop(street: Street) -> None:
    plans = year.between(NOW - timedelta(days=130), NOW - timedelta(days=118))
    jobs = Job.objects.count()
    written = Past(street, NOW).write(plans)
    assert written > 0.97 * len(plans) > 150
    assert Job.objects.exclude(kind=searching.INDEX_TEXTS).count() == jobs
    ends: Counter[str] = Counter()
    for case in Case.objects.select_related("condition__edition", "street"):
        ends[case.closing or case.state] += 1
        held = clocks.load(case.clocks).values()
        assert not [clock for clock in held if clock.is_running], case.number
        assert all(clock.counted >= 0 for clock in held)
        events = list(case.events.all())
        assert [e.at for e in events] == sorted(e.at for e in events)
        assert events[-1].state == case.state
        assert case.ended_at is not None
        assert case.reported_at <= case.ended_at < NOW
        assert not case.tasks.filter(state=Task.State.OPEN).exists()
        assert sum(1 for e in events if "version" in e.facts) + 1 == case.version
        if case.closing == "normal":
            assert missing_proofs(case) == [], case.number
        assert case.closing != "self_handled" or case.proofs.filter(phase="after", kind="photo").exists()
        handle = clocks.load(case.clocks).get(clocks.ClockKind.HANDLE)
        assert case.is_late == bool(handle and handle.is_late), case.number
        assert Report.objects.filter(case=case).count() == case.voices
    assert {"normal", "self_handled", "rejected"} <= set(ends)
    late = Case.objects.filter(closing="normal", is_late=True).count() / ends["normal"]
    assert 0.04 < late < 0.16
    assert Rating.objects.filter(is_solved=True).exists()
    assert Proof.objects.filter(phase="after").exists()
    assert [one.wrong for one in rollups.recount(repair=False)] == [0, 0, 0]
    audit.seal_pending(at=NOW)
    assert AuditEntry.objects.filter(action="case.close").count() == CaseEvent.objects.filter(move="close").count()


def hottest(street: Street) -> list[topics.Place]:
    """Where one sort of trouble keeps coming back, after 24 days of the year were written."""
    Past(street, NOW).write(year.between(NOW - timedelta(days=40), NOW - timedelta(days=16)))
    by = actor_for(Person.objects.get(username="liang"), at=NOW)
    return topics.possible(topics.told(by, street.pk, base_m=60, at=NOW), [], at=NOW)


def test_some_places_keep_coming_back_and_the_duty_leader_confirms_the_hottest(street: Street) -> None:
    found = hottest(street)
    assert learning.confirm_topic(NOW)
    topic = Topic.objects.get()
    assert (topic.anchor_id, topic.confirmed_by.username) == (found[0].anchor_id, "liang")
    assert len(found) >= 3, "others are left to be confirmed"
    assert len(found[0].cases) >= 5
    assert not learning.confirm_topic(NOW), "once"


def test_without_them_the_year_has_no_place_as_hot(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin of the test before: every matter lies anywhere, as it did."""
    monkeypatch.setattr(texts, "TROUBLED", {})
    assert max((len(place.cases) for place in hottest(street)), default=0) < 5


def test_what_is_refused_as_no_matter_of_the_street_says_so_and_what_is_refused_otherwise_does_not(street: Street) -> None:
    """Else the class "not ours" would be taught in the words of other types, and never be learnt."""
    Past(street, NOW).write(year.between(NOW - timedelta(days=130), NOW - timedelta(days=100)))
    said = dict.fromkeys((*texts.NOT_OURS, "repeated"), "")
    for case in Case.objects.filter(state="rejected"):
        words = case.reports.get().words
        own = [one for lines in texts.NOT_OURS.values() for one in lines if one in words]
        assert bool(own) == (case.reason_code in texts.NOT_OURS), words
        said[case.reason_code] = words
    assert all(said.values()), "each of them came up"


def test_the_same_seed_gives_the_same_street(street: Street) -> None:
    from django.db import transaction

    plans = year.between(NOW - timedelta(days=60), NOW - timedelta(days=57))
    found = []
    for _turn in range(2):
        with transaction.atomic():
            Past(street, NOW).write(plans)
            taken = snapshot()
            found.append((list(taken[0]), [event[1:] for event in taken[1]]))
            transaction.set_rollback(True)
    assert found[0] == found[1]


def test_the_year_is_seeded_as_jobs_that_follow_the_calendar(street: Street) -> None:
    count = seeding.seed(NOW)
    specs = list(Job.objects.filter(kind__in=["demo.past", "demo.history"]).order_by("pk").values_list("args", flat=True))
    assert len(specs) == seeding.PAST_JOBS + seeding.WALK_JOBS
    assert count == len(specs) + len(photos.SCENES) == progress.progress()["left"] == progress.progress()["total"]
    ends = [(args["since"], args["until"]) for args in specs]
    assert [until for _since, until in ends[:-1]] == [since for since, _until in ends[1:]]
    assert datetime.fromisoformat(ends[-1][1]) == NOW
    assert sorted(args["first"] for args in specs if "first" in args) == list(range(0, seeding.CASES, seeding.BATCH))
    assert seeding.seed(NOW) == count
    assert history.DAYS == 45


@pytest.fixture
def demo(street: Street, settings: Any) -> Street:
    """The demonstration, with its jobs waiting."""
    settings.DEMO = True
    seeding.seed(NOW)
    return street


def test_no_photo_is_drawn_while_cases_are_written(demo: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos come first, one a job: a job of cases holds SQLite's one writer, and drawing takes a tenth of a second each."""
    Job.objects.exclude(kind__in=[seeding.PICTURE, seeding.PAST]).delete()
    Job.objects.filter(kind=seeding.PAST).exclude(key="demo.past:80").delete()
    assert Job.objects.order_by("run_at", "pk").last() == Job.objects.get(kind=seeding.PAST)
    assert work_once(at=NOW, limit=len(photos.SCENES)) == len(photos.SCENES)
    assert set(photos.kept(Street.objects.get(pk=demo.pk))) == set(photos.SCENES)
    assert Job.objects.get().kind == seeding.PAST
    monkeypatch.setattr("jiequ.web.demo.pictures.scene", lambda *_one, **_more: pytest.fail("a photo was drawn"))
    work_once(at=NOW)
    assert Case.objects.count() > 20
    assert Proof.objects.filter(picture__isnull=False).count() > 20
    assert Picture.objects.count() == len(photos.SCENES)


def test_a_photo_is_kept_once_and_drawn_again_only_if_it_is_gone(demo: Street) -> None:
    first = photos.keep(demo, photos.SCENES[0], at=NOW)
    assert photos.keep(demo, photos.SCENES[0], at=NOW) == first == photos.kept(demo)[photos.SCENES[0]]
    Picture.objects.filter(pk=first).delete()
    assert photos.kept(demo) == {}


def test_a_job_that_is_killed_in_the_middle_leaves_nothing_and_is_done_again(
    demo: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    Job.objects.exclude(key="demo.past:80").delete()
    whole = Past._store
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Past, "_store", lambda self, made: (whole(self, made), 1 / 0))
        work_once(at=NOW)
    assert (Case.objects.count(), CaseEvent.objects.count(), Job.objects.get().failures) == (0, 0, 1)
    work_once(at=NOW + timedelta(hours=1))
    once = Case.objects.count()
    assert once > 20
    assert not Job.objects.exclude(kind=searching.INDEX_TEXTS).filter(kind__startswith="demo.").exists()
    work_once(at=NOW + timedelta(hours=2))
    assert Case.objects.count() == once


def test_the_story_page_offers_what_somebody_sent_and_never_a_case_of_the_history(demo: Street) -> None:
    grid = _story_grid()
    assert grid is not None
    began = progress.began_at()
    assert began is not None
    case = Case.objects.filter(source="resident").order_by("-pk").first()
    if case is None:
        Past(demo, NOW).write(PLANS[:20])
        case = Case.objects.order_by("-pk")[0]
    Case.objects.filter(pk=case.pk).update(unit_grid=grid, source="resident", reported_at=began - timedelta(minutes=1))
    assert _story_case(grid) is None
    Case.objects.filter(pk=case.pk).update(reported_at=began)
    assert _story_case(grid) == case
