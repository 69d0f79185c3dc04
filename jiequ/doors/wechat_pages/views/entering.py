"""In by WeChat: off to its sign-in page and back, with an answer for everything that may go wrong on the way."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from jiequ.channels import oauth, pages
from jiequ.channels.wechat.models import Follower
from jiequ.channels.wechat.services import follower_of
from jiequ.core import throttle
from jiequ.core.clock import now
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import client_network, wants_json
from jiequ.people import entry, ways_in
from jiequ.people.access import public
from jiequ.people.models import Person

from .. import config
from ..services import scans, signing, tickets

ENTERS_A_MINUTE = PLATES_A_MINUTE = 600  # a mobile network's thousands share an address


@public
@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """Off to WeChat with a state of this browser; ``?next=`` one of our own pages. Outside WeChat: where to open it."""
    _must_be_on()
    next_path = entry.own_path(request.GET.get("next", ""))
    if not config.is_in_wechat(request):
        return _shown(request, "wechat_pages/only_in_wechat.html", next_path)
    at = now()
    bucket = throttle.bucket("wechat-enter", client_network(request))
    throttle.take(bucket, capacity=ENTERS_A_MINUTE, per_seconds=60, at=at)
    answer = redirect(signing.begin(request, next_path, at=at))
    answer["Cache-Control"] = "no-store"
    return answer


@public
@require_GET
def arrive(request: HttpRequest) -> HttpResponse:
    """Back with a code: a session for whoever is on the roster, an account for everybody else, and on to the page."""
    _must_be_on()
    at = now()
    try:
        came = oauth.finish(request, channel=config.ACCOUNT, at=at)
        openid = signing.openid_of(came.code)
    except signing.SnapshotUser as refusal:
        return _shown(request, "wechat_pages/snapshot.html", "", refusal)
    except Refusal as refusal:
        return _shown(request, "wechat_pages/not_in.html", "", refusal)
    return _let_in(request, follower_of(openid, at=at), came.next_path)


def _let_in(request: HttpRequest, follower: Follower, next_path: str) -> HttpResponse:
    person = Person.objects.active().filter(pk=follower.person_id).first() if follower.person_id else None
    account = config.account_of(follower.pk)
    answer = entry.come_by_account(request, account, person, at=now(), how=config.ACCOUNT, next_path=next_path)
    return answer if person else ways_in.tried(answer)


@public
@require_GET
def page_config(request: HttpRequest) -> HttpResponse:
    """``wx.config`` for the page at ``?url=``, one of our own; 422 for any other. Pages do without it where it fails."""
    _must_be_on()
    otherwise = _("现在不能使用微信的定位和扫码，请用页面上的按钮。")
    return pages.answer(request, config.ACCOUNT, tickets.page_config, otherwise=otherwise)


@public
@require_GET
def plate(request: HttpRequest) -> HttpResponse:
    """What a plate's code means that WeChat's scanner read (``?code=``): its code and name, or on to the report page."""
    bucket = throttle.bucket("wechat-plate", client_network(request))
    throttle.take(bucket, capacity=PLATES_A_MINUTE, per_seconds=60, at=now())
    found = scans.plate_of_code(request.GET.get("code", "").strip()[:300])
    if not wants_json(request):
        return redirect(f"{reverse('cases:report')}?{urlencode({'plate': found.code})}")
    return JsonResponse({"ok": True, "plate": {"code": found.code, "name": found.name}})


@public
@require_GET
def verify_file(request: HttpRequest, name: str) -> HttpResponse:
    """The file by which WeChat and WeCom see that a domain is ours (``JIEQU_WECHAT_VERIFY_FILES``)."""
    content = settings.WECHAT_VERIFY_FILES.get(f"{name}.txt")
    if content is None:
        raise NotFound("not_found", _("没有找到您要的内容，它可能已被移走，或者您不能查看"))
    return HttpResponse(content, content_type="text/plain; charset=utf-8")


def _must_be_on() -> None:
    if not config.is_on():
        raise Http404


def _shown(request: HttpRequest, template: str, next_path: str, refusal: Refusal | None = None) -> HttpResponse:
    context: dict[str, Any] = {"refusal": refusal, "next": next_path}
    status = refusal.status if refusal else HTTPStatus.OK
    answer = render(request, template, context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
