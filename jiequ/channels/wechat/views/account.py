"""The system administrator's page of channels: does the account answer, its menus, templates, what could not be worked on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.channels import texts
from jiequ.channels.arrivals import queries as arrivals
from jiequ.channels.arrivals import services as arrivals_services
from jiequ.channels.client import ApiError
from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.numbers import whole
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .. import config, queries, rules, services, words
from ..models import TemplateForm
from ..rules import Group

DEAD_SHOWN = 50
DAY = timedelta(days=1)


@needs(Role.SYSTEM_ADMIN)
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """All of it on one page; nothing is asked of the platform for it."""
    at = now()
    context = {
        "is_on": config.is_on(),
        "listens": config.listens(),
        "is_encrypted": bool(settings.WECHAT_AES_KEY),
        "appid": settings.WECHAT_APPID,
        "callback": settings.BASE_URL + "/callbacks/wechat/",
        "followers": queries.follower_counts() if config.is_on() else {},
        "last_at": arrivals.last_arrival_at(config.CHANNEL),
        "said": queries.said_counts(since=DAY, at=at),
        "today": arrivals.counts(config.CHANNEL, since=DAY, at=at),
        "forms": [_shown(form) for form in queries.forms()],
        "dead": [{"row": row, "channel": words.CHANNELS.get(row.channel, row.channel)} for row in arrivals.dead()[:DEAD_SHOWN]],
    }
    return render(request, "wechat/account.html", context)


def _shown(form: TemplateForm) -> dict[str, Any]:
    labels = {field.name: field.label or field.name for field in rules.fields_of(form.content)}
    pairs = [(label, words.SOURCES.get(form.fields.get(name, ""), "")) for name, label in labels.items()]
    known = texts.TEMPLATES.get(form.notice)
    return {
        "form": form,
        "group": words.GROUPS.get(form.group, form.group),
        "notice": known.title if known else "",
        "pairs": pairs,
        "fault": words.fault(form.fault) if form.fault else "",
    }


@needs(Role.SYSTEM_ADMIN)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Ask the account now."""
    _must_be_on()
    if error := services.ask_account():
        messages.error(request, _("公众号没有正常回答：%(why)s") % {"why": words.reason(error)})
    else:
        messages.success(request, _("公众号回答正常。"))
    return redirect("wechat:account")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def push_menus(request: HttpRequest) -> HttpResponse:
    """Tell the platform the menus of this version."""
    _must_be_on()
    try:
        services.push_menus(by=actor_of(request), at=now())
    except ApiError as fault:
        raise _refused(fault) from None
    messages.success(request, _("菜单已发布，手机上五分钟内可见。"))
    return redirect("wechat:account")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def read_templates(request: HttpRequest) -> HttpResponse:
    """Read the account's templates; new ones are set up as far as their labels tell."""
    _must_be_on()
    try:
        templates = services.read_templates()
    except ApiError as fault:
        raise _refused(fault) from None
    made = services.adopt_templates(templates, by=actor_of(request), at=now())
    messages.success(request, _("公众号有 %(all)d 个模板，新增 %(new)d 个。") % {"all": len(templates), "new": made})
    return redirect("wechat:account")


def _must_be_on() -> None:
    if not config.is_on():
        raise Refusal("wechat_off", _("没有配置公众号。"))


def _refused(fault: ApiError) -> Refusal:
    error = str(fault.errcode) if fault.errcode is not None else fault.code
    return Refusal("wechat_refused", _("没有办成：%(why)s") % {"why": words.reason(error)}, facts={"error": error})


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@idempotent
def form(request: HttpRequest, form_id: int) -> HttpResponse:
    """How notices fill one template."""
    row = TemplateForm.objects.filter(pk=form_id).first()
    if row is None:
        raise Http404
    if request.method != "POST":
        return _form_page(request, row, None)
    given = request.POST
    fields = {field.name: given.get(f"field-{field.name}", "") for field in rules.fields_of(row.content)}
    turn = given.get("turn", "0")
    try:
        services.save_form(
            form_id,
            group=given.get("group", ""),
            notice=given.get("notice", ""),
            fields=fields,
            turn=whole(turn, 3) or 0,
            by=actor_of(request),
            at=now(),
        )
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _form_page(request, row, refusal)
    messages.success(request, _("“%(title)s”已保存。") % {"title": row.title})
    return redirect("wechat:account")


def _form_page(request: HttpRequest, row: TemplateForm, refusal: Refusal | None) -> HttpResponse:
    given = request.POST
    fields = [
        {
            "name": f"field-{one.name}",
            "label": one.label or one.name,
            "kind": one.kind,
            "chosen": given.get(f"field-{one.name}") or row.fields.get(one.name, ""),
        }
        for one in rules.fields_of(row.content)
    ]
    context = {
        "form": row,
        "fields": fields,
        "sources": list(words.SOURCES.items()),
        "groups": list(words.GROUPS.items()),
        "group": given.get("group") or row.group,
        "notices": [_notices(Group.STAFF), _notices(Group.RESIDENT)],
        "notice": given.get("notice", row.notice),
        "turn": given.get("turn") or row.turn,
        "refusal": refusal,
    }
    return render(request, "wechat/form.html", context, status=refusal.status if refusal else 200)


def _notices(group: Group) -> dict[str, Any]:
    """The notices of a group by their occasion; several may be called the same."""
    mine = [(name, one.title) for name, one in texts.TEMPLATES.items() if one.for_staff == (group is Group.STAFF)]
    return {"label": words.GROUPS[group], "options": mine}


@needs(Role.SYSTEM_ADMIN)
@require_POST
@idempotent
def drop_form(request: HttpRequest, form_id: int) -> HttpResponse:
    """Use a form no more."""
    services.drop_form(form_id, by=actor_of(request), at=now())
    messages.success(request, _("已删除。"))
    return redirect("wechat:account")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def revive(request: HttpRequest, arrival_id: int) -> HttpResponse:
    """Work on a message once more that was given up."""
    if arrivals_services.revive(arrival_id, by=actor_of(request), at=now()):
        messages.success(request, _("会马上重新处理。"))
    return redirect("wechat:account")
