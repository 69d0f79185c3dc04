"""What the administrator's page says of the account, in the reader's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .rules import Group

Words = str | Promise

REASONS: dict[str, Words] = {
    "40001": _("令牌无效：密钥可能刚重置过"),
    "40013": _("AppID 不对，请核对 JIEQU_WECHAT_APPID"),
    "40125": _("AppSecret 不对，请核对 JIEQU_WECHAT_SECRET"),
    "40164": _("本机地址不在公众号的 IP 白名单里"),
    "40243": _("AppSecret 已被冻结，请在微信开发者平台解冻"),
    "45009": _("今天的调用次数已用完"),
    "48001": _("公众号没有这个接口的权限，可能还没有认证"),
    "50002": _("公众号已被封禁或注销"),
    "no_connection": _("连不上微信的接口地址，请核对网络和 JIEQU_WECHAT_API"),
    "timeout": _("微信没有在限定时间内回答"),
    "no_answer": _("微信没有回答完就断开了"),
}
OTHER_REASON = _("微信回答了 %(error)s")

SOURCES: dict[str, Words] = {
    "number": _("编号"),
    "type": _("类型"),
    "grid": _("网格"),
    "due": _("时限"),
    "title": _("事由"),
    "sent": _("发送时间"),
}

GROUPS: dict[str, Words] = {Group.STAFF: _("工作人员"), Group.RESIDENT: _("居民")}

CHANNELS: dict[str, Words] = {"wechat": _("公众号"), "wecom": _("企业微信")}

FAULTS: dict[str, Words] = {
    "template_gone": _("公众号里已没有这个模板"),
    "field_refused": _("微信不接受字段 %(field)s 的内容"),
}


def reason(error: str) -> str:
    """A class of failure in plain words."""
    known = REASONS.get(error)
    return str(known) if known else str(OTHER_REASON) % {"error": error or "?"}


def fault(text: str) -> str:
    """What the platform refused about a form."""
    kind, _space, field = text.partition(" ")
    known = FAULTS.get(kind)
    return str(known) % {"field": field or "?"} if known else text
