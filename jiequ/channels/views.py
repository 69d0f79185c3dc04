"""The pages of messages: the inbox on phone and desk, call-backs, notices that reached nobody, the stub's texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.numbers import whole
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs, public, signed_in
from jiequ.people.rules import DESK_ROLES, Actor, Role

from . import access, queries, services, texts
from .models import CallBack, Message

DIGITS_MAX = 18


@signed_in
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """One's own messages, newest first; each opens its case in one tap."""
    actor = actor_of(request)
    assert actor.person_id is not None
    lines = queries.inbox(actor.person_id, language=_language(), before=_cursor(request, "before"))
    context = {
        "lines": lines,
        "older": lines[-1].id if len(lines) == queries.PAGE else None,
        "has_unread": any(not line.is_read for line in lines),
        "base": "web/desk.html" if _sits_at_desk(actor) else "web/phone.html",
        "works_at_desk": actor.has(*access.DESK),
    }
    return render(request, "channels/inbox.html", context)


@signed_in
@require_POST
def open_item(request: HttpRequest, item_id: int) -> HttpResponse:
    """Mark one's own message as read and go to what it is about."""
    actor = actor_of(request)
    item = services.mark_read(item_id=item_id, by=actor, at=now())
    about = item.message.about
    return redirect(services.links_of([about], actor).get(about, "channels:inbox"))


@signed_in
@require_GET
def go(request: HttpRequest, message_id: int) -> HttpResponse:
    """Where a message carried outside opens: what it is about, for whoever has it in the inbox; else the inbox."""
    actor = actor_of(request)
    item = access.inbox_items_for(actor).filter(message_id=message_id).select_related("message").first()
    if item is None:
        return redirect("channels:inbox")
    services.mark_read(item_id=item.pk, by=actor, at=now())
    about = item.message.about
    return redirect(services.links_of([about], actor).get(about, "channels:inbox"))


@signed_in
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark all of one's own messages as read."""
    services.mark_all_read(by=actor_of(request), at=now())
    return redirect("channels:inbox")


@needs(*access.DESK)
@require_GET
def call_backs(request: HttpRequest) -> HttpResponse:
    """Whom to call and what to read out, oldest first."""
    return _call_back_page(request)


@needs(*access.DESK)
@require_POST
def show_phone(request: HttpRequest, call_back_id: int) -> HttpResponse:
    """Show one number to dial; who looked is written down."""
    phone = services.reveal_call_back_phone(call_back_id=call_back_id, by=actor_of(request), at=now())
    response = _call_back_page(request, dialling=call_back_id, phone=phone)
    response["Cache-Control"] = "private, no-store"
    return response


@needs(*access.DESK)
@require_POST
@idempotent
def finish_call_back(request: HttpRequest, call_back_id: int) -> HttpResponse:
    """Write down how a call went."""
    reached = request.POST.get("reached")
    if reached not in {"yes", "no"}:
        raise Refusal("call_back_result_missing", _("请选择“已告知”或“打不通”。"))
    services.finish_call_back(
        call_back_id=call_back_id,
        reached=reached == "yes",
        outcome=request.POST.get("outcome", ""),
        by=actor_of(request),
        at=now(),
    )
    messages.success(request, _("回访结果已记录。"))
    return redirect("channels:call_backs")


def _call_back_page(request: HttpRequest, *, dialling: int | None = None, phone: str = "") -> HttpResponse:
    actor = actor_of(request)
    calls = queries.open_call_backs(actor, after=_cursor(request, "after") or 0)
    links = services.links_of((call.about for call in calls), actor)
    context = {
        "rows": [_call_row(call, links) for call in calls],
        "more": calls[-1].pk if len(calls) == queries.PAGE else None,
        "dialling": dialling,
        "phone": phone,
        "is_stalled": queries.is_stalled(now()),
    }
    return render(request, "channels/call_backs.html", context)


def _call_row(call: CallBack, links: Mapping[str, str]) -> dict[str, Any]:
    number = call.message.facts.get("number", "")
    title = texts.render(call.message.template, call.message.facts, _language()).title
    return {"call": call, "number": number, "title": title, "link": links.get(call.about)}


@needs(*access.DESK)
@require_GET
def undelivered(request: HttpRequest) -> HttpResponse:
    """Notices that reached nobody, newest first, each with why and a way to try again."""
    actor = actor_of(request)
    lost = queries.lost_messages(actor, before=_cursor(request, "before"))
    links = services.links_of((message.about for message in lost), actor)
    context = {
        "rows": [_lost_row(message, links) for message in lost],
        "older": lost[-1].pk if len(lost) == queries.PAGE else None,
        "is_stalled": queries.is_stalled(now()),
        "sends_sms": bool(settings.SMS_PORTS),
        "has_stub": "stub" in settings.SMS_PORTS,
    }
    return render(request, "channels/undelivered.html", context)


def _lost_row(message: Message, links: Mapping[str, str]) -> dict[str, Any]:
    text = texts.render(message.template, message.facts, _language())
    return {
        "message": message,
        "to": _recipient(message),
        "title": text.title,
        "body": text.body,
        "why": texts.reason(message.last_error),
        "tried": [{"way": texts.way(step), "why": texts.reason(why)} for step, why in message.trail],
        "link": links.get(message.about),
    }


def _recipient(message: Message) -> str:
    """To whom, for the desk: a name of staff or of a department; a resident is only that."""
    if message.to_person:
        return message.to_person.name
    if message.to_department:
        return message.to_department.name_en if _language() == "en" else message.to_department.name_zh
    return _("值守岗位") if message.to_role else _("居民")


@needs(*access.DESK)
@require_POST
@idempotent
def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """Send a lost notice once more."""
    services.retry_message(message_id=message_id, by=actor_of(request), at=now())
    messages.success(request, _("已重新发送。"))
    return redirect("channels:undelivered")


@public
@require_GET
def stub_inbox(request: HttpRequest) -> HttpResponse:
    """What the stub SMS port kept instead of sending; a page of the demonstration only."""
    if not settings.DEMO or "stub" not in settings.SMS_PORTS:
        raise Http404
    return render(request, "channels/stub_inbox.html", {"texts": queries.stub_texts()})


def _sits_at_desk(actor: Actor) -> bool:
    return actor.has(*(DESK_ROLES - {Role.LEADER}), Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)


def _cursor(request: HttpRequest, name: str) -> int | None:
    """An id from the query string; anything else counts as none."""
    text = request.GET.get(name, "")
    return whole(text, DIGITS_MAX)


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh-hans"
