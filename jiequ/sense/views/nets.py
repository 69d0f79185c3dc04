"""What was learnt from verdicts: nets with their cards, pairs, what a confidence is worth; one press goes back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jiequ.core import clock
from jiequ.core.models import Street
from jiequ.people.access import actor_of, needs

from .. import access
from ..models import Calibration, Example, Net
from ..queries import desk, nets
from ..services import examples, teaching, weights
from .imagery import number, page

WHY_NOT = {
    "no_torch": gettext_lazy("这台机器没有装 torch 的 Python（JIEQU_SENSE_TORCH_PYTHON），夜里不会微调；判读样本照常入库。"),
    "too_few_pairs": gettext_lazy("样本还不够，今晚不微调。"),
    "nothing_new": gettext_lazy("新样本还不多，今晚不微调。"),
    "in_shadow": gettext_lazy("有一个网络正在影子运行，等它满一周。"),
    "": gettext_lazy("今晚会用新的样本微调一次。"),
}
WHY = {
    "passed": gettext_lazy("过关"),
    "worse_local": gettext_lazy("在本地留出的样本上变差"),
    "worse_dev": gettext_lazy("在合成样本上变差"),
    "too_few_local": gettext_lazy("留出的样本太少，说明不了问题"),
    "worse_week": gettext_lazy("影子运行一周后没有更好"),
}
SETS = {"local": gettext_lazy("本地留出的样本"), "dev": gettext_lazy("合成样本"), "week": gettext_lazy("影子一周")}


@needs(*access.JUDGES)
@require_safe
def learning(request: HttpRequest) -> HttpResponse:
    """The page."""
    street = access.street_for(actor_of(request), number(request, "street"), *access.JUDGES)
    counted = dict(Example.objects.filter(street=street).order_by().values_list("state").annotate(n=Count("id")))
    verdicts = desk.verdicts_counted(street.pk)
    rows = nets.newest()
    context = {
        "shipped": dict(zip(("ok", "sha256"), weights.shipped(), strict=True)),
        "nets": [_net(one) for one in rows],
        "used": next((one for one in rows if one.state == Net.State.ACTIVE), None),
        "can_go_back": any(one.state in (Net.State.ACTIVE, Net.State.SHADOW) for one in rows),
        "pairs": [(label, counted.get(value, 0)) for value, label in Example.State.choices],
        "tonight": WHY_NOT[teaching.why_not()],
        "verdicts": verdicts,
        "uncalibrated": desk.still_uncalibrated(verdicts),
        "shadow": _shadow(rows, street),
        "calibration": _line(Calibration.objects.filter(street=street).first()),
    }
    return page(request, street, "desk", "sense/learning.html", context)


@needs(*access.JUDGES)
@require_POST
def roll_back(request: HttpRequest) -> HttpResponse:
    """The net before takes over."""
    street = access.street_for(actor_of(request), number(request, "street"), *access.JUDGES)
    teaching.roll_back(street_id=street.pk, by=actor_of(request), at=clock.now())
    messages.success(request, _("已退回。下一次比对用前一个网络。"))
    return redirect(f"{reverse('sense:learning')}?street={street.pk}")


def _net(net: Net) -> dict[str, Any]:
    figures = [(SETS[name], before, after) for name, before, after in nets.figures_of(net)]
    if week := net.card.get("week"):
        figures.append((SETS["week"], week["before"], week["after"]))
    return {"net": net, "figures": figures, "why": WHY.get(net.why, net.why), "agreement": nets.agreement_of(net)}


def _shadow(rows: list[Net], street: Street) -> dict[str, Any] | None:
    """The net in its week: since when, until when at least, and both nets' findings at this street's judged places."""
    net = next((one for one in rows if one.state == Net.State.SHADOW), None)
    if net is None or net.shadow_since is None:
        return None
    week = [(verdict, told) for verdict, told in nets.week_of(net) if verdict.suspect.street_id == street.pk]
    return {
        "net": net, "until": net.shadow_since + teaching.SHADOW, "week": week, "figures": net.card.get("week"),
        "judged": examples.count_since(net.made_at), "fewest": teaching.FEWEST_WEEK, "agreement": nets.agreement_of(net),
    }  # fmt: skip


def _line(found: Calibration | None) -> list[tuple[int, int]]:
    """Confidence in percent and what came of it, at most a dozen places of the line."""
    if found is None:
        return []
    pairs = list(zip(found.curve["scores"], found.curve["shares"], strict=True))
    step = max(1, len(pairs) // 12)
    return [(round(100 * score), round(100 * share)) for score, share in pairs[::step]]
