"""A year of cases of an invented district, written as plain rows: no service is asked, so a million take a few minutes.

Three streets (half of the cases in the main one) with the demonstration's map and starter types; fixed proportions by a
fixed seed. A case has one report, four events (two where it is still open), a lead task. Audit rows, photos, notices and
timers, which the measured requests do not read, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from random import Random
from typing import Any

from bench import filling

SEED, DAYS, OPEN_SHARE, BATCH = 3, 365, 0.02, 20_000
HOUR, DAY = 3600, 86_400
TEXTS = (
    "巷口垃圾堆了三天没人收",
    "绿化带边上有一大堆垃圾，苍蝇很多",
    "路灯不亮，晚上看不见路",
    "人行道地砖松动，老人容易绊倒",
    "下雨后路口积水到小腿",
    "有人占道经营，过不去",
    "楼下施工噪声到半夜",
    "河道里漂着水浮莲",
    "共享单车乱停放，盲道被堵",
    "井盖破损，车压过去响",
    "树枝挡住了交通信号灯",
    "电动车在楼道里充电",
    "小广告贴满了墙",
    "下水道堵了，污水流到路上",
    "围挡倒了一半，很危险",
    "路面有个大坑",
    "消防通道被车堵住",
    "有流浪狗追人",
    "公厕没有水",
    "公交站牌被撞歪",
)
SOURCES = ("resident", "hotline", "staff")
ROADS = ("鹭江", "龙涧", "枫林", "岚水", "东涌", "桥南", "学士", "望海", "新河", "长堤")
CASE = (
    "number state closing title source event_type_id condition_id street_id community_id unit_grid_id address lon lat q18"
    " raw_x raw_y raw_system clocks yellow_at due_at reported_at accepted_at dispatched_at handled_at ended_at changed_at"
    " lead_id first_lead_id opened_by_id"
).split()
REPORT = "case_id origin_id street_id source words tokens at".split()
EVENTS = """
SELECT c.id, m.move, m.state, CASE m.move WHEN 'close' THEN c.ended_at ELSE c.reported_at END, '林晓', 'acceptor'
FROM cases_case c CROSS JOIN (
    SELECT 1 AS place, 'report' AS move, 'reported' AS state UNION ALL SELECT 2, 'accept', 'accepted'
    UNION ALL SELECT 3, 'dispatch', 'dispatched' UNION ALL SELECT 4, 'close', 'closed'
) m
WHERE m.place <= 2 OR c.state = 'closed'
ORDER BY c.id, m.place
"""
TASKS = """
SELECT id, 'lead', CASE WHEN state IN ('dispatched', 'handling', 'handled') THEN 'open' ELSE 'done' END, street_id, lead_id,
       reported_at, 1, ended_at
FROM cases_case ORDER BY id
"""


@dataclass(frozen=True)
class Ground:
    """What a case of one street is made of."""

    street_id: int
    prefix: str
    grids: list[tuple[int, int, float, float]]
    departments: list[int]
    operator: int


def fill(cases: int, at: datetime) -> None:
    """All rows, the counters behind the numbers, the map's counts, and the databases' statistics."""
    from django.db import connection

    from jiequ.cases.models import Case, CaseEvent, Report, Task
    from jiequ.cases.services import rollups
    from jiequ.core.models import Counter
    from jiequ.web.cli.migrate import as_owner

    grounds = _grounds()
    with as_owner(), filling.bare(Case, Report, CaseEvent, Task):
        _write(cases, at, grounds)
    years = (at.year - 1, at.year)
    Counter.objects.bulk_create(Counter(name=f"{ground.prefix}-{year}", value=cases) for ground in grounds for year in years)
    rollups.recount(repair=True)
    with as_owner(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('cases_case', 'id'), {cases})")
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def _write(cases: int, at: datetime, grounds: list[Ground]) -> None:
    """Cases and reports row by row, what follows from them by the database."""
    from jiequ.cases.models import Case, CaseEvent, Report, Task

    into_cases, into_reports = filling.Loader(Case, "id", *CASE), filling.Loader(Report, *REPORT)
    made = _rows(cases, at, grounds)
    while batch := list(islice(made, BATCH)):
        into_cases(case for case, _report in batch)
        into_reports(report for _case, report in batch)
    filling.insert_from(CaseEvent, "case_id move state at by_name by_role", EVENTS)
    filling.insert_from(Task, "case_id kind state street_id department_id opened_at opened_version done_at", TASKS)


def _rows(cases: int, at: datetime, grounds: list[Ground]) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Each case and its report, as the tables have them."""
    from jiequ.grid.rules import q18

    rng, conditions, split = Random(SEED), _conditions(), _splitter(grounds[0].street_id)
    choice, uniform, random, randrange = rng.choice, rng.uniform, rng.random, rng.randrange
    now, most = int(at.timestamp()), len(conditions) - 1
    for n in range(1, cases + 1):
        ground = grounds[0] if random() < 0.5 else choice(grounds[1:])
        condition_id, type_id, name = conditions[min(int(rng.expovariate(0.05)), most)]
        grid, community, lon, lat = choice(ground.grids)
        lon, lat = lon + uniform(-4e-4, 4e-4), lat + uniform(-4e-4, 4e-4)
        began = now - DAYS * DAY + DAYS * DAY * n // cases - 300
        reported = moment(began)
        is_open = n > cases * 0.9 and random() < OPEN_SHARE * 10
        state = choice(("accepted", "dispatched", "handling", "handled", "checking", "returned")) if is_open else "closed"
        lead, words, address = choice(ground.departments), choice(TEXTS), f"{choice(ROADS)}路{randrange(1, 401)}号"
        due = now + HOUR * randrange(-48, 97) if is_open and state != "checking" else None
        ended = None if is_open else moment(began + HOUR * randrange(2, 91))
        number = f"{ground.prefix}-{reported[:4]}-{n:06d}"
        case = (
            *(n, number, state, "" if is_open else "normal", name, choice(SOURCES), type_id, condition_id),
            *(ground.street_id, community, grid, address, lon, lat, q18(lon, lat), lon, lat, "cgcs2000", "{}"),
            *(due and moment(due - 8 * HOUR), due and moment(due), reported, reported, reported, reported),
            *(ended, ended or reported, lead, lead, ground.operator),
        )
        yield case, (n, n, ground.street_id, "resident", words, split(ground.street_id, name, address, words), reported)


def moment(second: int) -> str:
    """A moment of UTC as both databases read it."""
    return str(datetime.fromtimestamp(second, UTC))[:19]


def _splitter(street_id: int) -> Callable[..., str]:
    """``searching.split``, each part split once: there are some thousands of them."""
    from jiequ.cases import bigrams
    from jiequ.cases.services import searching

    part = cache(lambda text: bigrams.indexed([text]))

    def split(street_id: int, *parts: str) -> str:
        return " ".join([bigrams.scope("s", street_id), *map(part, parts)])

    sample = ("垃圾", "鹭江路12号", TEXTS[0])
    assert split(street_id, *sample) == searching.split(street_id, sample)
    return split


def _grounds() -> list[Ground]:
    from jiequ.core.models import Street
    from jiequ.grid.models import UnitGrid
    from jiequ.people.models import Department, Post

    return [
        Ground(
            street.pk,
            street.prefix,
            list(UnitGrid.objects.filter(street=street).values_list("pk", "community", "lon", "lat")),
            list(Department.objects.filter(street=street, kind__in=["office", "contractor"]).values_list("pk", flat=True)[:12]),
            Post.objects.filter(street=street, role="acceptor").order_by("pk").values_list("person", flat=True)[0],
        )
        for street in Street.objects.order_by("code9")
    ]


def _conditions() -> list[Any]:
    from jiequ.cases.models import FilingCondition

    return list(FilingCondition.objects.order_by("pk").values_list("pk", "edition__event_type", "edition__name_zh"))
