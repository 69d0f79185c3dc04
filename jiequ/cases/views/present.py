"""Cases and events as the templates show them: plain values in the reader's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse
from django.utils.translation import gettext as _

from jiequ.channels.queries import MessageLine, way_words
from jiequ.core.errors import NotFound

from .. import clocks as c
from .. import words
from ..flow import State, step_of
from ..models import Case, CaseEvent, FilingCondition, Proof, Report, Task, TaskKind
from ..queries.page import names_in, said_by, text_of
from ..queries.rows import named, place_words, row, source_words, type_name
from ..queries.told import what_next as what_next
from ..queries.types import condition_choice, proof_words, said
from ..queries.where import span_words
from ..services import missing_proofs
from ..services.intake import title_from

_OFFER = TimestampSigner(salt="cases.near")
_OFFER_SECONDS = 3600
_STEP_ORDER = ("discover", "accept", "dispatch", "handle", "track", "urge", "feed_back", "rate")


KEYS: dict[str, str] = {
    "accept": "a",
    "dispatch": "d",
    "accept_dispatch": "d",
    "close": "c",
    "check_pass": "p",
    "check_fail": "x",
    "resume": "s",
    "ask_verify": "v",
    "reject": "r",
    "urge": "u",
    "correct": "e",
    "merge": "m",
    "note": "w",
    "call": "b",
    "bring_in": "h",
    "answer_urge": "y",
}
"""The letter of a move at the desk, on a row and on the case's page alike."""


def own_row(case: Case, report: Report, at: datetime) -> dict[str, Any]:
    """``row`` for the one who made this report: the type as filed, else their own words; the place as they told it.

    The case's title and address may be another reporter's: "me too" and a merge must not hand those over.
    """
    said_there = [report.place_words, named(case.community) if case.community_id else ""]
    title = title_from(report.words) or _("待核对的上报")
    return row(case, at) | {
        "type_name": type_name(case) if case.condition_id else title,
        "place": " · ".join(part for part in said_there if part),
    }


def steps(case: Case, *, is_rated: bool) -> list[dict[str, str]]:
    """All eight verbs; 跟踪 and 督办 run beside the work all the time."""
    labels = (_("发现"), _("受理"), _("分流"), _("处置"), _("跟踪"), _("督办"), _("反馈"), _("评价"))
    now = _STEP_ORDER.index(step_of(State(case.state), is_rated=is_rated))
    marks = ["past" if i < now else "now" if i == now else "next" for i in range(8)]
    return [{"label": label, "mark": mark} for label, mark in zip(labels, marks, strict=True)]


def reporter_entries(
    events: Iterable[CaseEvent], own: Sequence[Proof], after: Sequence[Proof], photo: Callable[[int, str], str] | None
) -> list[dict[str, Any]]:
    """A reporter's timeline, newest first: what was done and when, not by whom. ``photo``: where a proof's picture is served
    to this reader, by its id and size; None for a reader who sees none."""
    entries = []
    for event in events:
        if event.move not in words.FOR_REPORTER:
            continue
        photos = [p for p in _PHOTOS_OF.get(event.move, lambda _o, _a: ())(own, after) if p.picture_id]
        entries.append(
            {
                "title": str(words.FOR_REPORTER[event.move]),
                "at": event.at,
                "who": _department_words(event),
                "text": "",
                "tone": "stop" if event.move in {"reject", "check_fail", "cancel"} else "",
                "photos": [_my_photo(p.pk, photo) for p in photos] if photo else [],
            }
        )
    return entries[::-1]


_PHOTOS_OF: dict[str, Callable[[Sequence[Proof], Sequence[Proof]], Sequence[Proof]]] = {
    "report": lambda own, _after: own,
    "handle": lambda _own, after: after,
}
"""Which of a reporter's photos and of the photos of what was done stand beside a move."""


def _department_words(event: CaseEvent) -> str:
    return _("、").join(names_in(event)) if event.move in {"dispatch", "accept_dispatch"} else ""


def _my_photo(proof_id: int, photo: Callable[[int, str], str]) -> dict[str, str]:
    return {"url": photo(proof_id, "full"), "thumb": photo(proof_id, "thumb"), "alt": _("照片")}


def staff_entries(events: Iterable[CaseEvent], proofs: Iterable[Proof], number: str, *, is_desk: bool) -> list[dict[str, Any]]:
    """The whole timeline for those at work on the case, newest first.

    What may name the reporter is for the desk only: the reason of a look at the identity, and numbers a reporter wrote.
    """
    by_event: dict[int, list[Proof]] = {}
    by_time: dict[datetime, list[Proof]] = {}
    for proof in proofs:
        by_time.setdefault(proof.at, []).append(proof)
    return [_entry(e, by_event.get(e.pk) or by_time.get(e.at, []), number, is_desk=is_desk) for e in events][::-1]


def _entry(event: CaseEvent, proofs: Sequence[Proof], number: str, *, is_desk: bool) -> dict[str, Any]:
    shown = [p for p in proofs if p.picture_id] if event.move in _WITH_PHOTOS else []
    return {
        "title": _title(event),
        "who": event.by_name if event.by_id else ("" if event.by_role in {"system", ""} else _("居民")),
        "at": event.at,
        "text": _event_text(event, is_desk=is_desk),
        "tone": "clock" if event.move in {"light", "recompute"} else "stop" if event.move in _STOPS else "",
        "photos": [{"url": photo_url(number, p), "thumb": photo_url(number, p, "thumb"), "alt": _("照片")} for p in shown],
    }


_WITH_PHOTOS = frozenset({"self_handle", "handle", "check_pass", "check_fail", "verify", "note", "ask_consult"})
_STOPS = frozenset(
    {"return", "check_fail", "send_back", "reject", "cancel", "force_close", "not_delivered", "refuse_ask", "undo"}
)


def _title(event: CaseEvent) -> str:
    if event.move == "light":
        clock = words.CLOCKS.get(event.facts.get("clock", ""), "")
        return f"{clock} · {words.MARKS.get(event.facts.get('mark', ''), '')}"
    return str(words.MOVES.get(event.move, event.move))


def _event_text(event: CaseEvent, *, is_desk: bool) -> str:
    parts = []
    if event.move == "undo":
        parts.append(str(words.MOVES.get(event.facts.get("move", ""), "")))
    if event.reason_code:
        parts.append(words.reason_words(event.reason_code))
    if names := names_in(event):
        parts.append(_("、").join(names))
    if finding := event.facts.get("finding"):
        parts.append(str(words.FINDINGS.get(finding, finding)))
    parts += [str(words.DOUBTS.get(doubt, doubt)) for doubt in event.facts.get("doubts", ())]
    if event.move in {"imported", "mapped"}:
        parts += _import_words(event)
    if silent := names_in(event, "silent"):
        parts.append(_("没有答复：%(names)s") % {"names": _("、").join(silent)})
    if into := event.facts.get("into") or event.facts.get("to"):
        parts.append(str(into))
    if text := text_of(event, is_desk=is_desk):
        parts.append(text)
    return " · ".join(parts)


def _import_words(event: CaseEvent) -> list[str]:
    """Where an imported case came from, in the source's own words; what one of them came to mean."""
    facts = event.facts
    if event.move == "mapped":
        return [f"{facts.get('value', '')} → {facts.get('target', '')}"]
    number = _("%(system)s 单号 %(ref)s") % {"system": facts.get("name") or facts.get("system"), "ref": facts.get("ref")}
    told = facts.get("said", {})
    late = [] if facts.get("on_time", True) in {True, None} else [_("原系统记为超期")]
    unknown = [_("办结时间不详")] if event.state == State.CLOSED and not facts.get("closed") else []
    kept = [told[name] for name in ("type", "sub_type", "property", "unit", "community") if told.get(name)]
    return [number, *kept, *late, *unknown]


def photo_url(number: str, proof: Proof, variant: str = "full") -> str:
    """Where a case's photo is served."""
    return reverse("cases:picture", args=[number, proof.pk, variant])


def clock_lines(clocks: Iterable[c.Clock], *, for_reporter: bool = False) -> list[dict[str, Any]]:
    """The clocks' history in words. A reporter sees the handling clock only, without who pressed what."""
    wanted = {c.ClockKind.HANDLE, c.ClockKind.OUTER} if for_reporter else set(c.ClockKind)
    return [
        {
            "name": str(words.CLOCKS[clock.kind]),
            "due_at": clock.due_at,
            "is_provisional": clock.is_provisional,
            "is_running": clock.is_running,
            "is_late": clock.is_late,
            "is_exempt": clock.is_exempt,
            "counted_hours": round(clock.counted / 3600, 1),
            "limit_hours": round(clock.limit / 3600, 1),
            "entries": [
                {
                    "what": str(words.CLOCK_ENTRIES[entry.what]),
                    "at": datetime.fromisoformat(entry.at),
                    "due_at": datetime.fromisoformat(entry.due),
                    "counted_hours": round(entry.counted / 3600, 1),
                    "by": "" if for_reporter else entry.by,
                    "reason": "" if for_reporter else entry.reason,
                }
                for entry in clock.entries
            ],
        }
        for clock in clocks
        if clock.kind in wanted
    ]


def near_row(case: Case, metres: float | None) -> dict[str, Any]:
    """An open case near by, as a stranger may see it: type, state, metres (None: no point).

    ``offer`` lets them say "me too" for an hour.
    """
    return {
        "type_name": type_name(case) if case.condition_id else _("待核对的上报"),
        "state": str(words.STATES[case.state]),
        "state_tone": words.TONES.get(case.state, "go"),
        "metres": None if metres is None else round(metres),
        "reported_at": case.reported_at,
        "voices": case.voices,
        "offer": _OFFER.sign(str(case.pk)),
    }


def offered(offer: str) -> int:
    """The case a "me too" was offered for; NotFound for anything that was not offered within the hour."""
    try:
        return int(_OFFER.unsign(offer, max_age=_OFFER_SECONDS))
    except BadSignature as error:
        raise NotFound("offer_gone", _("这条已经不在了，请直接提交。")) from error


def basemap_url(street_id: int | None) -> str:
    """The street's own synthetic basemap; empty where the reader has no street."""
    return reverse("grid:layer_base", args=[street_id]) if street_id else ""


def facts(case: Case) -> list[tuple[str, str]]:
    """What is known of a case, label and value, empty ones left out."""
    condition = case.condition
    edition = condition.edition if condition else None
    counts = (
        (_("同样的上报"), case.voices - 1),
        (_("退单"), case.returns),
        (_("返工"), case.reworks),
        (_("重办"), case.reopens),
        (_("督办"), case.urges),
    )
    rows = [
        (_("事件类型"), said(edition.name_zh, edition.name_en) if edition else ""),
        (_("立案条件"), condition_words(condition) if condition else ""),
        (_("结案条件"), said(condition.closing_condition_zh, condition.closing_condition_en) if condition else ""),
        (_("发生地点"), place_words(case)),
        (_("发生时间"), _happened(case)),
        (_("网格编号"), case.unit_grid.code15 if case.unit_grid else ""),
        (_("来源"), source_words(case.source)),
        (_("主办"), named(case.lead) if case.lead else ""),
        (_("处置人员"), case.handler.name if case.handler else ""),
        (_("并入"), case.merged_into.number if case.merged_into else ""),
        *((label, str(n)) for label, n in counts if n),
    ]
    return [(label, value) for label, value in rows if value]


def _happened(case: Case) -> str:
    return span_words(case.happened_from, case.happened_until) if case.happened_from and case.happened_until else ""


def condition_words(condition: FilingCondition) -> str:
    """A filing condition and its limit in words."""
    choice = condition_choice(condition)
    return f"{choice.name} · {choice.limit}"


def threads(tasks: Iterable[Task], events: Iterable[CaseEvent], at: datetime) -> list[dict[str, Any]]:
    """会商 by question: who was asked, what they answered, and whose silence lasts."""
    decided = {e.facts.get("group"): e for e in events if e.move == "decide_consult"}
    found: dict[str, list[Task]] = {}
    for task in tasks:
        if task.kind == TaskKind.CONSULT:
            found.setdefault(task.group, []).append(task)
    return [
        {
            "asked": group[0].asked,
            "due_at": group[0].due_at if key not in decided else None,
            "answers": [_answer(t, at) for t in group],
            "decision": decided.get(key),
        }
        for key, group in found.items()
    ]


def _answer(task: Task, at: datetime) -> dict[str, Any]:
    is_silent = not task.answer and (task.state != Task.State.OPEN or bool(task.due_at and at > task.due_at))
    return {"to": named(task.department), "at": task.done_at, "text": task.answer, "is_silent": is_silent}


def rating_words(report: Report, *, is_desk: bool) -> str:
    """A reporter's verdict in words; empty if there is none yet. Long numbers in it are for the desk only."""
    rating = getattr(report, "rating", None)
    if rating is None:
        return ""
    said_with = said_by(rating.text, is_desk=is_desk)
    verdict = _("解决了") if rating.is_solved else _("没有解决")
    return " · ".join(part for part in (verdict, _("%(n)d 分") % {"n": rating.satisfaction}, said_with) if part)


def message(line: MessageLine) -> dict[str, Any]:
    """A notice that was sent, in words: by which way, and how far it got; never whether it was read."""
    ways = {"inbox": _("站内消息"), "sms": _("短信"), "call": _("电话"), "": _("待安排")}
    ways["way"] = way_words(line.port) if line.port else _("待安排")
    states = {
        "waiting": (_("等待发送"), "wait"),
        "sending": (_("正在发送"), "wait"),
        "sent": (_("已发出"), "go"),
        "delivered": (_("已送达"), "done"),
        "not_delivered": (_("没有送达"), "stop"),
    }
    state, tone = states.get(line.state, (line.state, "plain"))
    return {
        "title": line.title,
        "body": line.body,
        "is_to_resident": line.is_to_resident,
        "channel_words": ways.get(line.channel, line.channel),
        "state_words": state,
        "tone": tone,
        "due_at": line.ended_at or line.due_at,
        "error": line.error,
    }


def missing_words(case: Case, proofs: Sequence[Proof]) -> list[str]:
    """What the closing condition still asks for, in words."""
    missing = missing_proofs(case, proofs=proofs)
    return [proof_words(one["kind"], one["phase"], one.get("at_least", 1)) for one in missing]
