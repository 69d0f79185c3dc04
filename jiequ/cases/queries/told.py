"""What a reporter is told of their own report, on a page or in a chat: what comes next, and what happened so far."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from .. import words
from ..flow import State
from ..models import Case, CaseEvent
from ..public_words import public
from .rows import named


def what_next(case: Case, at: datetime, events: Iterable[CaseEvent] = ()) -> dict[str, Any]:
    """Plain words for a resident: what we do next, until when, who (DESIGN §6).

    While a case is suspended there is no promise to keep, but a day on which it goes on.
    """
    texts: dict[str, str] = {
        State.REPORTED: _("工作人员正在核对，核对后告诉您是否受理。"),
        State.VERIFYING: _("网格员正在到现场核实。"),
        State.REJECTED: _("这件事没有受理，原因见下。"),
        State.ACCEPTED: _("已经受理，正在派给负责的部门。"),
        State.REOPENED: _("已经按您的要求重新办理，正在派给负责的部门。"),
        State.RETURNED: _("正在重新确定负责的部门。"),
        State.DISPATCHED: _("已派给负责部门，等待他们接单。"),
        State.HANDLING: _("负责部门正在处理。"),
        State.REWORK: _("核查没有通过，负责部门正在返工。"),
        State.SUSPENDED: _("暂时不具备条件，挂起等待；条件具备后继续。"),
        State.HANDLED: _("现场已处理，部门正在确认。"),
        State.CHECKING: _("正在核查处理结果。"),
        State.CLOSED: _("已经办结。"),
        State.CANCELLED: _("这件事已撤销，原因见下。"),
        State.MERGED: _("与另一件相同的上报合并办理。"),
    }
    due = case.promised_at if case.accepted_at else case.due_at
    is_running = case.ended_at is None and case.state != State.SUSPENDED
    return {
        "text": texts[case.state],
        "until": due if is_running else None,
        "resumes_at": _resumes_at(events) if case.state == State.SUSPENDED else None,
        "is_provisional": case.is_promise_provisional,
        "who": named(case.lead) if case.lead_id else _("%(street)s受理台") % {"street": named(case.street)},
        "reply": public(case.reply, keep=(case.number,)) if case.ended_at else "",
        "is_late": bool(due and at > due and is_running),
    }


def _resumes_at(events: Iterable[CaseEvent]) -> datetime | None:
    until = [e.facts.get("until", "") for e in events if e.move == "suspend"]
    return parse_datetime(until[-1]) if until else None


def happened(events: Iterable[CaseEvent]) -> list[tuple[datetime, str]]:
    """When, and what in a reporter's words; oldest first, without names."""
    return [(event.at, str(words.FOR_REPORTER[event.move])) for event in events if event.move in words.FOR_REPORTER]
