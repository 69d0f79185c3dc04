"""The board and the indicators as supervisors and leaders use them: numbers that open their cases, urging, samples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, Report, Task
from jiequ.insight.services import counting
from jiequ.people.rules import Actor
from tests.actors import NOW, MovableClock, make_world
from tests.casework import Casework, make_condition, run_marks
from tests.statements import statements_of
from tests.support.kept import kept

WATCHERS = ("he", "liang", "du")


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Casework]:
    yield from kept(django_db_blocker, lambda: in_every_light(Casework(make_world(), make_condition())))


@pytest.fixture
def busy(made: Casework, db: None, clock: MovableClock) -> Casework:
    return deepcopy(made)


def in_every_light(work: Casework) -> Casework:
    """A street with cases in every light: late, soon late, new, closed and rated unsolved, returned, urged, sampled."""
    work.world.street.settings = {"closed_sample": 1.0, "compare_min_n": 5}
    work.world.street.save(update_fields=["settings"])
    late = [work.handling(at=NOW - timedelta(days=3)) for _ in range(2)]
    for case in late:
        run_marks(case, NOW)
    services.urge(work.fresh(late[0], "he"), by=work.actor("he"), at=NOW - timedelta(days=2), text="请抓紧")
    work.dispatched()
    closed = [work.closed() for _ in range(5)]
    report = Report.objects.get(case=closed[0])
    case = Case.objects.get(pk=closed[0].pk)
    services.rate(case, report=report, is_solved=False, satisfaction=1, by=Actor.resident(report.pk), at=NOW)
    back = work.dispatched()
    services.return_case(work.fresh(back, "wu"), reason_code="wrong_type", text="不是", by=work.actor("wu"), at=NOW)
    while counting.follow(at=NOW).is_behind:
        pass
    return work


def numbers_on(text: str) -> dict[str, tuple[int, str]]:
    """Each figure of the board: its name, its number, where it leads."""
    found = re.findall(r'class="figure-card" href="([^"]+)"[^>]*data-figure="(\w+)"><b>(\d+)</b>', text)
    return {name: (int(n), href.replace("&amp;", "&")) for href, name, n in found}


def rows_of(client: Client, href: str) -> list[str]:
    """The numbers of every case of a list, page by page."""
    found: list[str] = []
    while href:
        text = client.get(href).content.decode()
        found += re.findall(r'<small class="number">(LG-[\d-]+)</small>', text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        base = href.split("?")[0]
        href = base + following.group(1).replace("&amp;", "&") if following else ""
    return found


@pytest.mark.parametrize("name", WATCHERS)
def test_every_number_of_the_board_opens_as_many_cases(busy: Casework, name: str) -> None:
    client = busy.world.client(name)
    query = {"street": busy.world.street.pk} if name == "du" else {}
    figures = numbers_on(client.get("/board/", query).content.decode())
    assert len(figures) > 15
    for figure, (n, href) in figures.items():
        assert len(rows_of(client, href)) == n, figure
    assert figures["light_red"][0] == 2
    assert figures["unsolved"][0] == 1
    assert figures["urge_open"][0] == 2, "the leader's, and the clock's own at red"
    assert figures["urge_overdue"][0] == 2
    assert figures["sample_open"][0] == 5
    assert figures["returned"][0] == 1
    assert figures["return_wrong_type"][0] == 1


def test_the_lights_by_department_add_up_to_the_street(busy: Casework) -> None:
    client = busy.world.client("he")
    text = client.get("/board/").content.decode()
    for group in ("department", "community", "type"):
        links = re.findall(rf'href="(/board/light_\w+/\?[^"]*group={group}[^"]*)">(\d+)</a>', text)
        assert sum(int(n) for _href, n in links) == Case.objects.exclude(state="closed").count()
        for href, n in links:
            assert len(rows_of(client, href.replace("&amp;", "&"))) == int(n)


def test_one_tap_on_the_board_urges_one_case_and_ticks_urge_several(busy: Casework, clock: MovableClock) -> None:
    client = busy.world.client("he")
    red = list(Case.objects.filter(state="handling").order_by("pk"))
    before = Task.objects.filter(kind="urge").count()
    answer = client.post("/cases/urge", {"one": red[0].number, "next": "/board/"})
    assert (answer.status_code, answer["Location"]) == (303, "/board/")
    assert Task.objects.filter(kind="urge").count() == before + 1
    client.post("/cases/urge", {"number": [c.number for c in red], "text": "今天办结", "next": "/board/"})
    assert Task.objects.filter(kind="urge", asked="今天办结").count() == 2
    assert "已督办 2 件" in client.get("/board/").content.decode()


def test_one_that_cannot_be_urged_holds_up_no_other_and_is_named(busy: Casework, clock: MovableClock) -> None:
    client = busy.world.client("liang")
    closed = Case.objects.filter(state="closed").first()
    red = Case.objects.filter(state="handling").first()
    assert closed
    assert red
    client.post("/cases/urge", {"number": [closed.number, red.number], "next": "/board/"})
    text = client.get("/board/").content.decode()
    assert "已督办 1 件" in text
    assert f"{closed.number}：" in text


def test_urging_nothing_or_another_streets_case_is_refused(busy: Casework, clock: MovableClock) -> None:
    client = busy.world.client("he")
    assert client.post("/cases/urge", {"next": "/board/"}).status_code == 422
    assert busy.world.client("wai").post("/cases/urge", {"one": "LG-2026-000001"}).status_code == 403
    assert busy.world.client("huang").post("/cases/urge", {"one": "LG-2026-000001"}).status_code == 403


def test_a_sample_that_is_not_sound_opens_the_case_again_in_one_step(busy: Casework, clock: MovableClock) -> None:
    case = Case.objects.filter(state="closed", tasks__kind="sample", tasks__state="open").order_by("pk").first()
    assert case is not None
    client = busy.world.client("du")
    page = client.get(f"/cases/{case.number}/do/sample").content.decode()
    assert 'name="do_again"' in page
    client.post(f"/cases/{case.number}/do/sample", {"is_sound": "no", "text": "", "do_again": "on"})
    assert Case.objects.get(pk=case.pk).state == "closed", "not sound needs a sentence"
    client.post(f"/cases/{case.number}/do/sample", {"is_sound": "no", "text": "现场还有垃圾", "do_again": "on"})
    assert Case.objects.get(pk=case.pk).state == "reopened"
    assert Task.objects.get(case=case, kind="sample").outcome == "unsound"
    figures = numbers_on(client.get("/board/", {"street": case.street_id}).content.decode())
    assert figures["sample_unsound"][0] == 1


def test_a_case_that_was_taken_up_again_once_cannot_be_by_a_sample_and_nothing_is_stored(
    busy: Casework, clock: MovableClock
) -> None:
    case = Case.objects.filter(state="closed").order_by("pk").first()
    assert case is not None
    Case.objects.filter(pk=case.pk).update(reopens=1)
    answer = busy.world.client("du").post(
        f"/cases/{case.number}/do/sample", {"is_sound": "no", "text": "还有垃圾", "do_again": "on"}
    )
    assert answer.status_code == 422
    assert Task.objects.get(case=case, kind="sample").state == "open"


def test_every_figure_of_the_indicators_opens_as_many_cases(busy: Casework) -> None:
    client = busy.world.client("he")
    text = client.get("/indicators/").content.decode()
    links = re.findall(r'<a href="(/indicators/cases/[^"]+)" aria-label="[^"]*">(\d+)</a>', text)
    assert len(links) >= 2 * 24
    for href, n in links:
        assert len(rows_of(client, href.replace("&amp;", "&"))) == int(n), href
    assert text.index("居民说未解决") < text.index("按期结案率")
    assert text.count("公式未核实") >= 3
    assert text.count("评价率") > 20, "beside every rate"


@pytest.mark.parametrize("by", ["department", "community", "type"])
def test_a_comparison_opens_its_cases_and_below_the_least_number_shows_no_figure(busy: Casework, by: str) -> None:
    client = busy.world.client("he")
    text = client.get("/indicators/close_ontime/", {"by": by}).content.decode()
    links = re.findall(rf'href="(/indicators/cases/[^"]*group={by}[^"]*)">(\d+)</a>', text)
    assert links
    for href, n in links:
        assert len(rows_of(client, href.replace("&amp;", "&"))) == int(n)
    busy.world.street.settings = {"compare_min_n": 100}
    busy.world.street.save(update_fields=["settings"])
    few = client.get("/indicators/close_ontime/", {"by": by}).content.decode()
    assert "样本不足" in few
    assert not re.findall(rf'part=close_ontime[^"]*group={by}', few), "no numerator either"


def test_figures_about_posts_are_compared_by_community_only(busy: Casework) -> None:
    client = busy.world.client("he")
    for key in ("miss_rate", "verify_ontime", "check_ontime", "found_first"):
        text = client.get(f"/indicators/{key}/", {"by": "department"}).content.decode()
        assert "只按社区比较" in text
        assert "group=department" not in text


def test_the_chart_is_data_and_a_table_says_the_same_without_scripts(busy: Casework) -> None:
    answer = busy.world.client("he").get("/indicators/close_rate/", {"period": "week"})
    text = answer.content.decode()
    assert '<script id="chart-data" type="application/json">' in text
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert len(re.findall(r'<td class="number">2026-03-0\d</td>', text)) >= 7


@pytest.mark.parametrize("address", ["/board/", "/indicators/", "/indicators/cases/?part=filed", "/board/light_red/"])
def test_a_leader_sees_no_other_streets_figures(busy: Casework, address: str) -> None:
    other = busy.world.other_street.pk
    mark = "&" if "?" in address else "?"
    assert busy.world.client("he").get(f"{address}{mark}street={other}").status_code == 404
    assert busy.world.client("du").get(f"{address}{mark}street={other}").status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/board/no_such/", 404),
        ("/board/light_red/?group=person&of=1", 404),
        ("/indicators/no_such/", 404),
        ("/indicators/cases/?part=handler", 422),
        ("/indicators/cases/?part=filed&group=person", 422),
        ("/indicators/?period=year", 422),
        ("/indicators/?period=any&since=2026-03-09&last=2026-03-01", 422),
        ("/indicators/?period=any&since=2020-01-01&last=2026-03-01", 422),
        ("/indicators/?period=day&day=2026-02-31", 422),
        ("/indicators/?street=x", 422),
        ("/indicators/cases/?part=filed&after=x~y", 200),
    ],
)
def test_what_is_asked_wrongly_is_told_so(busy: Casework, address: str, status: int) -> None:
    assert busy.world.client("he").get(address).status_code == status


@pytest.mark.parametrize(
    "query", ["period=day", "period=week", "period=month", "period=quarter", "period=any&since=2026-01-01&last=2026-06-30"]
)
def test_any_period_is_shown_with_the_one_in_front_of_it(busy: Casework, query: str) -> None:
    text = busy.world.client("he").get(f"/indicators/?{query}").content.decode()
    assert "前一段" in text


def test_a_page_of_figures_reads_the_days_and_no_case(busy: Casework) -> None:
    client = busy.world.client("he")
    client.get("/indicators/")
    asked = statements_of(lambda: client.get("/indicators/"))
    assert len(asked) <= 9
    assert not [sql for sql in asked if "cases_case" in sql or "insight_casecount" in sql]


def test_the_board_costs_as_many_statements_for_many_cases_as_for_few(busy: Casework, clock: MovableClock) -> None:
    client = busy.world.client("he")
    client.get("/board/")
    few = len(statements_of(lambda: client.get("/board/")))
    for _ in range(6):
        busy.handling(at=NOW - timedelta(days=3))
    many = len(statements_of(lambda: client.get("/board/")))
    assert few == many <= 32
