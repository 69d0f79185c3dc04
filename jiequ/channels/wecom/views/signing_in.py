"""Signing in from WeCom's browser: without a word for a member we know; the first time with our own password, and tied then."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from jiequ.channels import oauth, pages
from jiequ.channels.client import ApiError
from jiequ.core import throttle
from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.http import client_network
from jiequ.people import entry, ways_in
from jiequ.people.access import public
from jiequ.people.models import Person

from .. import config, platform, queries, services

CHANNEL = "wecom"
ENTERS_A_MINUTE = 600  # a mobile network's thousands share an address
SHOWN, SHOWN_SECONDS = "_wecom", 900
"""In the session: the userid that WeCom vouched for, until somebody signs in and says that it is theirs."""


@public
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Off to WeCom, which sends the browser back with a code."""
    _need_on()
    at = now()
    bucket = throttle.bucket("wecom-enter", client_network(request))  # each sets a session down
    throttle.take(bucket, capacity=ENTERS_A_MINUTE, per_seconds=60, at=at)
    address = oauth.begin(
        request,
        channel=CHANNEL,
        base=settings.WECOM_OPEN,
        appid=settings.WECOM_CORPID,
        agentid=settings.WECOM_AGENTID,
        returns_to=settings.BASE_URL + reverse("wecom:came_back"),
        next_path=request.GET.get("next", ""),
        at=at,
    )
    return redirect(address)


@public
@require_GET
def came_back(request: HttpRequest) -> HttpResponse:
    """Back with a code: in, if it is one of ours; else to the password, once."""
    _need_on()
    at = now()
    try:
        came = oauth.finish(request, channel=CHANNEL, at=at)
        userid = _userid(came.code)
    except Refusal as refusal:
        return _refused(request, refusal)
    person = queries.person_of(userid)
    if person is None:
        request.session[SHOWN] = {"userid": userid, "until": at.timestamp() + SHOWN_SECONDS}
        return redirect(f"{reverse('wecom:tie')}?{urlencode({'next': came.next_path})}")
    account = queries.account_of(userid)
    return entry.come_by_account(request, account, person, at=at, how=CHANNEL, next_path=came.next_path)


def _userid(code: str) -> str:
    try:
        userid = platform.userid_of(code)
    except ApiError as fault:
        words = (
            _("企业微信没有回答，请稍后再试，或用用户名和密码登录。") if fault.is_passing else _("登录没有成功，请重新打开。")
        )
        raise Refusal("wecom_sign_in", words) from None
    if not userid:
        raise Refusal("wecom_stranger", _("您不是本单位企业微信的成员，请用用户名和密码登录。"))
    return userid


def _refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    answer = render(request, "wecom/refused.html", {"refusal": refusal}, status=refusal.status)
    answer["Cache-Control"] = "no-store"
    return answer


@public
@require_http_methods(["GET", "HEAD", "POST"])
def tie(request: HttpRequest) -> HttpResponse:
    """The first time: sign in with our own account, then say that this WeCom account is one's own."""
    _need_on()
    at, refusal = now(), None
    next_path = entry.own_path(request.POST.get("next") or request.GET.get("next", ""))
    userid = _shown(request, at)
    if userid and request.method == "POST" and request.user.is_authenticated:
        try:
            return _tied(request, userid, next_path, at=at)
        except Refusal as refused:
            refusal = refused
    here = f"{reverse('wecom:tie')}?{urlencode({'next': next_path})}"
    context: dict[str, Any] = {
        "userid": userid,
        "next": next_path,
        "has_proved": entry.has_just_proved(request, at),
        "sign_in": f"{reverse('people:sign_in')}?{urlencode({'next': here})}",
        "refusal": refusal,
    }
    answer = render(request, "wecom/tie.html", context, status=refusal.status if refusal else 200)
    answer["Cache-Control"] = "private, no-store"
    return answer if request.user.is_authenticated else ways_in.tried(answer)  # on to the page, not round once more


def _shown(request: HttpRequest, at: datetime) -> str:
    kept = request.session.get(SHOWN)
    return str(kept["userid"]) if kept and kept["until"] > at.timestamp() else ""


def _tied(request: HttpRequest, userid: str, next_path: str, *, at: datetime) -> HttpResponse:
    if not entry.has_just_proved(request, at):  # it outlives the session, so a session alone is not enough
        raise Refusal("sign_in_again", _("为防别人冒用，请先退出，再从企业微信打开，用密码登录后十分钟内关联。"))
    person = Person.objects.active().get(pk=request.user.pk)
    services.tie(userid=userid, person=person, at=at)
    request.session.pop(SHOWN, None)
    entry.enter_as_account(request, queries.account_of(userid), person=person, at=at)
    messages.success(request, _("已关联企业微信，下次从企业微信打开会自动登录。"))
    return redirect(next_path or "/")


def _need_on() -> None:
    if not config.is_on():
        raise Http404


@public
@require_GET
def page_config(request: HttpRequest) -> HttpResponse:
    """``wx.config`` and ``wx.agentConfig`` for the page at ``?url=``, one of our own (else 422). Pages do without it."""
    _need_on()
    otherwise = _("现在不能使用企业微信的定位和扫码，请用页面上的按钮。")
    return pages.answer(request, CHANNEL, platform.page_configs, otherwise=otherwise)
