"""What this door tells the floors below when it opens: a way in, a panel on the roster, who hears scans."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.people.models import Person
from jiequ.people.rules import Account, Actor, Role
from jiequ.people.ways_in import Panel, WayIn, register_panel, register_way_in

from . import config


def wire() -> None:
    """Register everything; where no account is configured, each finds nothing to do."""
    from jiequ.cases.services import forget_account
    from jiequ.channels.arrivals.services import on_arrival
    from jiequ.channels.chain import register_page
    from jiequ.channels.wechat.services import on_forgotten

    from .services import binding

    way = WayIn(config.ACCOUNT, gettext_lazy("用微信进入"), _is_home, lambda: reverse("wechat_pages:enter"))
    register_way_in(way)
    register_panel(config.ACCOUNT, _panel)
    register_page(config.ACCOUNT, _page_of_notice)
    on_arrival(config.ACCOUNT, _hear)
    on_forgotten("sessions", binding.forget_follower)
    on_forgotten("reports", lambda *, account, at, **_who: forget_account(account, at=at))


def _page_of_notice(about: str, facts: Mapping[str, Any]) -> str:
    """A resident's notice opens their own report of that case."""
    return reverse("cases:own_case", args=[facts["number"]]) if facts.get("number") else reverse("cases:own_list")


def _is_home(request: Any) -> bool:
    return config.is_on() and config.is_in_wechat(request)


def _hear(incoming: Any, *, at: datetime) -> None:
    from .services import scans

    scans.hear(incoming, at=at)


def _panel(person: Person, by: Actor, at: datetime) -> Panel | None:
    """微信 on the roster's page for the administrator, and on one's own."""
    from .services import binding

    if not config.is_on() or person.account != Account.STAFF or not person.is_active:
        return None
    is_own = person.pk == by.person_id
    if not is_own and not by.has(Role.SYSTEM_ADMIN):
        return None
    is_bound = binding.follower_bound_to(person.pk) is not None
    text = _("已绑定，通知从微信来，也能用微信登录") if is_bound else _("没有绑定，请找系统管理员扫码绑定")
    if not is_own:
        text = _("已绑定") if is_bound else _("没有绑定")
    url = reverse("wechat_pages:mine") if is_own else reverse("wechat_pages:staff", args=[person.pk])
    return Panel(_("微信"), text, url)
