"""What may go wrong with the contacts, in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Promise] = {
    "errcode_60020": _("服务器的地址不在企业微信的可信 IP 里，请在管理后台添加。"),
    "errcode_48002": _("这个 Secret 没有通讯录同步的权限，请换成“通讯录同步”的 Secret。"),
    "errcode_40001": _("Secret 不对，请核对 JIEQU_WECOM_CONTACTS_SECRET。"),
    "errcode_40013": _("企业 ID 不对，请核对 JIEQU_WECOM_CORPID。"),
    "errcode_60011": _("没有读取部门的权限，请在管理后台检查授权范围。"),
    "nobody": _("企业微信没有给出任何成员，原有的关联没有改动。"),
    "no_answer": _("企业微信一直没有回答。"),
    "given_up": _("读取一天没有结束，已放弃。"),
}
OTHER = _("企业微信拒绝了（%(code)s）。")


def reason(error: str) -> str:
    """A class of failure in plain words."""
    known = REASONS.get(error)
    return str(known) if known else str(OTHER) % {"code": error}
