"""A hotline's words on screen."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.core import outgoing_words

from .models import Letter, Order, Visit

RATES: dict[str, Promise] = {
    "response": gettext_lazy("响应率"),
    "solve": gettext_lazy("解决率"),
    "satisfy": gettext_lazy("满意率"),
}
PARTS: dict[str, Promise] = {
    "received": gettext_lazy("收到的工单"),
    "kept": gettext_lazy("收到且未退回的工单"),
    "sent": gettext_lazy("已派单的工单"),
    "accepted_ontime": gettext_lazy("按时受理的工单"),
    "acknowledged_ontime": gettext_lazy("主办部门按时接单的工单"),
    "contacted": gettext_lazy("热线回访说已联系来电人的工单"),
    "answered": gettext_lazy("已答复热线的工单"),
    "answered_ontime": gettext_lazy("在工单时限内答复热线的工单"),
    "visited": gettext_lazy("热线回访过的工单"),
    "heard": gettext_lazy("有效回访的工单"),
    "solved": gettext_lazy("回访说“已解决”的工单"),
    "satisfied": gettext_lazy("回访说“满意”的工单"),
}
ORDER_TONES = {"taken": "done", "refused": "stop", "update": "wait", "settled": "done", "dismissed": "plain"}
LETTER_TONES = {"waiting": "wait", "delivered": "done", "not_delivered": "stop", "withdrawn": "plain"}
FAULTS: dict[str, Promise] = {
    **outgoing_words.FAULTS,
    "settled": gettext_lazy("已经由人登记了答复"),
    "no_folder": gettext_lazy("没有设置热线文件夹"),
    "no_way_out": gettext_lazy("已改为不回传，请人工联系热线"),
    "not_written": gettext_lazy("写不进文件夹"),
    "bad_url": gettext_lazy("地址不完整"),
}


def formula(pair: tuple[str, str]) -> str:
    """A formula as it is read."""
    return f"{PARTS[pair[0]]} / {PARTS[pair[1]]}"


def order_state(order: Order) -> str:
    """An order's state."""
    return str(Order.State(order.state).label)


def answer_words(letter: Letter) -> str:
    """What the hotline answered."""
    if letter.answer:
        return _("同意") if letter.answer == "yes" else _("不同意")
    return _("等待答复") if letter.task_id else ""


def verdict(visit: Visit) -> str:
    """A call-back in one line."""
    said = []
    if visit.contacted is not None:
        said.append(_("已联系来电人") if visit.contacted else _("没有联系来电人"))
    if visit.solved is not None:
        said.append(_("已解决") if visit.solved else _("未解决"))
    if visit.satisfaction is not None:
        said.append(_("满意度 %(n)d（5 为最高）") % {"n": visit.satisfaction})
    return "，".join(said)  # data
