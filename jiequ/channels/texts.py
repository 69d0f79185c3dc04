"""Every sentence that leaves the house, in the reader's language, made from number, type, grid and due time.

A template is a title and sentences; a sentence whose facts are not there is left out. ``for_staff`` templates go to the
inbox, the others to residents: what we do next, until when, who.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from django.utils import formats, timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Template:
    """What is said on one occasion; ``{number} {type} {grid} {due}`` stand for the facts."""

    title: Words
    sentences: tuple[Words, ...]
    for_staff: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """A rendered template."""

    title: str
    body: str


def _staff(title: Words, *sentences: Words) -> Template:
    return Template(title, sentences)


def _resident(title: Words, *sentences: Words) -> Template:
    return Template(title, (*sentences, ASK), for_staff=False)


CASE = _("{number}（{type}）。")
WHERE = _("网格 {grid}。")
UNTIL = _("时限 {due}。")
NO_TYPE = _("类型待定")
SOME_PROBLEM = _("问题")
ASK = _("可凭编号和手机号后四位查询进度。")

_FOR_STAFF: dict[str, Template] = {
    "verify_asked": _staff(_("请到场核实"), CASE, WHERE, UNTIL),
    "check_asked": _staff(_("请到场核查"), CASE, WHERE, UNTIL),
    "new_report": _staff(_("新的上报，待受理"), CASE, WHERE, UNTIL),
    "verified": _staff(_("已核实，待受理"), CASE, WHERE),
    "to_dispatch": _staff(_("已受理，待分流"), CASE, WHERE, UNTIL),
    "new_task": _staff(_("新任务"), CASE, WHERE, UNTIL),
    "assist_asked": _staff(_("请协助处置"), CASE, WHERE, UNTIL),
    "assigned": _staff(_("任务交给了您"), CASE, WHERE, UNTIL),
    "returned": _staff(_("任务被退回"), CASE, WHERE),
    "bounced": _staff(_("多次退回，请值班长裁定"), CASE, WHERE),
    "rework": _staff(_("核查未通过，请返工"), CASE, WHERE, UNTIL),
    "handled": _staff(_("已处置，待核查"), CASE, WHERE),
    "checked": _staff(_("核查通过，待结案"), CASE, WHERE),
    "approval_asked": _staff(_("有事项待您审批"), CASE, WHERE),
    "approval_given": _staff(_("审批已通过"), CASE, UNTIL),
    "approval_refused": _staff(_("审批未通过"), CASE, UNTIL),
    "urged": _staff(_("催办，请答复"), CASE, WHERE, UNTIL),
    "urge_answered": _staff(_("催办已答复"), CASE),
    "due_soon": _staff(_("即将到期"), CASE, WHERE, UNTIL),
    "overdue": _staff(_("已超期"), CASE, WHERE, UNTIL),
    "suspended": _staff(_("已挂账，时钟暂停"), CASE),
    "resumed": _staff(_("挂账结束，时钟继续"), CASE, UNTIL),
    "consult_asked": _staff(_("请答复会商"), CASE, UNTIL),
    "consult_answered": _staff(_("会商有新答复"), CASE),
    "call_asked": _staff(_("街道呼叫，请签收"), CASE, WHERE, UNTIL),
    "call_answered": _staff(_("呼叫已答复"), CASE),
    "appealed": _staff(_("有申诉待复核"), CASE),
    "appeal_decided": _staff(_("申诉已有结果"), CASE),
    "reopened": _staff(_("居民反映未解决，已重开"), CASE, WHERE, UNTIL),
    "me_too": _staff(_("又有居民反映同一问题"), CASE, WHERE),
    "merged": _staff(_("案件已合并"), CASE),
    "unmerged": _staff(_("案件已取消合并"), CASE, UNTIL),
    "split": _staff(_("案件已拆分"), CASE, UNTIL),
    "cancelled": _staff(_("任务已取消"), CASE),
    "closed": _staff(_("案件已结案"), CASE),
    "forced_close": _staff(_("案件已强制结案"), CASE),
    "due_changed": _staff(_("时限有变化"), CASE, UNTIL),
    "handed_over": _staff(_("有待办移交给您"), CASE, UNTIL),
    "suspected_abuse": _staff(_("疑似恶意上报，待人工查看"), CASE),
    "not_delivered": _staff(_("有通知未送达"), _("关于 {number} 的通知没有送到，请查看并改用其他方式。"), WHERE),
    "hotline_verdict": _staff(_("热线回访有结果"), CASE, WHERE),
    "hotline_unsolved": _staff(_("热线回访：没有解决，请跟进"), CASE, WHERE),
    "hotline_changed": _staff(_("热线改了工单，请决定"), CASE, WHERE),
    "hotline_not_delivered": _staff(_("发给热线的没有送达"), CASE, _("请打开案件查看，并用电话告知热线。")),
    "daily_brief": _staff(_("今日简报"), _("今日简报已经备好，请点开查看。"), _("截至 {due}。")),
    "triage_drift": _staff(_("类型和部门的建议变差了"), _("上一周的建议明显不如以前准，或居民反映的事情变了，请打开查看。")),
    "outbox_stalled": _staff(
        _("通知发送迟滞"), _("有通知到时 5 分钟仍未发出，请联系系统管理员。"), _("最早一条应发于 {due}。")
    ),
}

_FOR_RESIDENTS: dict[str, Template] = {
    "reporter_received": _resident(
        _("已收到"), _("您反映的问题已收到，编号 {number}。"), _("我们将在 {due} 前告诉您是否受理。")
    ),
    "reporter_accepted": _resident(
        _("已受理"), _("您反映的“{type}”（{number}）已受理，下一步派给负责单位。"), _("承诺 {due} 前办结。")
    ),
    "reporter_dispatched": _resident(
        _("已派单"), _("您反映的“{type}”（{number}）已派给负责单位处置。"), _("承诺 {due} 前办结。")
    ),
    "reporter_closed": _resident(
        _("已办结"),
        _("您反映的“{type}”（{number}）已处置完毕，并经现场核查。"),
        _("请您评价；如果问题仍在，{due} 前可以要求重新办理一次。"),
    ),
    "reporter_ended": _resident(
        _("已办结"),
        _("您反映的“{type}”（{number}）已办结，结果可凭编号查询。"),
        _("请您评价；如果问题仍在，{due} 前可以要求重新办理一次。"),
    ),
    "reporter_late": _resident(
        _("要晚一些"),
        _("很抱歉，您反映的“{type}”（{number}）未能按时办结，我们已经催办。"),
        _("新的承诺时间是 {due}。"),
    ),
    "reporter_suspended": _resident(
        _("暂缓办理"), _("您反映的“{type}”（{number}）目前不具备处置条件，暂缓办理。"), _("预计 {due} 前继续。")
    ),
    "reporter_merged": _resident(
        _("合并办理"), _("您反映的问题与已受理的 {number} 是同一件事，合并办理，结果同样告诉您。"), _("承诺 {due} 前办结。")
    ),
    "reporter_unmerged": _resident(_("单独办理"), _("您反映的“{type}”（{number}）改为单独办理。"), _("承诺 {due} 前办结。")),
    "reporter_split": _resident(
        _("分开办理"), _("您反映的事情涉及两件事，分开办理；其中一件的编号是 {number}。"), _("承诺 {due} 前办结。")
    ),
    "reporter_rework": _resident(
        _("返工"), _("您反映的“{type}”（{number}）经现场核查还没有处置好，已要求返工。"), _("承诺 {due} 前办结。")
    ),
    "reporter_reopened": _resident(
        _("已重新办理"), _("您反映的“{type}”（{number}）已按您的要求重新办理。"), _("承诺 {due} 前办结。")
    ),
    "reporter_rejected": _resident(
        _("未能受理"), _("您反映的问题（{number}）未能受理，原因可凭编号查询，也可以请我们打电话说明。")
    ),
    "reporter_rejected_emergency": _resident(
        _("请拨打紧急电话"), _("您反映的问题（{number}）属于紧急情况，请立即拨打 110、119 或 120。")
    ),
    "reporter_rejected_litigation": _resident(
        _("未能受理"), _("您反映的问题（{number}）正在诉讼、仲裁、复议或信访程序中，请向受理的机关了解。")
    ),
    "reporter_rejected_repeated": _resident(
        _("已在办理"), _("您反映的问题（{number}）与已经答复的事项相同，没有新的情况，不再重复受理。")
    ),
    "reporter_rejected_secret": _resident(
        _("未能受理"), _("您反映的问题（{number}）可能涉及秘密或他人隐私，请不要在网上提交，可到街道当面反映。")
    ),
    "reporter_rejected_outside_duty": _resident(
        _("未能受理"), _("您反映的问题（{number}）不属于街道的职责范围，负责的单位可凭编号查询。")
    ),
    "reporter_rejected_unlawful": _resident(_("未能受理"), _("您反映的问题（{number}）的要求与法律法规不符，依法不能受理。")),
    "reporter_cancelled": _resident(_("已撤销"), _("您反映的问题（{number}）已撤销，原因可凭编号查询。")),
    "reporter_rate_asked": _resident(
        _("请您评价"), _("您反映的“{type}”（{number}）已办结，请评价是否满意。"), _("评价到 {due} 为止。")
    ),
    "reporter_control_area": _resident(
        _("该处有计划施工"),
        _("您反映的地点目前有已公告的计划施工（{number}），施工结束后仍有问题请再反映。"),
        _("预计 {due} 结束。"),
    ),
    "reporter_promise_changed": _resident(
        _("承诺时间有变化"), _("您反映的“{type}”（{number}）的承诺时间有变化。"), _("新的承诺时间是 {due}。")
    ),
}

TEMPLATES: dict[str, Template] = {**_FOR_STAFF, **_FOR_RESIDENTS}


def render(template: str, facts: Mapping[str, Any], language: str) -> Text:
    """The text of a template in ``language``; sentences that lack a fact are left out."""
    chosen = TEMPLATES[template]
    with translation.override(language):
        values = {"type": str(NO_TYPE if chosen.for_staff else SOME_PROBLEM), **_values(facts, language)}
        said = [str(sentence) for sentence in chosen.sentences]
        body = [sentence.format(**values) for sentence in said if _names(sentence) <= values.keys()]
        return Text(str(chosen.title), (" " if language == "en" else "").join(body))


def in_one(text: Text, template: str, language: str) -> str:
    """A rendered template as one text: a resident's are whole sentences, staff need the occasion in front."""
    if not TEMPLATES[template].for_staff:
        return text.body
    return f"{text.title}: {text.body}" if language == "en" else f"{text.title}：{text.body}"


def as_sms(template: str, facts: Mapping[str, Any], language: str) -> str:
    """The words of a text message."""
    return in_one(render(template, facts, language), template, language)


REASONS: dict[str, Words] = {
    "nobody_there": _("没有人在岗，也没有代理人"),
    "unreachable": _("电话打不通"),
    "no_port": _("通道长时间不可用"),
    "no_way": _("没有配置能到这个账号的通道，也没有留电话"),
    "no_form": _("没有为这类通知配置模板"),
    "rests": _("通道连续出错或当天额度用完，正在停用"),
    "limited": _("对这个号码发得太多，或通道余额不足"),
    "job_failed": _("系统出错，请告诉系统管理员"),
    "receipt_failed": _("运营商回报未送到"),
    "bad_number": _("号码不是有效的手机号"),
    "refused": _("通道拒绝发送"),
    "timeout": _("通道没有回答"),
    "hanging": _("通道没有回答"),
    "unknown": _("发出后没有回音，可能已送到；为免重复，不再从这条通道发"),
    "no_connection": _("连不上通道"),
    "no_answer": _("通道没有回答"),
    "bad_answer": _("通道的回答看不懂"),
    "http_429": _("通道过于繁忙"),
    "no_member": _("对方不在企业微信的可见范围内"),
    "no_grant": _("对方没有订阅这类通知，或订阅的次数已用完"),
    "not_following": _("对方没有关注公众号"),
    "user_block": _("对方拒收公众号的消息"),
    "window_closed": _("对方近期没有和公众号说过话，不能发客服消息"),
    "quota": _("当天额度已用完"),
}
ERRCODES: dict[str, str] = {
    "43004": "not_following",
    "43101": "user_block",
    "45015": "window_closed",
    "45047": "window_closed",
    "45009": "quota",
    "60111": "no_member",
    "81013": "no_member",
}
"""What the platforms' numbers mean (WECHAT.md), with or without "errcode_" in front."""
OTHER_REASON = _("通道出错（%(error)s）")
WAYS: dict[str, Words] = {
    "wecom": _("企业微信"),
    "wechat_template": _("公众号模板消息"),
    "wechat_subscription": _("公众号订阅通知"),
    "wechat_service": _("公众号客服消息"),
    "sms": _("短信"),
    "email": _("电子邮件"),
    "call": _("电话"),
    "inbox": _("站内消息"),
}


def way(name: str) -> str:
    """A way in plain words; a provider of text messages is one of those."""
    return str(WAYS.get(name, WAYS["sms"]))


def reason(error: str) -> str:
    """A class of failure in plain words."""
    code = error.removeprefix("errcode_")
    known = REASONS.get(ERRCODES.get(code, error)) or (REASONS["receipt_failed"] if error.startswith("receipt_") else None)
    return str(known) if known else str(OTHER_REASON) % {"error": error or "?"}


def _names(sentence: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in Formatter().parse(sentence) if name}


def _values(facts: Mapping[str, Any], language: str) -> dict[str, str]:
    values = {name: str(value) for name, value in facts.items() if name in {"number", "grid"}}
    kind = facts.get("type")
    if kind:
        values["type"] = kind if isinstance(kind, str) else kind.get(language) or next(iter(kind.values()))
    if facts.get("due"):
        due = timezone.localtime(datetime.fromisoformat(facts["due"]))
        values["due"] = due.strftime("%Y-%m-%d %H:%M") if language == "en" else formats.date_format(due, "n月j日 H:i")  # data
    return values
