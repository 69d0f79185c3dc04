"""Sample content of the style page. Shown in demo and development only; touches no table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal

TONES = ("plain", "brand", "go", "wait", "done", "stop")
LIGHTS = ("green", "yellow", "red", "paused", "done", "none")


def everything(now: datetime) -> dict[str, Any]:
    """What the style page draws, with times around ``now``."""
    refusal = Refusal("needs_photo", _("办结这个案件需要处置前、处置后各一张照片，现在只有处置前的。"))
    undo = {"url": "/style", "text": _("已派给 环卫站"), "key": "sample", "seconds": 10}
    return {
        "now": now,
        "rows": _rows(now),
        "steps": _steps(3),
        "entries": _entries(now),
        "lights": LIGHTS,
        "badges": _badges(),
        "sample_refusal": refusal,
        "undo": undo,
        "filters": [(_("待受理"), 12, True), (_("待派遣"), 5, False), (_("待回复督办"), 2, False), (_("全部"), 318, False)],
        "figures": [
            (_("已超期"), 7, "red"),
            (_("今天到期"), 19, "yellow"),
            (_("办理中"), 143, ""),
            (_("今天办结"), 61, ""),
        ],
    }


def _rows(now: datetime) -> list[dict[str, Any]]:
    def row(
        number: int, type_name: str, place: str, light: str, hours: float, state: str, tone: str, away: int
    ) -> dict[str, Any]:
        return {
            "url": "#",
            "number": f"LG-2026-{number:06d}",
            "type_name": type_name,
            "place": place,
            "light": light,
            "due_at": now + timedelta(hours=hours),
            "is_provisional": hours > 1000,
            "state": state,
            "state_tone": tone,
            "distance_m": away,
        }

    return [
        row(1207, _("河道堵塞"), _("沙涌桥东侧 30 米，荔涌社区"), "red", -3.2, _("处置中"), "go", 140),
        row(1211, _("井盖缺失"), _("学府路 18 号门前"), "yellow", 0.6, _("待确认"), "wait", 420),
        row(1198, _("暴露生活垃圾"), _("新围村三巷口"), "green", 22, _("处置中"), "go", 860),
        row(1153, _("违法搭建"), _("石岗社区 7 栋楼顶"), "paused", 1400, _("挂账"), "plain", 1730),
    ]


def verbs() -> tuple[str, ...]:
    """The eight verbs of the loop, in order."""
    return (_("发现"), _("受理"), _("分流"), _("处置"), _("跟踪"), _("督办"), _("反馈"), _("评价"))


def _steps(now_at: int) -> list[dict[str, str]]:
    marks = ["past" if i < now_at else "now" if i == now_at else "next" for i in range(8)]
    return [{"label": label, "mark": mark} for label, mark in zip(verbs(), marks, strict=True)]


def _entries(now: datetime) -> list[dict[str, Any]]:
    def entry(hours: float, title: str, who: str, text: str = "", tone: str = "") -> dict[str, Any]:
        return {"at": now - timedelta(hours=hours), "title": title, "who": who, "text": text, "tone": tone}

    return [
        entry(0.3, _("督办"), _("何（街道领导）"), _("今晚有雨，请先清出过水断面。")),
        entry(1.1, _("已过时限"), "", _("限 4 个工作时，已用 4 小时 10 分。"), "clock"),
        entry(3, _("退回"), _("黄（水务所）"), _("打捞船归环卫站管，请加派环卫站。"), "stop"),
        entry(5.5, _("派遣"), _("林（派遣员）"), _("主办：水务所；协办：环卫站、荔涌社区。")),
        entry(6, _("上报"), _("居民"), _("桥下全是水葫芦，水漫上步道了。")),
    ]


def _badges() -> list[tuple[str, str]]:
    names = (_("已上报"), _("荔涌社区"), _("处置中"), _("待核查"), _("已办结"), _("已退回"))
    return list(zip(names, TONES, strict=True))
