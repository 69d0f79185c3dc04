"""Who gets which tabs: one table for the phone, one for the desk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from jiequ.people.rules import ADMIN_ROLES, DEPARTMENT_ROLES, DESK_ROLES, Role

EVERY_STAFF = frozenset(set(Role) - {Role.RESIDENT, Role.SYSTEM} - ADMIN_ROLES)
WATCHERS = frozenset({Role.SUPERVISOR, Role.LEADER, Role.DUTY_LEADER})
FIELD_ROLES = frozenset({Role.GRID_WORKER}) | DEPARTMENT_ROLES


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that stands in a bar: its words, its route, its picture, and the roles that use it.

    ``setting``: it stands there only where this one is set.
    """

    label: str | Promise
    route: str
    icon: str
    roles: frozenset[Role]
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry as one reader sees it on one page."""

    label: str
    url: str
    icon: str
    is_current: bool


RESIDENT = frozenset({Role.RESIDENT})

PHONE = (
    Entry(_("首页"), "web:home", "home", RESIDENT),
    Entry(_("我要上报"), "cases:report", "camera", RESIDENT),
    Entry(_("查进度"), "cases:query", "search", RESIDENT),
    Entry(_("待处理"), "cases:leader", "bell", frozenset({Role.LEADER})),
    Entry(_("简报"), "insight:brief", "info", frozenset({Role.LEADER})),
    Entry(_("督办"), "insight:board", "urge", frozenset({Role.LEADER})),
    Entry(_("待办"), "cases:todo", "tasks", FIELD_ROLES | DESK_ROLES - {Role.LEADER} | {Role.BUREAU}),
    Entry(_("上报"), "cases:report", "camera", EVERY_STAFF),
    Entry(_("案件"), "cases:list", "cases", frozenset({Role.PILOT, Role.ANALYST})),  # no to-do list
    Entry(_("查违"), "sense:suspects", "album", frozenset({Role.PILOT, Role.ANALYST})),
    Entry(_("消息"), "channels:inbox", "inbox", EVERY_STAFF),
    Entry(_("我的"), "people:me", "person", EVERY_STAFF | ADMIN_ROLES),
)

DESK = (
    Entry(_("队列"), "cases:desk", "queue", DESK_ROLES | {Role.DEPARTMENT_LEAD, Role.BUREAU}),
    Entry(_("待办"), "cases:todo", "tasks", DESK_ROLES - {Role.LEADER} | {Role.BUREAU}),
    Entry(_("案件"), "cases:list", "cases", EVERY_STAFF),
    Entry(_("地图"), "cases:map", "map", EVERY_STAFF),
    Entry(_("判读"), "sense:desk", "search", frozenset({Role.ANALYST})),
    Entry(_("查违"), "sense:suspects", "album", frozenset({Role.ANALYST, Role.PILOT})),
    Entry(_("督办"), "insight:board", "urge", WATCHERS),
    Entry(pgettext_lazy("page", "评价"), "insight:indicators", "star", WATCHERS),
    Entry(_("网格"), "grid:list", "grid", DESK_ROLES | {Role.SYSTEM_ADMIN}),
    Entry(_("类型"), "cases:types", "types", DESK_ROLES | {Role.SYSTEM_ADMIN}),
    Entry(_("云在算"), "triage:home", "cloud", DESK_ROLES - {Role.LEADER} | {Role.SYSTEM_ADMIN, Role.SUPERVISOR}),
    Entry(_("导入核对"), "cases:imports", "filter", frozenset({Role.DISPATCHER, Role.DUTY_LEADER, Role.SYSTEM_ADMIN})),
    Entry(_("热线"), "hotline:desk", "phone", frozenset({Role.ACCEPTOR, Role.DUTY_LEADER})),
    Entry(_("日历"), "web:calendar", "clock", frozenset({Role.SYSTEM_ADMIN})),
    Entry(
        _("人员"), "people:list", "people", frozenset({Role.SYSTEM_ADMIN, Role.LEADER, Role.DUTY_LEADER, Role.DEPARTMENT_LEAD})
    ),
    Entry(_("渠道"), "wechat:account", "talk", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("企业微信"), "wecom:members", "talk", frozenset({Role.SYSTEM_ADMIN}), setting="WECOM_CORPID"),
    Entry(_("外部系统"), "cases:systems", "cloud", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("热线工单"), "hotline:sources", "phone", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("回调"), "cases:webhooks", "cloud", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("拼图服务器"), "sense:servers", "map", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("开放接口"), "open311:settings", "cloud", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("程序令牌"), "people:tokens", "lock", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("账号安全"), "people:security", "lock", frozenset({Role.SECURITY_ADMIN})),
    Entry(_("审计"), "core:audit", "seal", frozenset({Role.AUDIT_ADMIN})),
    Entry(_("意见"), "web:suggestions", "talk", frozenset({Role.SYSTEM_ADMIN})),
    Entry(_("消息"), "channels:inbox", "inbox", EVERY_STAFF),
    Entry(_("我的"), "people:me", "person", EVERY_STAFF | ADMIN_ROLES),
)


BARS = {"phone": PHONE, "desk": DESK}


def tabs(bar: str, roles: frozenset[Role], path: str) -> list[Tab]:
    """The entries of a bar that these roles use, in order, at most one for a route; the one under ``path`` is current."""
    return [
        Tab(label, url, icon, path == url if url == "/" else path.startswith(url))
        for label, url, icon in _bar(bar, roles, get_language(), get_script_prefix(), bool(settings.WECOM_CORPID))
    ]


@lru_cache(maxsize=256)
def _bar(bar: str, roles: frozenset[Role], _language: str | None, _prefix: str, _settings: bool) -> list[tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = {}
    for entry in BARS[bar]:
        if entry.setting and not getattr(settings, entry.setting):
            continue
        if entry.roles & roles and entry.route not in found and (url := address(entry.route)):
            found[entry.route] = (str(entry.label), url, entry.icon)
    return list(found.values())


def start_page(roles: frozenset[Role]) -> str:
    """Where a person of these roles begins: the first phone or desk page that is theirs."""
    first = DESK if roles & (DESK_ROLES - {Role.LEADER} | ADMIN_ROLES) else PHONE
    for entry in (*first, *PHONE):
        if entry.roles & roles and (url := address(entry.route)):
            return url
    return "/about"


def address(route: str) -> str:
    """The path of a route, or "" when this installation does not wire it."""
    return _address(route, get_script_prefix())


@cache
def _address(route: str, _prefix: str) -> str:
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""
