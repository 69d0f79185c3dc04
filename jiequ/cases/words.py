"""The words on screen for states, moves, clocks and reasons: one place, both languages."""

from __future__ import annotations

import re

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from . import policy
from .clocks import ClockKind
from .flow import State

Words = Promise | str

STATES: dict[str, Words] = {
    State.REPORTED: _("待受理"),
    State.VERIFYING: _("核实中"),
    State.REJECTED: _("不予受理"),
    State.ACCEPTED: _("已立案"),
    State.DISPATCHED: _("已分流"),
    State.RETURNED: _("已退单"),
    State.HANDLING: _("处置中"),
    State.SUSPENDED: _("已挂账"),
    State.HANDLED: _("待部门确认"),
    State.CHECKING: _("核查中"),
    State.REWORK: _("返工"),
    State.CLOSED: _("已结案"),
    State.CANCELLED: _("已作废"),
    State.MERGED: _("已并案"),
    State.REOPENED: _("重新办理"),
}

TONES: dict[str, str] = {
    State.REPORTED: "brand",
    State.REOPENED: "brand",
    State.RETURNED: "stop",
    State.REWORK: "stop",
    State.SUSPENDED: "wait",
    State.VERIFYING: "wait",
    State.CLOSED: "done",
    State.REJECTED: "plain",
    State.CANCELLED: "plain",
    State.MERGED: "plain",
}
"""The tone of a state's badge; every other state is at work."""

MOVES: dict[str, Words] = {
    "report": _("上报"),
    "self_handle": _("自处理"),
    "imported": _("从其他系统导入"),
    "me_too": _("我也遇到"),
    "ask_verify": _("发核实"),
    "verify": _("核实"),
    "correct": _("更正"),
    "accept": _("立案"),
    "reject": _("不予受理"),
    "dispatch": _("分流"),
    "accept_dispatch": _("一键分流"),
    "bring_in": _("请求协办"),
    "assign": _("指派"),
    "acknowledge": _("接单"),
    "return": _("退单"),
    "assist_done": _("协办完成"),
    "handle": _("提交处置"),
    "send_back": _("打回补充"),
    "confirm": _("部门确认"),
    "check_pass": _("核查通过"),
    "check_fail": _("核查不通过，返工"),
    "close": _("结案"),
    "force_close": _("强制结案"),
    "cancel": _("作废"),
    "ask_suspend": _("申请挂账"),
    "suspend": _("同意挂账"),
    "resume": _("恢复办理"),
    "ask_extend": _("申请延期"),
    "extend": _("同意延期"),
    "refuse_ask": _("不同意"),
    "ask_appeal": _("申诉"),
    "review_appeal": _("审核申诉"),
    "merge": _("并案"),
    "unmerge": _("撤销并案"),
    "split": _("拆分"),
    "ask_consult": _("发起会商"),
    "answer_consult": _("答复会商"),
    "decide_consult": _("会商决定"),
    "call": _("呼叫区级部门"),
    "acknowledge_call": _("应答"),
    "answer_call": _("答复呼叫"),
    "assess_call": _("评价协同"),
    "urge": _("督办"),
    "answer_urge": _("回复督办"),
    "note": _("记录"),
    "reopen": _("重新办理"),
    "rate": _("评价"),
    "sample": _("抽查"),
    "ask_hotline": _("请示热线"),
    "answer_hotline": _("登记热线答复"),
    "undo": _("撤回"),
    "light": _("时限提醒"),
    "not_delivered": _("通知未送达"),
    "recompute": _("时限重算"),
    "mapped": _("归类"),
    "reveal": _("查看上报人"),
    "hand_over": _("移交"),
}

FOR_REPORTER: dict[str, Words] = {
    "report": _("您上报了这个问题"),
    "accept": _("已受理"),
    "reject": _("未能受理"),
    "dispatch": _("已派给负责部门"),
    "accept_dispatch": _("已受理并派给负责部门"),
    "acknowledge": _("负责部门已接单"),
    "handle": _("现场已处置，等待确认"),
    "confirm": _("部门已确认，等待核查"),
    "check_pass": _("核查通过"),
    "check_fail": _("核查没有通过，已要求返工"),
    "close": _("已办结"),
    "force_close": _("已办结"),
    "cancel": _("已撤销"),
    "suspend": _("暂时不具备条件，挂起等待"),
    "resume": _("已恢复办理"),
    "extend": _("需要更多时间，承诺时间已顺延"),
    "merge": _("与另一件相同的上报合并办理"),
    "unmerge": _("恢复单独办理"),
    "reopen": _("已按您的要求重新办理"),
    "rate": _("收到评价"),
    "self_handle": _("工作人员发现并当场处理"),
    "imported": _("由原来的系统转入"),
    "recompute": _("节假日安排公布，承诺时间已重新计算"),
    "split": _("其中另一件事已单独办理"),
}
"""What a reporter reads for a move: no names, no quarrels."""

CLOCKS: dict[str, Words] = {
    ClockKind.ACCEPT: _("受理时限"),
    ClockKind.VERIFY: _("核实时限"),
    ClockKind.DISPATCH: _("分流时限"),
    ClockKind.ACKNOWLEDGE: _("接单时限"),
    ClockKind.HANDLE: _("处置时限"),
    ClockKind.CHECK: _("核查时限"),
    ClockKind.OUTER: _("热线工单时限"),
}

CLOCK_ENTRIES: dict[str, Words] = {
    "start": _("开始计时"),
    "pause": _("暂停计时"),
    "resume": _("恢复计时"),
    "extend": _("延长时限"),
    "stop": _("停止计时"),
    "exempt": _("申诉成立，不计入统计"),
    "recompute": _("工作日历变化，重新计算"),
}

LIGHT_GREEN: Words = _("正常")

MARKS: dict[str, Words] = {"yellow": _("即将到期"), "red": _("已超期"), "leader": _("严重超期，已报领导")}

FINDINGS: dict[str, Words] = {"true": _("属实"), "untrue": _("不属实"), "cannot_tell": _("无法判断")}

DOUBTS: dict[str, Words] = {
    "photo_time": _("照片里的拍摄时间和上报时间相差一天以上"),
    "photo_place": _("照片里的位置离上报的地点 500 米以上"),
}
"""What the desk is told where a photo's own data disagrees with the report; it decides nothing."""

TASKS: dict[str, Words] = {
    "lead": _("主办"),
    "assist": _("协办"),
    "verify": _("核实"),
    "check": _("核查"),
    "consult": _("会商"),
    "call": _("区级呼叫"),
    "urge": _("督办"),
    "suspend": _("挂账审批"),
    "extend": _("延期审批"),
    "appeal": _("申诉审核"),
    "hotline": _("等热线答复"),
    "sample": _("抽查"),
}

SOURCES: dict[str, Words] = {
    "resident": _("居民上报"),
    "caller": _("来电代录"),
    "staff": _("巡查发现"),
    "leader": _("领导交办"),
    "hotline": _("12345 热线"),
    "camera": _("视频发现"),
    "drone": _("无人机发现"),
    "outside": _("外部系统"),
    "split": _("拆分"),
}


def reason_words(code: str) -> str:
    """A reason code as a person reads it; the code itself if it is somebody else's."""
    for table in policy.REASONS.values():
        if code in table:
            chinese, english = table[code]
            return english if (get_language() or "").startswith("en") else chinese
    return code


def reason_choices(table: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """For a select, in the reader's language."""
    return [(code, reason_words(code)) for code in table]


def masked(words: str) -> str:
    """The words with runs of seven and more digits hidden (phones, identity numbers)."""
    return re.sub(r"\d{7,}", "＊＊＊", words)
