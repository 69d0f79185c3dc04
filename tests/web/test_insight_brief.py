"""今日简报: the first line is what residents say, every sentence opens its cases, and the notice keeps to working time."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from jiequ.cases import services
from jiequ.cases.models import Case, Report
from jiequ.channels.models import InboxItem, Message
from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.insight import jobs
from jiequ.insight.services import counting
from jiequ.people.rules import Actor
from tests.actors import NOW, MovableClock
from tests.casework import Casework, run_marks

TODAY = NOW.date()
EIGHT = datetime(2026, 3, 4, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai


@pytest.fixture
def morning(work: Casework, clock: MovableClock) -> Casework:
    """Yesterday and today with something of everything."""
    yesterday = NOW - timedelta(days=1)
    late = work.handling(at=NOW - timedelta(days=2))
    run_marks(late, NOW)
    closed = work.closed(at=yesterday)
    report = Report.objects.get(case=closed)
    case = Case.objects.get(pk=closed.pk)
    services.rate(case, report=report, is_solved=False, satisfaction=2, by=Actor.resident(report.pk), at=yesterday)
    work.accepted(is_urgent=True)
    twice = work.dispatched()
    services.me_too(work.fresh(twice, "lin"), account=work.account(), by=Actor.resident(None), at=NOW)
    asked = work.handling()
    services.ask_extend(work.fresh(asked, "wu"), share=0.5, text="要等配件", by=work.actor("wu"), at=NOW)
    while counting.follow(at=NOW).is_behind:
        pass
    return work


def lines_of(text: str) -> list[tuple[str, int, str]]:
    """Each sentence: which, how many, where to."""
    found = re.findall(r'href="([^"]+)"( data-line="(\w+)")? data-n="(\d+)"', text)
    return [(name, int(n), href.replace("&amp;", "&")) for href, _all, name, n in found]


def test_the_first_line_is_what_residents_say_and_every_line_opens_its_cases(morning: Casework) -> None:
    client = morning.world.client("he")
    text = client.get("/brief/").content.decode()
    lines = lines_of(text)
    assert lines[0][:2] == ("unsolved", 1)
    assert text.index("结案后，居民说没有解决：1 件") < text.index("等您决定")
    assert {name for name, _n, _href in lines} >= {"unsolved", "decide", "urgent", "repeated", "light_red", "department"}
    for name, n, href in lines:
        shown = set(re.findall(r"LG-\d{4}-\d{6}", client.get(href).content.decode()))
        assert len(shown) == n, (name, href)
    assert len(lines) >= 12


def test_a_street_without_trouble_says_so_in_the_first_line(work: Casework, clock: MovableClock) -> None:
    text = work.world.client("he").get("/brief/").content.decode()
    assert "结案后，没有居民说未解决" in text
    assert "没有超期的案件" in text


def test_a_verdict_is_gone_from_the_brief_when_the_case_is_taken_up_again(morning: Casework, clock: MovableClock) -> None:
    case = Case.objects.get(state="closed")
    services.reopen(case, text="还在", by=morning.actor("liang"), at=NOW)
    assert "没有居民说未解决" in morning.world.client("he").get("/brief/").content.decode()


def test_the_brief_is_for_leaders_of_the_street(morning: Casework) -> None:
    assert morning.world.client("liang").get("/brief/").status_code == 200
    for name in ("lin", "huang", "du", "xi"):
        assert morning.world.client(name).get("/brief/").status_code == 403
    other = morning.world.other_street.pk
    assert morning.world.client("he").get(f"/brief/?street={other}").status_code == 404


def test_the_first_load_of_the_brief_is_at_most_60_kb(morning: Casework) -> None:
    answer = morning.world.client("he").get("/brief/")
    total = len(gzip.compress(answer.content))
    text = answer.content.decode()
    for address in sorted(set(re.findall(r'(?:href|src)="/static/([^"#]+\.(?:css|js|svg))', text))):
        found: Any = finders.find(address)
        assert found, address
        with open(found, "rb") as file:
            total += len(gzip.compress(file.read()))
    assert total <= 60 * 1024, total


def told(at: datetime) -> set[str]:
    while work_once(at=at, limit=20):
        pass
    return set(InboxItem.objects.filter(message__template="daily_brief").values_list("person__username", flat=True))


def test_at_the_streets_hour_its_leaders_are_told_once(work: Casework) -> None:
    jobs.plan_briefs(at=EIGHT - timedelta(hours=7))
    jobs.plan_briefs(at=EIGHT - timedelta(hours=6))
    assert Job.objects.filter(kind="insight.tell_brief").count() == 2, "one a street"
    assert told(EIGHT - timedelta(minutes=1)) == set()
    assert told(EIGHT + timedelta(minutes=1)) == {"he"}
    message = Message.objects.get(template="daily_brief")
    assert set(message.facts) == {"due"}, "the notice carries no figure and no name"
    page = work.world.client("he").get("/inbox/").content.decode()
    assert "今日简报" in page
    opened = work.world.client("he").post(f"/inbox/{InboxItem.objects.get().pk}/open")
    assert opened["Location"].startswith("/brief/")


def test_nobody_is_told_on_a_day_off_or_after_turning_it_off(work: Casework, clock: MovableClock) -> None:
    saturday = datetime(2026, 3, 6, 16, 20, tzinfo=UTC)  # 00:20 on Saturday in Shanghai
    jobs.plan_briefs(at=saturday)
    assert not Job.objects.filter(kind="insight.tell_brief").exists()
    client = work.world.client("he")
    client.post("/brief/notice", {"on": "0"})
    assert "工作日早上提醒我" in client.get("/brief/").content.decode()
    jobs.plan_briefs(at=EIGHT - timedelta(hours=7))
    assert told(EIGHT + timedelta(hours=1)) == set()
    client.post("/brief/notice", {"on": "1"})
    jobs.plan_briefs(at=EIGHT + timedelta(hours=17))
    assert told(EIGHT + timedelta(hours=25)) == {"he"}


def test_a_street_that_wants_it_before_working_time_is_told_when_work_begins(work: Casework) -> None:
    work.world.street.settings = {"brief_hour": 7}
    work.world.street.save(update_fields=["settings"])
    jobs.plan_briefs(at=EIGHT - timedelta(hours=7))
    assert told(EIGHT - timedelta(minutes=30)) == set()
    assert told(EIGHT + timedelta(seconds=5)) == {"he"}
