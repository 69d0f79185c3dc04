"""Tying a WeChat to somebody on the roster: the administrator's page, the phone's, and one's own."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.http import is_htmx
from jiequ.core.numbers import whole
from jiequ.people import entry, ways_in
from jiequ.people.access import actor_of, needs, public, signed_in
from jiequ.people.models import Person
from jiequ.people.rules import Account, Role

from .. import config
from ..pictures import code_picture
from ..services import binding

READ_AND_POST = ["GET", "HEAD", "POST"]


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
def staff(request: HttpRequest, person_id: int) -> HttpResponse:
    """One person's WeChat: show a code, see how far it is, confirm or refuse; untie."""
    person = _person(person_id)
    refusal = None
    if request.method == "POST":
        try:
            return _change(request, person)
        except Refusal as refused:
            refusal = refused
    return _page(request, person, refusal)


def _change(request: HttpRequest, person: Person) -> HttpResponse:
    by, at, act = actor_of(request), now(), request.POST.get("act", "")
    if act == "begin":
        binding.begin(person_id=person.pk, by=by, at=at)
        return redirect(request.path)
    if act == "unbind":
        binding.unbind(person_id=person.pk, by=by, at=at)
        messages.success(request, _("已解绑，那部手机上的登录都已退出；站内消息还在。"))
        return redirect(request.path)
    number = _number(request.POST.get("binding", ""))
    if act == "confirm":
        binding.confirm(person_id=person.pk, binding_id=number, by=by, at=at)
        messages.success(request, _("已绑定%(name)s的微信。") % {"name": person.name})
    else:
        binding.refuse(person_id=person.pk, binding_id=number, by=by, at=at)
        messages.success(request, _("这次绑定已经取消。"))
    return redirect(request.path)


def _page(request: HttpRequest, person: Person, refusal: Refusal | None) -> HttpResponse:
    at = now()
    current = binding.open_of(person.pk, at)
    context = {
        "person": person,
        "is_bound": binding.follower_bound_to(person.pk) is not None,
        "binding": current,
        "picture": code_picture(current.qr_url) if current and current.state == "shown" else "",
        "refusal": refusal,
        "now": at,
    }
    is_part = is_htmx(request) and request.method == "GET"
    template = "wechat_pages/parts/binding.html" if is_part else "wechat_pages/staff.html"
    answer = render(request, template, context, status=refusal.status if refusal else HTTPStatus.OK)
    answer["Cache-Control"] = "private, no-store"
    return answer


def _person(person_id: int) -> Person:
    if not config.is_on():
        raise Http404
    return get_object_or_404(Person.objects.active(), pk=person_id, account=Account.STAFF)


def _number(text: str) -> int:
    return whole(text) or 0


@public
@require_http_methods(READ_AND_POST)
def confirm(request: HttpRequest) -> HttpResponse:
    """On the phone that scanned: whose account it is to be tied to, and "this is me"."""
    if not config.is_on():
        raise Http404
    follower_id = config.follower_id_of(entry.account_of(request))
    if follower_id is None:
        return ways_in.round_by_channel(request, request.path) or redirect("wechat_pages:enter")
    at, refusal = now(), None
    if request.method == "POST":
        try:
            number, is_me = _number(request.POST.get("binding", "")), request.POST.get("who") == "me"
            binding.say_who(follower_id=follower_id, binding_id=number, is_me=is_me, at=at)
            return redirect(request.path)
        except Refusal as refused:
            refusal = refused
    context = {
        "binding": binding.waiting_for(follower_id, at),
        "is_bound": binding.is_bound(follower_id),
        "refusal": refusal,
        "now": at,
    }
    answer = render(request, "wechat_pages/confirm.html", context, status=refusal.status if refusal else HTTPStatus.OK)
    answer["Cache-Control"] = "private, no-store"
    if context["is_bound"]:
        answer.delete_cookie(ways_in.TRIED)  # nobody's a moment ago, somebody's now
    return answer


@signed_in
@require_http_methods(READ_AND_POST)
def mine(request: HttpRequest) -> HttpResponse:
    """One's own WeChat: tied or not, and untied in one click when the phone is lost."""
    by = actor_of(request)
    if not config.is_on() or by.person_id is None:
        raise Http404
    if request.method == "POST":
        binding.unbind(person_id=by.person_id, by=by, at=now())
        messages.success(request, _("已解绑，那部手机上的登录都已退出；站内消息还在。"))
        return redirect("people:me")
    context = {"is_bound": binding.follower_bound_to(by.person_id) is not None}
    return render(request, "wechat_pages/mine.html", context)
