"""A year of cases of an invented district, written as plain rows: no service is asked, so a million take minutes.

Three streets (half of the cases in the main one) with the demonstration's map and starter types; fixed proportions by a
fixed seed. A case has one report, four events (two where it is still open), a lead task. Audit rows, photos, notices and
timers, which the measured requests do not read, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

SEED, DAYS, OPEN_SHARE, BATCH = 3, 365, 0.02, 5000
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
AT_WORK = ("dispatched", "handling", "handled")
ROADS = ("鹭江", "龙涧", "枫林", "岚水", "东涌", "桥南", "学士", "望海", "新河", "长堤")
CASE = (
    "id number state closing title source event_type_id condition_id street_id community_id unit_grid_id address lon lat q18"
    " raw_x raw_y raw_system clocks yellow_at due_at reported_at accepted_at dispatched_at handled_at ended_at changed_at"
    " lead_id first_lead_id opened_by_id"
).split()
REPORT = "case_id origin_id street_id source words place_words tokens at by_id".split()
EVENT = "case_id move state at by_id by_name by_role".split()
TASK = "case_id kind state street_id department_id opened_at opened_version done_at".split()


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

    from jiequ.cases.services import rollups
    from jiequ.core.db import writing
    from jiequ.core.models import Counter
    from jiequ.web.cli.migrate import as_owner

    rng, grounds, conditions = Random(SEED), _grounds(), _conditions()
    for first in range(1, cases + 1, BATCH):
        with writing():
            _write([_Case(n, cases, at, rng, grounds, conditions) for n in range(first, min(first + BATCH, cases + 1))])
    years = (at.year - 1, at.year)
    Counter.objects.bulk_create(Counter(name=f"{ground.prefix}-{year}", value=cases) for ground in grounds for year in years)
    rollups.recount(repair=True)
    with as_owner(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('cases_case', 'id'), {cases})")
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


class _Case:
    """One case's rows."""

    def __init__(self, n: int, cases: int, at: datetime, rng: Random, grounds: list[Ground], conditions: list[Any]) -> None:
        from jiequ.cases.services import searching
        from jiequ.grid.rules import q18

        ground = grounds[0] if rng.random() < 0.5 else rng.choice(grounds[1:])
        condition_id, type_id, name = conditions[min(int(rng.expovariate(0.05)), len(conditions) - 1)]
        grid, community, lon, lat = rng.choice(ground.grids)
        lon, lat = lon + rng.uniform(-4e-4, 4e-4), lat + rng.uniform(-4e-4, 4e-4)
        began = at - timedelta(days=DAYS) + timedelta(days=DAYS) * (n / cases) - timedelta(minutes=5)
        is_open = n > cases * 0.9 and rng.random() < OPEN_SHARE * 10
        state = rng.choice(("accepted", "dispatched", "handling", "handled", "checking", "returned")) if is_open else "closed"
        lead = rng.choice(ground.departments)
        words, address = rng.choice(TEXTS), f"{rng.choice(ROADS)}路{rng.randint(1, 400)}号"
        due = at + timedelta(hours=rng.randint(-48, 96)) if is_open and state != "checking" else None
        ended = None if is_open else began + timedelta(hours=rng.randint(2, 90))
        closing = "" if is_open else "normal"
        number, source = f"{ground.prefix}-{began.year}-{n:06d}", rng.choice(("resident", "hotline", "staff"))
        self.case = (
            *(n, number, state, closing, name, source, type_id, condition_id),
            *(ground.street_id, community, grid, address, lon, lat, q18(lon, lat), lon, lat, "cgcs2000", {}),
            *(due and due - timedelta(hours=8), due, began, began, began, began, ended, ended or began),
            *(lead, lead, ground.operator),
        )
        tokens = searching.split(ground.street_id, [name, address, words])
        self.report = (n, n, ground.street_id, "resident", words, address, tokens, began, None)
        moves = (("report", "reported"), ("accept", "accepted"), ("dispatch", "dispatched"), ("close", "closed"))
        self.events = [(n, move, to, began, None, "林晓", "acceptor") for move, to in (moves[:2] if is_open else moves)]
        self.task = (n, "lead", "open" if state in AT_WORK else "done", ground.street_id, lead, began, 1, ended)


def _write(made: list[_Case]) -> None:
    from jiequ.cases.models import Case, CaseEvent, Report, Task
    from jiequ.core.bulk import Inserter

    Inserter(Case, *CASE)(one.case for one in made)
    Inserter(Report, *REPORT)(one.report for one in made)
    Inserter(CaseEvent, *EVENT)(event for one in made for event in one.events)
    Inserter(Task, *TASK)(one.task for one in made)


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
