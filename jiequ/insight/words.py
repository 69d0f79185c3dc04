"""The words on screen and in files for parts and matters."""

from __future__ import annotations

from django.utils.translation import gettext as _

from jiequ.cases.policy import RETURN_REASONS
from jiequ.cases.queries.types import said


def matter_words() -> dict[str, str]:
    """What each matter is called."""
    return {
        "unsolved": _("结案后居民说未解决"),
        "urgent": _("紧急未结"),
        "repeated": _("多人反映，未结"),
        "decide": _("等您决定"),
        "urge_open": _("督办待回复"),
        "urge_overdue": _("督办超时未回复"),
        "urge_answered": _("督办已回复"),
        "sample_open": _("待抽查"),
        "sample_sound": _("抽查属实"),
        "sample_unsound": _("抽查不实"),
        "returned": _("退单待重派"),
        "bounce_near": _("快到退单上限"),
        "undelivered": _("有通知没送到"),
        "light_red": _("已超期"),
        "light_yellow": _("将到期"),
        "light_green": _("正常"),
        "light_paused": _("挂账"),
        "light_none": _("未计时"),
    }


def matter_word(name: str) -> str:
    """The name of a matter, the reasons of returns among them."""
    if name.startswith("return_"):
        reason = RETURN_REASONS.get(name.removeprefix("return_"))
        return _("退单：%(reason)s") % {"reason": said(*reason) if reason else name.removeprefix("return_")}
    return matter_words().get(name, name)


def light_words() -> dict[str, str]:
    """What each light is called on the board."""
    return {name.removeprefix("light_"): word for name, word in matter_words().items() if name.startswith("light_")}


def part_words() -> dict[str, str]:
    """What the cases behind a figure have in common, in words."""
    return {
        "reported": _("上报的"),
        "valid": _("有效上报的（立案或作废）"),
        "verify_due": _("应核实的"),
        "verify_ontime": _("按时核实的"),
        "filed": _("立案的"),
        "filed_ontime": _("按时立案的"),
        "filed_kept": _("立案后没有作废的"),
        "filed_public": _("公众举报并立案的"),
        "missed": _("公众举报而巡查没有上报的"),
        "found_first": _("街道先于居民发现的"),
        "dispatch_due": _("应派遣的"),
        "dispatch_ontime": _("按时派遣的"),
        "dispatch_clean": _("应派遣而没有返工的"),
        "sent": _("派遣过的"),
        "sent_once": _("只派过一个主办部门的"),
        "hotline_sent": _("热线工单，已派单的"),
        "hotline_accepted": _("热线工单，按时受理的"),
        "hotline_acknowledged": _("热线工单，按时接单的"),
        "handle_due": _("应处置的"),
        "handle_done": _("已处置的"),
        "handle_timed": _("应处置的，扣除申诉成立的"),
        "handle_ontime": _("按时处置的"),
        "worked": _("处置过的"),
        "reworked": _("返工过的"),
        "check_due": _("应核查的"),
        "check_ontime": _("按时核查的"),
        "close_due": _("应结案的"),
        "close_done": _("应结案而已结案的"),
        "close_timed": _("应结案的，扣除申诉成立的"),
        "close_ontime": _("按期结案的"),
        "close_plain": _("应结案的，扣除缓办和申诉成立的"),
        "close_plain_ontime": _("按期结案的，扣除缓办"),
        "turned_late": _("超期的"),
        "closed": _("结案的"),
        "closed_worked": _("正常结案的"),
        "passed_once": _("一次核查通过的"),
        "asked": _("居民反映并已结案的"),
        "rated": _("居民评价过的"),
        "unsolved": _("居民说未解决的"),
        "solved": _("居民说解决的"),
        "satisfied": _("居民满意的"),
        "visited": _("热线工单，评价或回访过的"),
        "visited_solved": _("热线工单，说已解决的"),
        "visited_satisfied": _("热线工单，说满意的"),
        "called": _("热线工单，电话回访过的"),
        "called_solved": _("热线工单，电话回访说已解决的"),
        "called_satisfied": _("热线工单，电话回访说满意的"),
    }
