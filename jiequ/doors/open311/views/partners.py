"""The system administrator's pages of other GeoReport servers: which they are, what they are asked, and how it went."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from jiequ.cases.queries.rows import named
from jiequ.cases.queries.types import current_types
from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.numbers import whole
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from ..models import Direction, Mapping, Mirror, Partner, Push, Run, Use
from ..services import partners as services

RUNS_SHOWN, FAILED_SHOWN, SHORT = 10, 20, 20
FAULTS: dict[str, Promise] = {
    "unknown_host": gettext_lazy("域名查不到"),
    "address_not_allowed": gettext_lazy("内网地址，没有允许（JIEQU_WEBHOOK_NETWORKS）"),
    "no_connection": gettext_lazy("连不上"),
    "timed_out": gettext_lazy("20 秒没有答完"),
    "bad_certificate": gettext_lazy("证书无效"),
    "no_answer": gettext_lazy("没有答完就断了"),
    "too_large": gettext_lazy("答得太多（超过 8 MB）"),
    "url_not_https": gettext_lazy("地址不是 https"),
    "unreadable": gettext_lazy("答的不是 XML，也不是 JSON"),
    "status_401": gettext_lazy("对方不认我们的令牌（401）"),
    "status_403": gettext_lazy("对方不认我们的令牌（403）"),
    "status_404": gettext_lazy("对方没有这个地址或 jurisdiction_id（404）"),
    "status_429": gettext_lazy("问得太勤，对方请我们等一等（429）"),
    "no_number": gettext_lazy("对方收了，但没有给编号"),
    "unreachable": gettext_lazy("多次都连不上"),
    "number_taken": gettext_lazy("对方给的编号已经是另一个案件的"),
    "not_public": gettext_lazy("成了举报或待核查的案件，没有送出"),
    "ended": gettext_lazy("已停用"),
}
COUNTS: dict[str, Promise] = {
    "services": gettext_lazy("服务"),
    "samples": gettext_lazy("样例"),
    "new": gettext_lazy("新收"),
    "changed": gettext_lazy("有变化"),
    "known": gettext_lazy("没有变化"),
    "updates": gettext_lazy("对方的进展"),
    "numbered": gettext_lazy("取到编号"),
    "told": gettext_lazy("告知对方"),
    "pushes": gettext_lazy("自动送出"),
    "ours": gettext_lazy("本来就是我方的"),
    "left_out": gettext_lazy("按对照不收"),
    "closed_there": gettext_lazy("对方已办结，不收"),
    "elsewhere": gettext_lazy("不在本街道"),
    "unnumbered": gettext_lazy("没有编号"),
    "refused": gettext_lazy("存不下"),
}
KINDS: dict[str, Promise] = {
    "test": gettext_lazy("测试"),
    "pull": gettext_lazy("拉取"),
    "tell": gettext_lazy("告知"),
}


def fault_words(code: str) -> str:
    """A fault in plain words; the code itself if nobody wrote any."""
    return str(FAULTS.get(code) or (_("对方答 %(status)s") % {"status": code[7:]} if code.startswith("status_") else code))


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@idempotent
def partners(request: HttpRequest) -> HttpResponse:
    """All of them, and a form for a new one."""
    if request.method != "POST":
        return _list(request, None)
    try:
        made = services.make_partner(_terms(request), by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _list(request, refusal)
    messages.success(request, _("已建立，正在测试连接。对照好服务后再恢复。"))
    return redirect("open311:partner", made.pk)


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD"])
def partner(request: HttpRequest, partner_id: int) -> HttpResponse:
    """One: terms, mapping with a preview, the last rounds."""
    return _one(request, partner_id, None)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def edit(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Other terms."""
    try:
        services.change_partner(partner_id, _terms(request), by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _one(request, partner_id, refusal)
    messages.success(request, _("已保存。"))
    return redirect("open311:partner", partner_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def test(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Read its services and newest requests, in the background."""
    services.asked(partner_id, "test", by=actor_of(request), at=clock.now())
    messages.success(request, _("正在测试，几秒后刷新看结果。"))
    return redirect("open311:partner", partner_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def pull(request: HttpRequest, partner_id: int) -> HttpResponse:
    """A round now, in the background."""
    services.asked(partner_id, "pull", by=actor_of(request), at=clock.now())
    messages.success(request, _("正在拉取，过一会儿刷新看结果。"))
    return redirect("open311:partner", partner_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def pause(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Pause, or go on."""
    is_paused = request.POST.get("act") != "resume"
    services.pause_partner(partner_id, is_paused=is_paused, by=actor_of(request), at=clock.now())
    messages.success(request, _("已暂停。") if is_paused else _("已恢复，五分钟内开始。"))
    return redirect("open311:partner", partner_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def end(request: HttpRequest, partner_id: int) -> HttpResponse:
    """An end to it."""
    found = services.end_partner(partner_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("“%(name)s”已停用，令牌已删除。") % {"name": found.name})
    return redirect("open311:partners")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def mappings(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Which service is which type, in one direction."""
    direction = request.POST.get("direction", "")
    try:
        wanted = _in_lines(request) if direction == Direction.IN else _out_lines(request)
        chosen = Direction.IN if direction == Direction.IN else Direction.OUT
        services.map_services(partner_id, chosen, wanted, by=actor_of(request), at=clock.now())
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _one(request, partner_id, refusal)
    messages.success(request, _("对照已保存，下面是预览。"))
    return redirect("open311:partner", partner_id)


# -- what came ---------------------------------------------------------------------------------------------------------


def _terms(request: HttpRequest) -> services.Terms:
    data = request.POST
    street = data.get("street", "")
    return services.Terms(
        name=data.get("name", ""),
        base_url=data.get("base_url", ""),
        street_id=whole(street),
        jurisdiction=data.get("jurisdiction", "").strip(),
        key=data.get("key", "").strip(),
        form=data.get("form", "json"),
        pulls=data.get("pulls") == "on",
        push=data.get("push", Push.CHOSEN),
        has_updates=data.get("has_updates") == "on",
    )


def _in_lines(request: HttpRequest) -> list[services.Wanted]:
    """``in:<their code>`` = ``untyped`` | ``leave`` | ``<type>:<condition>``; what is not chosen stays untyped."""
    lines = []
    for name, value in request.POST.items():
        if name.startswith("in:") and value != Use.UNTYPED:
            lines.append(_line(name[3:], str(value)))
    return lines


def _line(code: str, value: str) -> services.Wanted:
    if value == Use.LEAVE:
        return services.Wanted(code, use=Use.LEAVE)
    type_id, _colon, key = value.partition(":")
    return services.Wanted(code, type_id=whole(type_id), condition_key=key)


def _out_lines(request: HttpRequest) -> list[services.Wanted]:
    """``out:<type>`` = their code, ``attributes:<type>`` = lines ``code=value``; nothing chosen: it is not handed over."""
    lines = []
    for name, value in request.POST.items():
        type_id = name[4:]
        if name.startswith("out:") and value and type_id.isdecimal() and len(type_id) < 18:
            attributes = _attributes(request.POST.get(f"attributes:{type_id}", ""))
            lines.append(services.Wanted(str(value), type_id=int(type_id), attributes=attributes))
    return lines


def _attributes(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines()[:20]:
        code, is_there, value = line.partition("=")
        if line.strip() and (not is_there or not code.strip()):
            raise Refusal("bad_attributes", _("固定答案每行写成“代码=值”。"), facts={"field": "attributes"})
        if line.strip():
            found[code.strip()[:60]] = value.strip()[:200]
    return found


# -- what is shown -----------------------------------------------------------------------------------------------------


def _list(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    rows = Partner.objects.select_related("street").order_by("ended_at", "name")
    context: dict[str, Any] = {
        "rows": [{"partner": one, "street": named(one.street)} for one in rows],
        "streets": [(row.pk, named(row)) for row in Street.objects.filter(is_active=True).order_by("code9")],
        "pushes": Push.choices,
        "given": request.POST,
        "is_new": request.method != "POST",
        "refusal": refusal,
    }
    return render(request, "open311/partners.html", context, status=refusal.status if refusal else 200)


def _one(request: HttpRequest, partner_id: int, refusal: Refusal | None) -> HttpResponse:
    found = Partner.objects.select_related("street").filter(pk=partner_id).first()
    if found is None:
        raise NotFound("no_such_partner", _("没有这个对方，或者已经停用。"))
    lines = list(Mapping.objects.filter(partner=found))
    failed = Mirror.objects.filter(partner=found, state=Mirror.State.FAILED).select_related("case").order_by("-pk")
    context: dict[str, Any] = {
        "partner": found,
        "street": named(found.street),
        "pushes": Push.choices,
        "ins": _ins(found, lines),
        "outs": _outs(lines),
        "types": _types(),
        "preview": _preview(found, lines),
        "runs": [_run(one) for one in Run.objects.filter(partner=found).order_by("-pk")[:RUNS_SHOWN]],
        "failed": [{"number": one.case.number, "why": fault_words(one.error)} for one in failed[:FAILED_SHOWN]],
        "refusal": refusal,
    }
    return render(request, "open311/partner.html", context, status=refusal.status if refusal else 200)


def _types() -> list[dict[str, Any]]:
    """Our types to choose from, a line for each filing condition."""
    return [
        {
            "name": major.name,
            "choices": [
                (f"{one.id}:{condition.key}", one.name if len(one.conditions) == 1 else f"{one.name} · {condition.name}")
                for one in major.types
                for condition in one.conditions
            ],
        }
        for major in current_types()
    ]


def _ins(partner: Partner, lines: list[Mapping]) -> list[dict[str, Any]]:
    """Their services by their groups; a short list stands open."""
    chosen = {one.their_code: one for one in lines if one.direction == Direction.IN}
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in partner.services:
        row = {"service": one, "chosen": _chosen(chosen.get(one["code"]))}
        groups.setdefault(one.get("group", ""), []).append(row)
    is_short = len(partner.services) <= SHORT
    return [{"name": name, "rows": rows, "is_open": is_short} for name, rows in groups.items()]


def _chosen(line: Mapping | None) -> str:
    if line is None:
        return str(Use.UNTYPED)
    return f"{line.event_type_id}:{line.condition_key}" if line.use == Use.TYPE else str(line.use)


def _outs(lines: list[Mapping]) -> list[dict[str, Any]]:
    chosen = {one.event_type_id: one for one in lines if one.direction == Direction.OUT}
    return [
        {
            "name": major.name,
            "rows": [
                {
                    "type": one,
                    "chosen": chosen[one.id].their_code if one.id in chosen else "",
                    "attributes": "\n".join(f"{k}={v}" for k, v in chosen[one.id].attributes.items())
                    if one.id in chosen
                    else "",
                }
                for one in major.types
                if not one.is_confidential
            ],
        }
        for major in current_types()
    ]


def _preview(partner: Partner, lines: list[Mapping]) -> list[dict[str, Any]]:
    """Their newest requests, and what each would become here."""
    names = {f"{one.id}": one.name for major in current_types() for one in major.types}
    chosen = {one.their_code: one for one in lines if one.direction == Direction.IN}
    return [{"sample": one, "becomes": _becomes(one, chosen.get(one["code"]), names)} for one in partner.samples]


def _becomes(sample: dict[str, str], line: Mapping | None, names: dict[str, str]) -> tuple[str, str]:
    if sample["status"].lower() == "closed":
        return _("不收：对方已办结"), "plain"
    if line is None or line.use == Use.UNTYPED:
        return _("收，不定类型"), "wait"
    if line.use == Use.LEAVE:
        return _("不收"), "plain"
    return names.get(str(line.event_type_id)) or _("收，不定类型"), "done"


def _run(run: Run) -> dict[str, Any]:
    return {
        "run": run,
        "kind": KINDS.get(run.kind, run.kind),
        "counts": [(COUNTS.get(name, name), n) for name, n in run.counts.items() if n],
        "fault": fault_words(run.error) if run.error else "",
    }
