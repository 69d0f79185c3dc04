"""Words for the engine's codes: kinds of models, why a version was taken, why something is suggested."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .engine.replies import Flag
from .engine.results import Fact, Reason

KINDS: dict[str, Promise] = {"type": gettext_lazy("事件类型"), "department": gettext_lazy("主办部门")}
STANDINGS: dict[str, tuple[Promise, str]] = {
    "champion": (gettext_lazy("在用"), "done"),
    "kept": (gettext_lazy("留存"), "plain"),
    "refused": (gettext_lazy("没有通过"), "stop"),
    "gone": (gettext_lazy("已清除"), "plain"),
}
CAUSES: dict[str, Promise] = {
    "nightly": gettext_lazy("每晚"),
    "corrections": gettext_lazy("更正满 50 次"),
    "by_hand": gettext_lazy("手工"),
    "command": gettext_lazy("命令行"),
}
PROGRESS: dict[str, tuple[Promise, str]] = {
    "waiting": (gettext_lazy("排队"), "wait"),
    "working": (gettext_lazy("正在学习"), "go"),
    "done": (gettext_lazy("完成"), "done"),
    "failed": (gettext_lazy("没有学成"), "stop"),
}
STAGES: dict[str, Promise] = {
    "rows": gettext_lazy("读取案件"),
    "types": gettext_lazy("学习类型"),
    "fit": gettext_lazy("学习类型"),
    "folds": gettext_lazy("交叉验证"),
    "departments": gettext_lazy("学习部门"),
}
WHY: dict[str, Promise] = {
    "first": gettext_lazy("第一版"),
    "better": gettext_lazy("比在用的好"),
    "renewed": gettext_lazy("学到最新，不比在用的差"),
    "not_worse": gettext_lazy("学到最新，不比在用的差"),
    "no_better": gettext_lazy("不比在用的好"),
    "worse": gettext_lazy("比在用的差"),
    "poisoned": gettext_lazy("新的更正互相矛盾，疑似被带偏"),
    "too_few": gettext_lazy("案件太少，先用起步模型"),
    "held": gettext_lazy("有人刚退回到别的版本，先不换"),
}
CAUSES_OF_ALARM: dict[str, Promise] = {
    "fewer_right": gettext_lazy("说对的比前几周明显少"),
    "other_words": gettext_lazy("居民说的事和学习时不一样了"),
}


def reason_words(reason: Reason, name_of: Callable[[str], str]) -> str:
    """Why something is suggested, in the reader's language; ``name_of`` gives codes their names. Empty: nothing to say."""
    facts = reason.facts
    if reason.kind == "words":
        return _("文字里有：%(words)s") % {"words": " ".join(f"“{word}”" for word in facts.values())}
    if reason.kind == "name":
        return _("和类型的名称接近")
    if reason.kind == "corrected":
        return _("和刚确认过的一件很像")
    if reason.kind == "rare":
        return _("这类案件还少，只有 %(n)s 件") % {"n": facts.get("cases", 0)}
    if reason.kind == "went_to":
        return _went_to(facts)
    if reason.kind == "returned":
        return _("近 %(days)s 天退过 %(n)s 次单") % {"days": facts.get("days", 0), "n": facts.get("count", 0)}
    if reason.kind in {"default", "duty"}:
        return _("类型目录里的主办部门")
    return ""


def _went_to(facts: object) -> str:
    told = dict(facts)  # type: ignore[call-overload]
    where = {
        "type+grid": _("本社区"),
        "type+street": _("本街道"),
        "type": _("全区"),
        "group+street": _("本街道同大类"),
        "group": _("全区同大类"),
    }.get(str(told.get("level", "")), "")
    n = int(told.get("of", 0))
    words = ngettext("%(where)s此类 %(of)s 件中 %(count)s 件派给它", "%(where)s此类 %(of)s 件中 %(count)s 件派给它", n)
    return words % {"where": where, "of": n, "count": told.get("count", 0)}


HIDDEN: dict[str, Promise] = {
    "phone": gettext_lazy("电话"),
    "id": gettext_lazy("证件号"),
    "card": gettext_lazy("卡号"),
    "plate": gettext_lazy("车牌"),
    "account": gettext_lazy("账号"),
    "email": gettext_lazy("邮箱"),
    "name": gettext_lazy("姓名"),
    "room": gettext_lazy("门牌房号"),
}


def hidden_words(kind: str, words: str) -> str:
    """That something personal will be hidden when it is sent."""
    return _("%(what)s“%(words)s”发出时会遮住") % {"what": HIDDEN.get(kind, kind), "words": words}


def flag_words(flag: Flag) -> str:
    """What a reader of a reply would miss, and the fact that shows it."""
    facts = dict(flag.reason.facts)
    plain = {
        "short": _("只有 %(length)s 个字，说不清楚（少于 %(least)s）"),
        "only_passed_on": _("只说“%(words)s”，没有说结果"),
        "no_finding": _("没有说查到了什么"),
        "no_action": _("没有说做了什么"),
        "no_date": _("没有说时间"),
        "off_topic": _("和居民反映的只有 %(percent)s %% 的字词相同，可能答非所问"),
    }
    return (_contradiction(facts) if flag.kind == "contradicts" else plain[flag.kind]) % facts


def _contradiction(facts: dict[str, Fact]) -> str:
    return {
        "done": _("写“%(words)s”，但还没有处置的证明"),
        "closed": _("写“%(words)s”，但案件没有办结"),
        "past": _("“%(words)s”这一天已经过去"),
        "later": _("“%(words)s”比答应的 %(promised)s 晚"),
    }[str(facts["what"])]


OTHER = "other"


def type_name(code: str) -> str:
    """A code that no type in force has: the class of what is not ours, or the bare code."""
    return _("不属于街道职责") if code == OTHER else code.partition(":")[2] or code
