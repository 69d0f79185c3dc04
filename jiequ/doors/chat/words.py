"""What the account says, in both languages: one short sentence or two, plain text with the links WeChat shows in a chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jiequ.cases.queries.where import Spot, away_words

from .flow import Say

Facts = Mapping[str, Any]
_SHOWN = 40
"""Characters of a resident's own words in a summary."""

PLAIN: dict[str, str | Promise] = {
    "welcome": gettext_lazy(
        "您好。发现街道上的问题，请发一张照片、一个位置或一句话，我来登记。\n"
        "回复“进度”看您最近的上报，回复“帮助”看能做什么。\n有人受伤、着火、漏气等紧急情况，请直接拨打 119、110、120。"
    ),
    "help": gettext_lazy(
        "可以这样做：\n· 上报问题：发照片、位置（点“+”再点“位置”）或写一句话，先后不限\n"
        "· 查进度：回复“进度”，或“进度”加编号\n· 工作人员：回复“待办”\n· 隐私与删除：回复“隐私”\n紧急情况请拨打 119、110、120。"
    ),
    "how_to_report": gettext_lazy("请发一张照片、一个位置（点“+”再点“位置”），再写一句话说明情况，先后不限。"),
    "emergency": gettext_lazy(
        "⚠ 人身安全第一：着火、漏气、触电、落水请立即离开危险处并拨打 119；治安 110；伤病 120。"
        "这里不是应急电话，工作人员不能马上赶到。"
    ),
    "which_place": gettext_lazy("没有找到这个地点。请发送位置：点“+”，再点“位置”。"),
    "not_ours": gettext_lazy(
        "这个位置不在本区网格内，我们派不了人，没有收下。请核对后重新发送位置；其他地方的事可拨打 12345。"
    ),
    "no_video": gettext_lazy("视频暂时不能作为凭证保存。请从中截一张图，或拍一张照片发来。"),
    "nothing_to_confirm": gettext_lazy("现在没有等您确认的上报。要上报，请发照片、位置或一句话。"),
    "nothing_to_cancel": gettext_lazy("现在没有没报完的上报。"),
    "cancelled": gettext_lazy("已取消，刚才发的内容已经删除。"),
    "sending": gettext_lazy("已收到您的确认，照片一到就提交，编号随后告诉您。"),
    "began_anew": gettext_lazy("上一次没报完的先放在一边（48 小时内回复“继续”可以接着报）。这是新的一件。"),
    "none_yet": gettext_lazy("您还没有上报过。请发照片、位置或一句话。"),
    "unknown_number": gettext_lazy(
        "没有找到这个编号的上报。请核对编号；在网页上报的，请打开当时的链接，或凭编号和手机号后四位查询。"
    ),
    "photo_lost": gettext_lazy("有一张照片没有收到，请再发一次。"),
    "busy": gettext_lazy("消息太多了，刚才这一条没有收下，请十分钟后再发。"),
    "voice_only": gettext_lazy("（语音上报，请听录音）"),
    "suspect": gettext_lazy("您今天上报得较多，这一件会先由工作人员看过再受理。"),
    "staff_only": gettext_lazy("这一项供工作人员使用。您若是工作人员，请向系统管理员要绑定的二维码。"),
    "nothing_to_do": gettext_lazy("没有待办。"),
    "nothing_pending": gettext_lazy("没有待处理的事项。"),
}


def said(says: Sequence[Say], language: str) -> str:
    """The sentences as one message, in this language."""
    with translation.override(language):
        return "\n\n".join(filter(None, (_sentence(say) for say in says)))


def choices(says: Sequence[Say], language: str) -> list[tuple[str, str]]:
    """The answers to tap beneath a summary, and places that were offered: what comes back with the tap, and its words."""
    found = [say.facts["draft"] for say in says if say.name == "summary"]
    places = [(f"place:{value}:{say.facts['draft']}", label) for say in says for value, label in say.facts.get("offers", ())]
    with translation.override(language):
        return places + [(f"confirm:{key}", _("确认提交")) for key in found] + [(f"cancel:{key}", _("取消")) for key in found]


def offered_words(spot: Spot) -> str:
    """A place to be tapped: its name, where it is, and how far from the point that was sent."""
    where = [part for part in (spot.community, away_words(spot.metres)) if part]
    return f"{quoted(spot.name)}（{' · '.join(where)}）" if where else quoted(spot.name)


def _sentence(say: Say) -> str:
    if say.name in PLAIN:
        return str(PLAIN[say.name])
    return MADE[say.name](say.facts)


def link(label: str, url: str) -> str:
    """A link as a chat shows it; the address is ours."""
    return f'<a href="{url}">{quoted(label)}</a>'


def quoted(text: str, most: int = _SHOWN) -> str:
    """Words of a resident inside a sentence of ours: one line, shortened, and never a link."""
    line = " ".join(text.split()).replace("<", "〈").replace(">", "〉")
    return line if len(line) <= most else line[: most - 1] + "…"


# -- sentences with facts --------------------------------------------------------------------------------------------


def _what_is_it(facts: Facts) -> str:
    place = quoted(facts["place"])
    known = _("位置收到了：%(place)s。") % {"place": place} if place else _("位置收到了。")
    return known + _("是什么问题？请发一张照片或写一句话。")


def _where_is_it(facts: Facts) -> str:
    if facts.get("offers"):
        return _("收到了。事情是在下面哪一处？点一下就行；都不是，请发送位置（点“+”再点“位置”）。")
    return _("收到了。在哪里？请发送位置（点“+”再点“位置”），或写“地点 某某路口”。")


def _summary(facts: Facts) -> str:
    lines = [_("请确认上报：")]
    lines.append("· " + _("地点：%(place)s") % {"place": quoted(facts["place"]) or _("您发的位置")})
    if facts["is_guessed"]:
        lines.append("  " + _("（按您的话认出；不对请发送位置）"))
    if facts.get("offers"):
        lines.append("  " + _("（您写的地点离发来的位置比较远；位置发错了，点下面您写的地点）"))
    if facts["words"]:
        lines.append("· " + _("说明：%(words)s") % {"words": quoted(facts["words"])})
    if facts["photos"]:
        lines.append("· " + ngettext("照片 %(n)d 张", "照片 %(n)d 张", facts["photos"]) % {"n": facts["photos"]})
    if facts["voices"]:
        lines.append("· " + ngettext("语音 %(n)d 条", "语音 %(n)d 条", facts["voices"]) % {"n": facts["voices"]})
    lines.append(_("点下面一行或回复“确认”提交；也可以继续补充。"))
    return "\n".join(lines)


def _done(facts: Facts) -> str:
    return _("已上报，编号 %(number)s。工作人员核对后告诉您是否受理。%(link)s") % {
        "number": facts["number"],
        "link": link(_("查看进度、下载或删除"), facts["url"]),
    }


def _done_already(facts: Facts) -> str:
    return _("这一件已经上报，编号 %(number)s。回复“进度”看办到哪一步。") % {"number": facts["number"]}


def _too_many_photos(facts: Facts) -> str:
    return _("一次最多 %(most)d 张照片，这一张没有收下。") % {"most": facts["most"]}


def _too_many_voices(facts: Facts) -> str:
    return _("一次最多 %(most)d 条语音，这一条没有收下。") % {"most": facts["most"]}


def _too_many_words(facts: Facts) -> str:
    return _("文字一共不超过 %(most)d 字，这一句没有收下。") % {"most": facts["most"]}


def _notice(facts: Facts) -> str:
    return _(
        "首次上报请知悉：%(who)s 为处理您反映的问题，保存您发来的文字、照片、语音、位置和您的微信标识，办结后保存 %(days)d 天，"
        "不给处置人员看您是谁。没有确认的内容 48 小时内删除。回复“隐私”看怎样查看或删除，回复“取消”不报。"
    ) % {"who": facts["who"], "days": facts["days"]}


def _privacy(facts: Facts) -> str:
    return _(
        "谁：%(who)s。保存什么：您确认上报的文字、照片、语音、位置和微信标识；"
        "用途：处理和答复。办结后 %(days)d 天删除，没有确认的 48 小时内删除。\n"
        "查看、下载、删除：打开您的 %(link)s；没报完的，回复“取消”即删。"
    ) % {"who": facts["who"], "days": facts["days"], "link": link(_("上报记录"), facts["url"])}


def _suggest(facts: Facts) -> str:
    return _("对这个系统有意见或建议，请写在这里：%(link)s") % {"link": link(_("意见建议"), facts["url"])}


def _refused(facts: Facts) -> str:
    return str(facts["why"])


def _reminder(facts: Facts) -> str:
    return _("您有一件上报还没有提交。回复“继续”接着报，回复“取消”删除；不回复的话，明后天会自动删除。")


def _progress(facts: Facts) -> str:
    head = f"{facts['number']} · {facts['state']}"
    lines = [f"{at} {title}" for at, title in facts["timeline"]]
    until = [_("最迟 %(due)s") % {"due": facts["due"]}] if facts["due"] else []
    return "\n".join([head, facts["next"], *until, *lines, *([facts["more"]] if facts["more"] else [])])


def _mine(facts: Facts) -> str:
    return "\n".join([_("您最近的上报："), *facts["lines"], _("回复“进度”加编号看详情。")])


def _list(facts: Facts) -> str:
    return "\n".join([facts["head"], *facts["lines"], facts["all"]])


def _open_page(facts: Facts) -> str:
    return link(facts["label"], facts["url"])


MADE: dict[str, Callable[[Facts], str]] = {
    "what_is_it": _what_is_it,
    "where_is_it": _where_is_it,
    "summary": _summary,
    "done": _done,
    "done_already": _done_already,
    "too_many_photos": _too_many_photos,
    "too_many_voices": _too_many_voices,
    "too_many_words": _too_many_words,
    "notice": _notice,
    "privacy": _privacy,
    "suggest": _suggest,
    "reminder": _reminder,
    "refused": _refused,
    "progress": _progress,
    "mine": _mine,
    "list": _list,
    "open_page": _open_page,
}
