"""The page of a street's own rules for the loop: each with what it means, its default and where that comes from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .policy import CHOICES, RANGES, Policy
from .queries.types import said
from .services import policies

MARKS: dict[str, str | Promise] = {
    "T": gettext_lazy("T：有文件原文"),
    "C": gettext_lazy("C：实际系统里见过"),
    "P": gettext_lazy("P：产品自己定的"),
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a rule is called, what it does, its unit, and how strong its source is (T, C or P)."""

    label: str | Promise
    help: str | Promise
    mark: str
    unit: str | Promise = ""


MEANINGS: dict[str, Meaning] = {
    "bounce_limit": Meaning(
        gettext_lazy("退单几次后由值班长裁定"),
        gettext_lazy("退到这个次数，部门不能再退，派遣员不能再派，由值班长或领导定主办。"),
        "C",
        gettext_lazy("次"),
    ),
    "first_responsible": Meaning(
        gettext_lazy("首接部门负责到底"),
        gettext_lazy("第一个接到的部门只能退派错的，其他情况由它牵头，请别的部门协办（北京条例第十四条）。"),
        "T",
    ),
    "first_responsible_term": Meaning(
        gettext_lazy("这条规则的叫法"), gettext_lazy("北京叫首接负责制，广州叫首派负责制。"), "T"
    ),
    "desk_minutes": Meaning(
        gettext_lazy("受理、分流、接单的时限"), gettext_lazy("按工作时间算，每一步各算各的。"), "P", gettext_lazy("工作分钟")
    ),
    "urgent_desk_minutes": Meaning(
        gettext_lazy("紧急案件受理、分流、接单的时限"), gettext_lazy("不分昼夜和节假日。"), "P", gettext_lazy("分钟")
    ),
    "hotline_desk_minutes": Meaning(
        gettext_lazy("热线工单受理、分流、接单的时限"),
        gettext_lazy("工单上另有热线的时限，两个都要守。"),
        "P",
        gettext_lazy("工作分钟"),
    ),
    "check_hours": Meaning(
        gettext_lazy("到现场核实、核查的时限"), gettext_lazy("紧急案件是 1 小时，不分昼夜。"), "P", gettext_lazy("工作时")
    ),
    "reopen_days": Meaning(
        gettext_lazy("结案后多久可以要求重办"),
        gettext_lazy("上报人可以要求一次；算返工，不算新的成绩。"),
        "P",
        gettext_lazy("天"),
    ),
    "rating_days": Meaning(gettext_lazy("结案后多久可以评价"), gettext_lazy("过了就不再请他评价。"), "P", gettext_lazy("天")),
    "undo_seconds": Meaning(
        gettext_lazy("办理后多久可以撤销"), gettext_lazy("这段时间里通知还没有发出。"), "P", gettext_lazy("秒")
    ),
    "repeat_urge": Meaning(
        gettext_lazy("几个人反映就自动督办"), gettext_lazy("同一件事到这个人数，主办部门会收到督办。"), "P", gettext_lazy("人")
    ),
    "near_m": Meaning(
        gettext_lazy("多近算可能是同一件"), gettext_lazy("受理时，先列出这么近的未结案件。"), "P", gettext_lazy("米")
    ),
    "link_days": Meaning(
        gettext_lazy("查进度的私人链接多久有效"), gettext_lazy("过期后可凭编号和手机号后四位查询。"), "P", gettext_lazy("天")
    ),
    "keep_days": Meaning(
        gettext_lazy("上报人的身份保留多久"), gettext_lazy("结案后过了这么久，姓名和电话自动删除。"), "P", gettext_lazy("天")
    ),
    "hotline_return_minutes": Meaning(
        gettext_lazy("热线工单多久内可以退回"), gettext_lazy("各市不同，请按本市热线的规定填。"), "C", gettext_lazy("分钟")
    ),
    "self_handled_sample": Meaning(gettext_lazy("自处理抽查多少"), gettext_lazy("0 到 1 之间；0.1 就是每十件抽查一件。"), "P"),
    "closed_sample": Meaning(
        gettext_lazy("结案抽查多少"), gettext_lazy("0 到 1 之间；按编号定，谁也挑不了，由督查抽查。"), "P"
    ),
    "repeat_urge_days": Meaning(
        gettext_lazy("几天没办完又有人反映就自动督办"),
        gettext_lazy("上报满这么多天还没结，再有人反映同一件事，主办部门会收到督办。"),
        "P",
        gettext_lazy("天"),
    ),
    "compare_min_n": Meaning(
        gettext_lazy("比较时至少要有多少件"),
        gettext_lazy("不到这个数的部门、社区、类型只写“样本不足”。"),
        "P",
        gettext_lazy("件"),
    ),
    "hotline_response": Meaning(
        gettext_lazy("热线响应率里，什么算“联系诉求人”"), gettext_lazy("条例只有名称，没有公式；各市不同。"), "P"
    ),
    "hotline_visits": Meaning(
        gettext_lazy("热线解决率、满意率里，什么算“有效回访”"), gettext_lazy("条例只有名称，没有公式；各市不同。"), "P"
    ),
    "brief_hour": Meaning(
        gettext_lazy("几点告诉领导看今日简报"),
        gettext_lazy("只在工作日，按通知的工作时间送；每个人可以自己关掉。"),
        "P",
        gettext_lazy("点"),
    ),
}

CHOICE_WORDS: dict[str, str | Promise] = {
    "accept": gettext_lazy("按时受理"),
    "acknowledge": gettext_lazy("主办部门按时接单"),
    "all": gettext_lazy("自己评的和电话回访的"),
    "phone": gettext_lazy("只算电话回访"),
}


class PolicyForm(forms.Form):
    """A field for each rule, of the kind its default has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, default in asdict(Policy()).items():
            self.fields[name] = _field(name, default)


def _field(name: str, default: Any) -> forms.Field:
    label = str(MEANINGS[name].label)
    if isinstance(default, bool):
        return forms.BooleanField(label=label, required=False)
    if name in CHOICES:
        return forms.ChoiceField(label=label, choices=[(value, CHOICE_WORDS[value]) for value in CHOICES[name]])
    if isinstance(default, str):
        return forms.CharField(label=label, max_length=20)
    low, high = RANGES[name]
    if isinstance(default, float):
        return forms.FloatField(label=label, min_value=low, max_value=high, widget=forms.NumberInput(attrs={"step": "any"}))
    return forms.IntegerField(label=label, min_value=int(low), max_value=int(high))


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@idempotent
def policy(request: HttpRequest) -> HttpResponse:
    """The rules of one street, and the form that changes them."""
    streets = list(Street.objects.filter(is_active=True).order_by("code9"))
    street = _chosen(request, streets)
    refusal = None
    seen = policies.seen_of(street)
    form = PolicyForm(initial=asdict(Policy.of(street.settings)))
    if request.method == "POST":
        seen = request.POST.get("seen", "")[:64]
        form = PolicyForm(request.POST)
        try:
            _save(request, street, form, seen)
            messages.success(request, _("规则已保存，从下一步办理起算。"))
            return redirect(f"{reverse('cases:policy')}?street={street.pk}")
        except Refusal as refused:
            refusal = refused
    default = asdict(Policy())
    context = {
        "section": "policy",
        "can_edit": True,
        "street": street,
        "street_name": said(street.name_zh, street.name_en),
        "streets": [(s.pk, said(s.name_zh, s.name_en)) for s in streets],
        "form": form,
        "seen": seen,
        "refusal": refusal,
        "rules": [_rule(form, name, value) for name, value in default.items()],
        "marks": MARKS.items(),
    }
    return render(request, "cases/types/policy.html", context, status=refusal.status if refusal else 200)


def _rule(form: PolicyForm, name: str, default: Any) -> dict[str, Any]:
    meaning = MEANINGS[name]
    shown = (_("是") if default else _("否")) if isinstance(default, bool) else CHOICE_WORDS.get(default, default)
    low, high = RANGES.get(name, (None, None))
    return {
        "field": form[name],
        "meaning": meaning,
        "default": shown,
        "low": low,
        "high": high,
        "is_own": str(form[name].value()) != str(default),
    }


def _save(request: HttpRequest, street: Street, form: PolicyForm, seen: str) -> None:
    if not form.is_valid():
        raise Refusal("invalid_form", _("有的内容没有填好，请看标出的地方。没有保存。"))
    policies.change_policy(street_id=street.pk, values=form.cleaned_data, seen=seen, by=actor_of(request), at=clock.now())


def _chosen(request: HttpRequest, streets: list[Street]) -> Street:
    asked = request.GET.get("street", "")
    found = next((street for street in streets if str(street.pk) == asked), None)
    if found is None and (asked or not streets):
        raise NotFound("no_such_street", _("没有找到这个街道。"))
    return found or streets[0]
