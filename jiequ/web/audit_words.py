"""The audit in words: what an action is called, and what is wrong with a chain."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.cases.words import MOVES
from jiequ.core.verdict import Verdict

SEALED_WITHIN = timedelta(minutes=5)

ACTIONS: dict[str, str | Promise] = {
    "export.asked": gettext_lazy("导出文件"),
    "export.fetched": gettext_lazy("下载导出的文件"),
    "brief.notice": gettext_lazy("简报提醒开关"),
    "person.signed_in": gettext_lazy("登录"),
    "person.sign_in_failed": gettext_lazy("登录失败"),
    "person.second_factor_set": gettext_lazy("设置动态口令"),
    "person.second_factor_failed": gettext_lazy("动态口令不对"),
    "person.second_factor_reset": gettext_lazy("重置动态口令"),
    "person.recovery_code_used": gettext_lazy("使用恢复码"),
    "person.recovery_codes_made": gettext_lazy("生成恢复码"),
    "person.password_changed": gettext_lazy("修改密码"),
    "person.password_reset": gettext_lazy("用重置码设新密码"),
    "person.reset_code_made": gettext_lazy("生成重置码"),
    "person.unlocked": gettext_lazy("解除锁定"),
    "person.sessions_ended": gettext_lazy("退出全部登录"),
    "person.district_account_linked": gettext_lazy("绑定区统一账号"),
    "person.district_account_unlinked": gettext_lazy("解绑区统一账号"),
    "account.sessions_ended": gettext_lazy("退出微信的全部登录"),
    "person.created": gettext_lazy("新建人员"),
    "person.changed": gettext_lazy("修改人员"),
    "person.disabled": gettext_lazy("停用账号"),
    "person.enabled": gettext_lazy("启用账号"),
    "person.handed_over": gettext_lazy("移交案件"),
    "wecom.matched": gettext_lazy("关联企业微信成员"),
    "wecom.unmatched": gettext_lazy("解除企业微信关联"),
    "wecom.left": gettext_lazy("企业微信成员离开，关联解除"),
    "post.given": gettext_lazy("任职"),
    "post.ended": gettext_lazy("免职"),
    "leave.set": gettext_lazy("登记休假和代理人"),
    "leave.cancelled": gettext_lazy("取消休假"),
    "shift.set": gettext_lazy("排班"),
    "shift.removed": gettext_lazy("撤班"),
    "department.created": gettext_lazy("新建部门"),
    "department.changed": gettext_lazy("修改部门"),
    "case.find_by_phone": gettext_lazy("按手机尾号查找案件"),
    "reporter.reveal": gettext_lazy("查看上报人"),
    "chat.hear": gettext_lazy("听居民的语音"),
    "reporter.export": gettext_lazy("上报人导出自己的数据"),
    "reporter.erase": gettext_lazy("上报人删除自己的数据"),
    "reporter.account_kept": gettext_lazy("上报归入微信号"),
    "call_back": gettext_lazy("回电结果"),
    "phone_revealed": gettext_lazy("查看回电号码"),
    "type.created": gettext_lazy("新建类型"),
    "type.edited": gettext_lazy("修改类型"),
    "type.activated": gettext_lazy("启用类型"),
    "type.deactivated": gettext_lazy("停用类型"),
    "type.catalogue_loaded": gettext_lazy("载入类型目录"),
    "duty_list.set": gettext_lazy("修改职责清单"),
    "duty_list.removed": gettext_lazy("删除职责清单"),
    "control_area.set": gettext_lazy("修改管控区域"),
    "control_area.ended": gettext_lazy("结束管控区域"),
    "policy.changed": gettext_lazy("修改街道规则"),
    "reply.edited": gettext_lazy("修改标准答复"),
    "desk.given": gettext_lazy("交班"),
    "desk.taken": gettext_lazy("接班"),
    "topic.confirmed": gettext_lazy("确认地点专题"),
    "topic.ended": gettext_lazy("撤销地点专题"),
    "hotline.made": gettext_lazy("新建热线来源"),
    "hotline.changed": gettext_lazy("修改热线来源"),
    "hotline.mapped": gettext_lazy("保存热线映射"),
    "hotline.paused": gettext_lazy("暂停热线来源"),
    "hotline.resumed": gettext_lazy("恢复热线来源"),
    "hotline.pinged": gettext_lazy("测试热线回传"),
    "hotline.resent": gettext_lazy("重发给热线的去件"),
    "hotline.tried_again": gettext_lazy("再试被拒收的热线工单"),
    "calendar.changed": gettext_lazy("修改工作日历"),
    "calendar.notice_loaded": gettext_lazy("载入放假通知"),
    "calendar.hours_set": gettext_lazy("修改工作时间"),
    "calendar.filled": gettext_lazy("补全工作日历"),
    "wechat.bind_begun": gettext_lazy("出示绑定微信的二维码"),
    "wechat.bind_said": gettext_lazy("在手机上确认是本人"),
    "wechat.bind_denied": gettext_lazy("在手机上说不是本人"),
    "wechat.bind_refused": gettext_lazy("取消绑定微信"),
    "wechat.bound": gettext_lazy("绑定工作人员的微信"),
    "wechat.unbound": gettext_lazy("解绑工作人员的微信"),
    "plates.asked": gettext_lazy("制作号牌"),
    "plates.fetched": gettext_lazy("下载号牌"),
    "wechat.bind": gettext_lazy("绑定公众号关注者"),
    "wechat.unbind": gettext_lazy("解绑公众号关注者"),
    "wechat.form_saved": gettext_lazy("设置公众号模板"),
    "wechat.form_dropped": gettext_lazy("删除公众号模板设置"),
    "wechat.menus_pushed": gettext_lazy("发布公众号菜单"),
    "arrivals.revive": gettext_lazy("重新处理收到的消息"),
    "audit.exported": gettext_lazy("导出审计记录"),
    "audit.verified": gettext_lazy("核对审计链"),
}


def action_words(action: str) -> str:
    """What an action is called; the code itself for one without a name here."""
    kind, _dot, name = action.partition(".")
    if kind == "case" and name in MOVES:
        return _("案件：%(move)s") % {"move": MOVES[name]}
    return str(ACTIONS.get(action, action))


def problems(verdict: Verdict, at: datetime) -> list[str]:
    """What is wrong with a chain, a sentence each, at most twenty; empty if it is whole and somebody seals."""
    words = {
        "changed": _("第 %(seq)d 条被改动"),
        "entry_missing": _("第 %(seq)d 条的内容被删除"),
        "seal_missing": _("第 %(seq)d 条的封印被删除"),
        "cut_off": _("第 %(seq)d 条之后被截断（%(source)s 里的链头还在）"),
        "rewritten": _("第 %(seq)d 条和 %(source)s 里的链头不同，链被重写"),
        "head_unreadable": _("链头文件 %(source)s 读不出来"),
    }
    found = [words[f.kind] % {"seq": f.seq, "source": f.source} for f in verdict.findings[:20]]
    since = verdict.unsealed_since
    if since and at - since > SEALED_WITHIN:
        found.append(_("有 %(count)d 条一直没有封进链里，后台任务可能没有运行") % {"count": verdict.unsealed_tail})
    return found
