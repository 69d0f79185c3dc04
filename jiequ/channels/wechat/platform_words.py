"""What the platform shows in its one language: names in menus and tags, what labels of templates say. Data, no texts of ours.

Names of menus: at most 4 Chinese characters, 7 below. A button is (name, kind, what): "key" is tapped and answered in the chat,
"page" opens a route of ours.
"""

from __future__ import annotations

from datetime import datetime

Button = tuple[str, str, str]
Column = tuple[str, tuple[Button, ...]]

TAGS = {"leader": "街区-领导", "desk": "街区-中心", "field": "街区-一线"}
"""The groups of staff with a menu of their own, and what the platform's tags are called."""

_CHAT, _FORM = ("聊天上报", "key", "report"), ("填表上报", "page", "cases:report")
_MINE, _WISH = ("我的上报", "key", "mine"), ("意见建议", "page", "web:feedback")
_STAFF: tuple[Column, ...] = (
    ("上报", (_CHAT, _FORM)),
    ("我的", (_MINE, ("消息", "page", "channels:inbox"), _WISH)),
)
MENUS: dict[str, tuple[Column, ...]] = {
    "": (
        ("我要上报", (_CHAT, _FORM)),
        (
            "我的上报",
            (
                _MINE,
                ("打开我的上报", "page", "cases:own_list"),
                ("查进度", "key", "progress"),
                ("按编号查询", "page", "cases:query"),
            ),
        ),
        ("意见建议", (_WISH, ("隐私告知", "key", "privacy"), ("使用帮助", "key", "help"))),
    ),
    "leader": (
        ("待处理", (("待处理", "key", "pending"), ("打开待处理", "page", "cases:leader"), ("今日简报", "key", "brief"))),
        *_STAFF,
    ),
    "desk": (("待办", (("待办", "key", "todo"), ("打开待办", "page", "cases:todo"), ("今日简报", "key", "brief"))), *_STAFF),
    "field": (("待办", (("待办", "key", "todo"), ("打开待办", "page", "cases:todo"))), *_STAFF),
}

NEUTRAL = "有新进展"
"""In a field of five characters, for an occasion whose name is longer."""

LABELS = (
    ("number", ("编号", "单号", "号码", "流水")),
    ("due", ("期限", "截止", "时限", "到期")),
    ("sent", ("时间", "日期")),
    ("grid", ("网格", "地点", "区域", "位置")),
    ("title", ("状态", "结果", "环节", "事由", "进度", "进展", "备注", "说明")),
    ("type", ("类型", "类别", "事项", "名称", "内容", "问题", "标题")),
)
"""What a field's label says it is filled from; the first that fits."""

FOR_RESIDENTS = ("上报", "受理", "结果", "反馈", "诉求", "评价")
"""What titles of templates for residents say."""

OPEN = {"zh-hans": "点此查看", "en": "Open"}
MOMENT = r"\d{4}年\d{1,2}月\d{1,2}日( \d{2}:\d{2})?"


def moment(local: datetime) -> str:
    """A local time as a field of the types time and date takes it."""
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
