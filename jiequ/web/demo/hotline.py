"""The demonstration's 12345: a source with a map, the year's orders, what callers said afterwards, and some for today.

All of it is invented here. The year's cases are written by ``past``; this adds what a hotline would know of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from jiequ.cases import clocks as c
from jiequ.cases.models import Report
from jiequ.cases.services import HOTLINE_NAME
from jiequ.core.bulk import store
from jiequ.core.models import Street
from jiequ.core.worktime import ZONE
from jiequ.doors.hotline import services
from jiequ.doors.hotline.models import Order, Source, Visit
from jiequ.people.rules import Actor

SLUG = "demo-12345"
CALLED_BACK = 0.7
"""So many of the closed orders were called back when the year was over."""
MAP = """source = "demo-12345"
name = "12345（演示）"
dates = ["%Y-%m-%d %H:%M:%S"]
coordinates = "cgcs2000"

[columns]
number = "工单编号"
created = "来电时间"
due = "办理时限"
kind = "工单种类"
type = "问题类别"
words = "诉求内容"
place = "事发地址"
street = "所属街道"
contact_name = "来电人"
contact_phone = "联系电话"

[types]
"流动摊贩" = "0401"
"违规停车" = "0411"
"噪声扰民" = "0128"

[streets]
"{street}" = "{code}"

[limits]
"咨询" = 2
"求助" = 10
"建议" = 10
"投诉" = 15
"""
TODAY = (
    ("求助", "违规停车", "小区门口的消防通道又停满了车，救护车进不去。", "来访楼前"),
    ("投诉", "噪声扰民", "楼下商铺的喇叭从早叫到晚，说过几次都没用。", "沿街商铺"),
    ("咨询", "流动摊贩", "想问夜市几点收摊，路口晚上还走不走得通。", "路口"),
    ("建议", "路灯不亮", "这段人行道晚上很黑，建议加一盏灯。", "人行道"),
)
"""Kind, type (the last is in no map: it waits on the review list), words, place."""


def open_line(street: Street, at: datetime) -> Source:
    """The source, once; with its first map. Not trusted: its orders wait at the desk like everybody else's."""
    known = Source.objects.filter(slug=SLUG).first()
    if known is not None:
        return known
    by = Actor.system()
    source, _token = services.make_source(name=HOTLINE_NAME, slug=SLUG, street_id=None, is_trusted=False, by=by, at=at)
    services.save_map(source, MAP.replace("{street}", street.name_zh).replace("{code}", street.code9), by=by, at=at)
    source.refresh_from_db()
    return source


def take_up(street: Street, now: datetime, *, since: datetime, until: datetime) -> int:
    """The orders behind the hotline's cases of these days, and the call-backs of those that are over. How many orders."""
    source = open_line(street, now)
    told = Report.objects.filter(street=street, system=HOTLINE_NAME, at__gte=since, at__lt=until).exclude(source_ref="")
    reports = list(told.select_related("case").order_by("pk"))
    store([_order(source, one) for one in reports], ignore_conflicts=True)
    store(list(_visits(source, reports, now)), ignore_conflicts=True)
    return len(reports)


def _order(source: Source, report: Report) -> Order:
    outer = c.load(report.case.clocks).get(c.ClockKind.OUTER)
    return Order(
        source=source,
        number=report.source_ref,
        said_hash=report.source_ref,
        state=Order.State.TAKEN,
        case=report.case,
        due_at=outer.due_at if outer else None,
        is_end_told=report.case.ended_at is not None,
        first_at=report.at,
        last_at=report.at,
    )


def _visits(source: Source, reports: list[Report], now: datetime) -> Iterator[Visit]:
    """A day or two after the end; most callers are content, some cannot be reached."""
    for report in reports:
        dice = Random(f"visit{report.source_ref}")
        ended = report.case.ended_at
        if ended is None or report.case.state != "closed" or dice.random() > CALLED_BACK:
            continue
        at = ended + timedelta(hours=dice.uniform(20, 50))
        if at > now:
            continue
        is_heard = dice.random() < 0.88
        solved = dice.random() < 0.86 if is_heard else None
        yield Visit(
            source=source,
            ref=f"HF-{report.source_ref}",
            said_hash=report.source_ref,
            case=report.case,
            contacted=is_heard,
            solved=solved,
            satisfaction=None if solved is None else dice.choice((5, 5, 4, 4, 3) if solved else (1, 2, 3)),
            at=at,
            received_at=at,
        )


def call_today(street: Street, at: datetime) -> int:
    """What a desk has of a hotline on a plain day: orders to take on, one that cannot be read, one that came changed."""
    source = open_line(street, at)
    reader = services.Reader(source, at=at)
    cells = [_cells(street, number, at) for number in range(len(TODAY))]
    unreadable = {**cells[0], "工单编号": f"{_day(at)}90", "来电时间": "昨天下午"}
    changed = {**cells[1], "诉求内容": cells[1]["诉求内容"] + "昨晚十点还在响。"}
    received = [services.receive(reader, one, at=at) for one in (*cells, unreadable, changed)]
    return len(received)


def _day(at: datetime) -> str:
    return f"YS{at.astimezone(ZONE):%y%m%d}"


def _cells(street: Street, number: int, at: datetime) -> dict[str, str]:
    kind, what, words, place = TODAY[number]
    called = at - timedelta(minutes=25 + 7 * number)
    return {
        "工单编号": f"{_day(at)}{number:02}",
        "来电时间": f"{called.astimezone(ZONE):%Y-%m-%d %H:%M:%S}",
        "办理时限": "",
        "工单种类": kind,
        "问题类别": what,
        "诉求内容": words,
        "事发地址": place,
        "所属街道": street.name_zh,
        "来电人": "",
        "联系电话": "",
    }
