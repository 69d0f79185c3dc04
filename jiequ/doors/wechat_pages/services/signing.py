"""Web sign-in by ``snsapi_base``: whose code it is that WeChat sent a browser back with (the state: ``channels.oauth``).

The code is used at once and shown to nobody: the page that receives it leads on.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from jiequ.channels import oauth
from jiequ.channels.client import Api, ApiError
from jiequ.core.errors import Refusal

from ..config import ACCOUNT

LONGEST_OPENID = 64


class SnapshotUser(Refusal):
    """A page opened in WeChat's read-only preview: the id it gives is made up and leads to nobody."""


def begin(request: HttpRequest, next_path: str, *, at: datetime) -> str:
    """The address that sends the browser to WeChat; ``next_path`` is one of our own, or nothing is kept of it."""
    return oauth.begin(
        request,
        channel=ACCOUNT,
        base=settings.WECHAT_OPEN,
        appid=settings.WECHAT_APPID,
        returns_to=settings.BASE_URL + reverse("wechat_pages:arrive"),
        next_path=next_path,
        at=at,
    )


def openid_of(code: str) -> str:
    """Asks WeChat whose code it is; good once. Refusal where it takes it not or cannot be asked, ``SnapshotUser`` for its
    preview. Never inside a transaction."""
    asked = {"appid": settings.WECHAT_APPID, "secret": settings.WECHAT_SECRET, "code": code, "grant_type": "authorization_code"}
    try:
        found = Api(settings.WECHAT_API).get("/sns/oauth2/access_token", asked)
    except ApiError as fault:
        raise _refused(fault.code) from None
    if str(found.get("is_snapshotuser", 0)) == "1":
        raise SnapshotUser("wechat_snapshot", _("这是微信的只读预览，还不知道您是谁。"))
    openid = found.get("openid")
    if not isinstance(openid, str) or not 0 < len(openid) <= LONGEST_OPENID:
        raise _refused("bad_answer")
    return openid


def _refused(why: str) -> Refusal:
    return Refusal("wechat_sign_in", _("没有能从微信确认您是谁，请再打开一次。"), facts={"why": why})
