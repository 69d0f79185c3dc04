"""The web sign-in of WeChat and WeCom: one address with its words in one order, and a state that is good once in one browser.

What the platform then gives for the code (an openid, a userid) is each channel's own. The scope is ``snsapi_base``: nobody is
asked anything, and no name or picture comes. ``state`` lies in the browser's session: a code that was begun in another browser
(somebody's link with their own code in it) signs nobody in here. It is spent in the database, by one statement: of two who
bring the same state at once, one comes in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiequ.core import throttle
from jiequ.core.errors import Refusal, Throttled
from jiequ.people.entry import own_path

KEPT, KEPT_SECONDS = "_oauth", 600
MOST_BEGUN = 4
"""Sign-ins one browser may have open at once (two tabs, a page that was left)."""
LONGEST_CODE = 512


@dataclass(frozen=True, slots=True)
class Came:
    """Who came back: with which code, to which page of ours."""

    code: str
    next_path: str


def begin(
    request: HttpRequest,
    *,
    channel: str,
    base: str,
    appid: str,
    returns_to: str,
    next_path: str,
    at: datetime,
    agentid: str = "",
) -> str:
    """The address that sends the browser to the platform and back. ``next_path``: only a path of this installation is kept."""
    state = secrets.token_hex(16)
    kept = [one for one in request.session.get(KEPT, []) if one["until"] > at.timestamp()]
    mine = {"state": state, "channel": channel, "next": own_path(next_path), "until": at.timestamp() + KEPT_SECONDS}
    request.session[KEPT] = [*kept[-(MOST_BEGUN - 1) :], mine]
    words = {"appid": appid, "redirect_uri": returns_to, "response_type": "code", "scope": "snsapi_base", "state": state}
    if agentid:
        words["agentid"] = agentid
    return f"{base}/connect/oauth2/authorize?{urlencode(words)}#wechat_redirect"


def finish(request: HttpRequest, *, channel: str, at: datetime) -> Came:
    """What the platform sent the browser back with; the state is used up. Refusal for one that is foreign, used or too old."""
    given, code = request.GET.get("state", ""), request.GET.get("code", "")
    kept = request.session.get(KEPT, [])
    same = [one for one in kept if given.isascii() and compare_digest(one["state"], given)]
    request.session[KEPT] = [one for one in kept if one not in same]
    if not same or same[0]["channel"] != channel or same[0]["until"] <= at.timestamp():
        raise _stale()
    _spend(given, at)
    if not code or len(code) > LONGEST_CODE:
        raise Refusal("oauth_code", _("登录没有成功，请重新打开。"))
    return Came(code, str(same[0]["next"]))


def _spend(state: str, at: datetime) -> None:
    """A session is read and written as a whole, so two requests may both find a state in it."""
    try:
        throttle.take(throttle.bucket("oauth-state", state), capacity=1, per_seconds=KEPT_SECONDS, at=at)
    except Throttled:
        raise _stale() from None


def _stale() -> Refusal:
    return Refusal("oauth_state", _("登录没有成功，可能放得太久了，请重新打开。"))
