"""The days equal a recount after whatever happens, and the cases behind a figure are as many as the figure says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent
from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.insight import jobs
from jiequ.insight.models import CaseCount, DayFigure, Group, Mark
from jiequ.insight.periods import Period
from jiequ.insight.queries import figures
from jiequ.insight.rules import BASIS_OF, PARTS
from jiequ.insight.services import counting
from tests.actors import NOW
from tests.casework import Casework
from tests.walks import Walk

FOREVER = Period("any", date(2026, 1, 1), date(2026, 12, 31))


def days_of(street_id: int) -> dict[Any, dict[str, int]]:
    """What the day figures say, rows of nothing left out."""
    found = {}
    for row in DayFigure.objects.filter(street_id=street_id):
        counts = {part: getattr(row, part) for part in BASIS_OF if getattr(row, part)}
        if counts:
            found[row.day, row.group, row.key] = counts
    return found


def recounted(street_id: int) -> dict[Any, dict[str, int]]:
    return counting.recount(street_id, date(2020, 1, 1), date(2030, 1, 1))


def follow_all(at: Any = NOW) -> None:
    while counting.follow(at=at).is_behind:
        pass


def walked(work: Casework, seeds: range, steps: int, *, follow_every: int = 7) -> None:
    """Cases on random ways, followed every few steps as the job does."""
    for seed in seeds:
        walk = Walk(work, seed)
        for step in range(steps):
            walk.step()
            if step % follow_every == 0:
                counting.follow(at=walk.at)
    follow_all()


def test_after_random_moves_the_days_equal_a_recount_of_the_cases_and_of_the_ledger(work: Casework) -> None:
    walked(work, range(40, 48), 40)
    street = work.world.street.pk
    assert days_of(street) == recounted(street)
    assert sum(counts.get("reported", 0) for (_d, group, _k), counts in days_of(street).items() if group == Group.ALL) > 0
    kept = {row.case_id: row for row in CaseCount.objects.all()}
    assert kept.keys() == set(Case.objects.values_list("pk", flat=True))
    assert counting.count(kept) == 0, "counted anew, some case counts otherwise than was kept"


def test_a_day_that_is_wrong_is_found_by_the_nightly_check_and_put_right(work: Casework) -> None:
    """The broken twin: somebody changed a day and a case's count behind the services' back."""
    walked(work, range(60, 62), 25)
    street = work.world.street.pk
    right = days_of(street)
    row = DayFigure.objects.filter(street_id=street, group=Group.ALL, reported__gt=0).first()
    assert row is not None
    DayFigure.objects.filter(pk=row.pk).update(reported=row.reported + 5)
    one = CaseCount.objects.order_by("pk").first()
    assert one is not None
    CaseCount.objects.filter(pk=one.pk).update(parts=0)
    assert days_of(street) != right
    jobs.check(at=NOW)
    while Job.objects.filter(kind__startswith="insight.check").exclude(key__startswith="every:").exists():
        assert work_once(at=NOW + timedelta(seconds=5), limit=20)
    assert days_of(street) == right == recounted(street)
    mark = Mark.objects.get()
    assert mark.checked_at == NOW + timedelta(seconds=5)
    assert mark.checked_cases == Case.objects.count()
    assert mark.checked_wrong >= 2


def test_a_backlog_is_worked_off_by_jobs_of_its_own(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "LINES", 5)
    for _ in range(6):
        work.checking()
    jobs.follow(at=NOW)
    assert Job.objects.filter(kind=jobs.CATCH_UP).count() == 1
    while Job.objects.filter(kind=jobs.CATCH_UP).exists():
        assert work_once(at=NOW, limit=1, outside=False)
    assert CaseCount.objects.count() == 6
    assert Mark.objects.get().counted_at == NOW


def test_a_case_that_did_not_change_is_not_counted_again(work: Casework) -> None:
    work.closed()
    follow_all()
    before = list(DayFigure.objects.values_list("pk", flat=True))
    follow_all(NOW + timedelta(hours=1))
    assert list(DayFigure.objects.values_list("pk", flat=True)) == before
    assert figures.counted_at() == NOW + timedelta(hours=1)


def test_an_unmerged_report_counts_where_it_came_home_to(work: Casework) -> None:
    """The case it comes home from gets no line of its own in its timeline."""
    host = work.reported(source="staff", contact=None, by="chen", at=NOW - timedelta(hours=1)).case
    guest = work.reported().case
    lin = work.actor("lin")
    for case in (host, guest):
        services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=lin, at=NOW)
    services.merge(work.fresh(guest, "lin"), into=host.number, by=lin, at=NOW)
    follow_all()
    assert parts_of(host) >= {"filed", "found_first"}
    assert parts_of(guest) == set()
    services.unmerge(work.fresh(guest, "lin"), by=lin, at=NOW + timedelta(minutes=5))
    follow_all()
    assert parts_of(guest) >= {"filed", "missed"}
    assert counting.count(Case.objects.values_list("pk", flat=True)) == 0


def parts_of(case: Case) -> set[str]:
    from jiequ.insight.rules import names_of

    return set(names_of(CaseCount.objects.get(pk=case.pk).parts))


def test_every_figure_is_as_many_as_the_cases_behind_it(work: Casework) -> None:
    walked(work, range(70, 76), 45, follow_every=45)
    work.closed()
    follow_all()
    actor = work.actor("he")
    streets = (work.world.street.pk,)
    sums = figures.sums(streets, FOREVER)
    seen = 0
    for part in PARTS:
        assert len(listed(actor, figures.Behind(streets, FOREVER, part))) == sums[part], part
        for group in (Group.DEPARTMENT, Group.COMMUNITY, Group.TYPE):
            by = figures.sums_by(streets, FOREVER, group, [part])
            assert sum(row[part] for row in by.values()) == sums[part], (part, group)
            for key, row in by.items():
                assert len(listed(actor, figures.Behind(streets, FOREVER, part, group, key))) == row[part], (part, group, key)
                seen += row[part]
    assert seen > 200


def listed(actor: Any, asked: figures.Behind, size: int = 3) -> list[int]:
    """Every case behind a figure, read page by page."""
    found: list[int] = []
    after = None
    while True:
        page = figures.behind_page(actor, asked, after=after, size=size)
        found += [case.pk for case in page.rows]
        after = page.next_after
        if after is None:
            assert len(set(found)) == len(found), "a page shows a case twice"
            return found


def test_a_list_that_leaves_one_out_would_be_noticed(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of the list: a key that is one too far."""
    for _ in range(4):
        work.closed()
    follow_all()
    real = figures.behind_page

    def skips(actor: Any, asked: figures.Behind, *, after: Any = None, size: int = 50) -> figures.BehindPage:
        return real(actor, asked, after=(after[0], after[1] - 1) if after else None, size=size)

    monkeypatch.setattr(figures, "behind_page", skips)
    asked = figures.Behind((work.world.street.pk,), FOREVER, "closed")
    assert len(listed(work.actor("he"), asked)) < figures.sums(asked.street_ids, FOREVER)["closed"]


def test_an_undone_dispatch_was_no_dispatch(work: Casework) -> None:
    case = work.dispatched()
    event = CaseEvent.objects.filter(case=case, move="dispatch").get()
    services.undo(event.pk, by=work.actor("lin"), at=NOW + timedelta(seconds=2))
    services.dispatch(work.fresh(case, "lin"), lead_id=work.water, by=work.actor("lin"), at=NOW + timedelta(seconds=9))
    follow_all()
    assert "sent_once" in parts_of(case)


def test_counting_takes_as_many_statements_for_many_cases_as_for_few(work: Casework) -> None:
    from tests.statements import statements_of

    for _ in range(2):
        work.closed()
    follow_all()
    few = [work.dispatched(at=NOW + timedelta(days=1)).pk]
    a = statements_of(lambda: counting.count(few))
    many = [work.dispatched(at=NOW + timedelta(days=2)).pk for _ in range(8)]
    with transaction.atomic():
        b = statements_of(lambda: counting.count(many))
    assert len(a) == len(b) <= 11
