"""The system administrator's pages of webhooks: who is told what, what arrived, what did not, and a way to try again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jiequ.core import clock, outgoing_words
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from .. import words
from ..models import Delivery, Webhook
from ..services import hooks
from . import present, reading

SHOWN = 50
USUAL = (
    "report",
    "accept",
    "reject",
    "dispatch",
    "acknowledge",
    "return",
    "handle",
    "close",
    "reopen",
    "rate",
    "urge",
    "light",
)
"""What most receivers want; the others are offered further down."""
STATES: dict[str, tuple[Promise, str]] = {
    Delivery.State.WAITING: (gettext_lazy("等待"), "wait"),
    Delivery.State.DELIVERED: (gettext_lazy("已送达"), "done"),
    Delivery.State.NOT_DELIVERED: (gettext_lazy("没有送达"), "stop"),
    Delivery.State.WITHDRAWN: (gettext_lazy("已撤回"), "plain"),
}
FAULTS: dict[str, Promise] = {
    **outgoing_words.FAULTS,
    "undone": gettext_lazy("这一步已撤回"),
    "ended": gettext_lazy("回调已停用"),
}


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest) -> HttpResponse:
    """All of them with what did not arrive, and a form for a new one. No answer of the form is kept: it holds the secret."""
    if request.method != "POST":
        return _page(request, None)
    try:
        webhook, secret = hooks.make_webhook(
            name=request.POST.get("name", ""),
            url=request.POST.get("url", "").strip(),
            events=request.POST.getlist("events"),
            street_id=reading.whole(request.POST, "street"),
            by=actor_of(request),
            at=clock.now(),
        )
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(request, refusal)
    return _secret(request, webhook, secret)


@needs(Role.SYSTEM_ADMIN)
@require_safe
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """One, with its deliveries, the newest first; keyset pages."""
    found = Webhook.objects.select_related("street").filter(pk=webhook_id).first()
    if found is None:
        raise NotFound("no_such_webhook", _("没有这个回调，或者已经停用。"))
    rows = found.deliveries.select_related("case").order_by("-pk")
    if request.GET.get("state") in STATES:
        rows = rows.filter(state=request.GET["state"])
    before = reading.whole(request.GET, "before")
    shown = list(rows.filter(pk__lt=before)[: SHOWN + 1] if before else rows[: SHOWN + 1])
    context = {
        "webhook": found,
        "street": present.named(found.street),
        "events": [_event_words(name) for name in found.events],
        "rows": [_row(one) for one in shown[:SHOWN]],
        "next_before": shown[SHOWN - 1].pk if len(shown) > SHOWN else None,
        "is_first_page": before is None,
        "states": [(name, word) for name, (word, _tone) in STATES.items()],
        "chosen": request.GET.get("state", ""),
    }
    return render(request, "cases/webhook.html", context)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def ping(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """A test call."""
    hooks.ping(webhook_id=webhook_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("测试已发出，几秒后刷新看结果。"))
    return redirect("cases:webhook", webhook_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def renew(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Another secret, shown this once."""
    return _secret(request, *hooks.renew_secret(webhook_id=webhook_id, by=actor_of(request), at=clock.now()))


@needs(Role.SYSTEM_ADMIN)
@require_POST
def resume(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Go on after a pause."""
    hooks.resume_webhook(webhook_id=webhook_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("已恢复，等待的按顺序发出。"))
    return redirect("cases:webhook", webhook_id)


@needs(Role.SYSTEM_ADMIN)
@require_POST
def end(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Told no more."""
    found = hooks.end_webhook(webhook_id=webhook_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("“%(name)s”已停用，不再告知。") % {"name": found.name})
    return redirect("cases:webhooks")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def resend(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Try one again."""
    found = hooks.resend(delivery_id=delivery_id, by=actor_of(request), at=clock.now())
    messages.success(request, _("已重新排队。"))
    return redirect("cases:webhook", found.webhook_id)


def _page(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    lost = Count("deliveries", filter=Q(deliveries__state=Delivery.State.NOT_DELIVERED))
    waiting = Count("deliveries", filter=Q(deliveries__state=Delivery.State.WAITING))
    found = Webhook.objects.select_related("street").annotate(lost=lost, waiting=waiting).order_by("ended_at", "name")
    context: dict[str, Any] = {
        "rows": [{"webhook": row, "street": present.named(row.street)} for row in found],
        "streets": [(row.pk, present.named(row)) for row in Street.objects.filter(is_active=True).order_by("code9")],
        "usual": [(name, _event_words(name)) for name in USUAL],
        "others": [(name, _event_words(name)) for name in hooks.EVENTS if name not in USUAL],
        "given": request.POST,
        "given_events": request.POST.getlist("events"),
        "refusal": refusal,
    }
    return render(request, "cases/webhooks.html", context, status=refusal.status if refusal else 200)


def _event_words(name: str) -> str:
    return str(words.MOVES.get(name) or _("灯变黄或变红"))


def _row(delivery: Delivery) -> dict[str, Any]:
    word, tone = STATES[delivery.state]
    return {
        "delivery": delivery,
        "what": _event_words(delivery.kind) if delivery.event_id else _("测试"),
        "number": delivery.case.number if delivery.case else "",
        "state": word,
        "tone": tone,
        "fault": FAULTS.get(delivery.error, delivery.error),
        "is_lost": delivery.state == Delivery.State.NOT_DELIVERED,
    }


def _secret(request: HttpRequest, webhook: Webhook, secret: str) -> HttpResponse:
    answer = render(request, "cases/webhook_secret.html", {"webhook": webhook, "secret": secret})
    answer["Cache-Control"] = "no-store"
    return answer
