"""What the account answers from its books: how a report stands, and what waits for whom. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from jiequ.cases import words as case_words
from jiequ.cases.access import case_by_id
from jiequ.cases.models import Case, Report
from jiequ.cases.policy import Policy
from jiequ.cases.queries import lists
from jiequ.cases.queries.page import reporter_timeline
from jiequ.cases.queries.rows import case_url, type_name
from jiequ.cases.queries.told import happened, what_next
from jiequ.cases.services import reports_of_account
from jiequ.core.models import District, Street
from jiequ.people.access import actor_for
from jiequ.people.models import Person
from jiequ.people.rules import Actor, Role

from . import words
from .addresses import address_of
from .flow import Say
from .meaning import Command, Meaning

ROWS, EVENTS = 6, 8
LATEST = 5


def answer(asked: Meaning, *, follower_id: int, person_id: int | None, language: str, at: datetime) -> list[Say]:
    """The answer to a question, in the follower's language."""
    with translation.override(language):
        if asked.command == Command.PROGRESS:
            return [_progress(follower_id, asked.number, at)]
        if asked.command == Command.MINE:
            return [_mine(follower_id, at)]
        return [_for_staff(asked.command, person_id, at)]


# -- one's own reports -----------------------------------------------------------------------------------------------


def reports_of(follower_id: int) -> QuerySet[Report]:
    """The reports a follower made from this account, the newest first."""
    return reports_of_account(address_of(follower_id))


def _progress(follower_id: int, number: str, at: datetime) -> Say:
    """A number that is nobody's and somebody else's are answered alike."""
    mine = reports_of(follower_id).select_related("origin")
    if number:
        mine = mine.filter(origin__number__endswith=f"-{number.zfill(6)}" if number.isdigit() else number)
    report = mine.first()
    if report is None:
        return Say("unknown_number" if number else "none_yet")
    case = case_by_id(Actor.resident(report.pk), report.case_id)
    events = reporter_timeline(case)
    following = what_next(case, at, events)
    told = [(_moment(when), what) for when, what in happened(events)]
    facts = {
        "number": report.origin.number,
        "state": str(case_words.STATES[case.state]),
        "next": f"{following['text']} {words.quoted(following['reply'], 200)}".strip(),
        "due": _moment(following["until"]) if following["until"] else "",
        "timeline": told[-EVENTS:],
        "more": _("更早的略。") if len(told) > EVENTS else "",
    }
    return Say("progress", facts)


def _mine(follower_id: int, at: datetime) -> Say:
    rows = list(reports_of(follower_id).select_related("case__condition__edition", "origin")[:LATEST])
    if not rows:
        return Say("none_yet")
    lines = [f"· {row.origin.number} {_type(row.case)} {case_words.STATES[row.case.state]}" for row in rows]
    return Say("mine", {"lines": lines})


# -- staff -----------------------------------------------------------------------------------------------------------


def _for_staff(command: Command, person_id: int | None, at: datetime) -> Say:
    person = Person.objects.filter(pk=person_id, is_active=True).first() if person_id else None
    if person is None:
        return Say("staff_only")
    actor = actor_for(person, at=at, is_strong=False)
    if command == Command.BRIEF:
        return Say("open_page", {"label": _("打开今日简报"), "url": entered(reverse("insight:brief"))})
    if command == Command.PENDING and actor.has(Role.LEADER, Role.DUTY_LEADER):
        return _pending(actor, at)
    return _to_do(actor, at)


def _to_do(actor: Actor, at: datetime) -> Say:
    """待办: number, kind of task, type, grid and due time; each opens its case."""
    found = lists.to_do(actor, at=at)
    if not found:
        return Say("nothing_to_do")
    lines = [_line(one.case, one.task.due_at or one.case.due_at, str(case_words.TASKS[one.task.kind])) for one in found[:ROWS]]
    return _list(_("待办 %(n)d 件：") % {"n": len(found)}, lines, _("全部待办"), "cases:todo")


def _pending(actor: Actor, at: datetime) -> Say:
    """待处理: what nobody has sent on; the page has the one tap that tells the departments."""
    found = lists.pending(actor, at=at, size=ROWS)
    if not found:
        return Say("nothing_pending")
    return _list(_("待处理："), [_line(case, case.due_at) for case in found], _("打开，一键通知部门"), "cases:leader")


def _list(head: str, lines: Sequence[str], label: str, route: str) -> Say:
    return Say("list", {"head": head, "lines": lines, "all": words.link(label, entered(reverse(route)))})


def _line(case: Case, due_at: datetime | None, kind: str = "") -> str:
    """A case as notices may name it (DOMAIN §9): never a word of who reported it."""
    number = words.link(case.number, entered(case_url(case.number)))
    grid = case.unit_grid.code15 if case.unit_grid_id and case.unit_grid else ""
    due = _("时限 %(due)s") % {"due": _moment(due_at)} if due_at else ""
    return "· " + " · ".join(part for part in (number, kind, _type(case), grid, due) if part)


def _type(case: Case) -> str:
    return type_name(case) if case.condition_id else _("类型待定")


def _moment(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%m-%d %H:%M")


def _page(route: str) -> str:
    return settings.BASE_URL + reverse(route)


def entered(path: str) -> str:
    """A page of ours that asks who reads it: opened in WeChat, the phone first signs in by its account, without a tap."""
    try:
        return f"{settings.BASE_URL}{reverse('wechat_pages:enter')}?{urlencode({'next': path})}"
    except NoReverseMatch:
        return settings.BASE_URL + path


# -- facts that sentences of the account need ------------------------------------------------------------------------


def standing_facts(name: str) -> dict[str, Any]:
    """Who keeps what and how long, and where pages are: for the sentences that say so."""
    if name == "suggest":
        return {"url": _page("web:feedback")}
    if name not in ("notice", "privacy"):
        return {}
    streets = list(Street.objects.filter(is_active=True)[:50])
    district = District.objects.first()
    who = streets[0].name_zh if len(streets) == 1 else district.name_zh if district else ""
    who = (district.sponsor_unit if district else "") or who
    days = max((Policy.of(street.settings).keep_days for street in streets), default=Policy().keep_days)
    return {"who": who, "days": days, "url": entered(reverse("cases:own_list"))}
