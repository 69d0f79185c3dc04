"""Why an earlier report may be the same, in the reader's words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jiequ.triage.engine.pairs import Badge, Likeness
from jiequ.triage.engine.results import Reason


def badge_words(found: Likeness) -> dict[str, str]:
    """The badge and its colour; empty where the two are hardly the same."""
    badges = {Badge.SAME: (_("很可能是同一件"), "go"), Badge.POSSIBLE: (_("可能有关"), "wait")}
    badge, tone = badges.get(found.badge, ("", ""))
    return {"badge": badge, "badge_tone": tone}


def known_words(found: Likeness, *, days: int) -> dict[str, Any]:
    """The badge, its colour and the reasons beside an earlier report; ``days``: how far apart the two were reported."""
    when = ngettext("相隔 %(n)d 天", "相隔 %(n)d 天", days) % {"n": days} if days else _("同一天")
    return badge_words(found) | {"reasons": [when, *(why for one in found.reasons if (why := _why(one)))]}


def _why(reason: Reason) -> str:
    if reason.kind == "words":
        return _("文字 %(n)d %% 相近") % {"n": round(100 * float(str(reason.facts["share"])))}
    return {
        "photo": _("照片相同或相近"),
        "type": _("类型相同"),
        "number_differs": _("楼栋或线路号不同"),
    }.get(reason.kind, "")
