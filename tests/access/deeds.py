"""Every POST of the loop with a case on which it goes through: who, where, with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent
from tests.actors import NOW
from tests.casework import Casework
from tests.support.pictures import photo_file

KEY = "deed-key-0000000001"


@dataclass(frozen=True)
class Deed:
    """One POST: by whom, where, and its fields (photos are made anew for each sending)."""

    who: str
    address: str
    fields: dict[str, Any]
    photos: int = 0

    def send(self, client: Client, *, once_key: str = KEY, **changes: Any) -> Any:
        """Send it; ``changes`` are fields more or other."""
        data: dict[str, Any] = {**self.fields, **changes, "idempotency_key": once_key}
        if self.photos:
            data["photos"] = [photo_file(str(n)) for n in range(self.photos)]
        return client.post(self.address, data)


def _make(work: Casework, case: Case, service: str, who: str, **values: Any) -> Case:
    getattr(services, service)(work.fresh(case, who), by=work.actor(who), at=NOW, **values)
    return case


def _move(who: str, name: str, case: Case, photos: int = 0, **fields: Any) -> Deed:
    return Deed(who, f"/cases/{case.number}/do/{name}", fields, photos)


def _hotline(work: Casework) -> Case:
    return work.reported(
        by="lin", source="hotline", system="12345", source_ref="H-1", outer_due_at=NOW + timedelta(days=5)
    ).case


def _late(work: Casework) -> Case:
    case = work.handling()
    Case.objects.filter(pk=case.pk).update(is_late=True)
    clocks = Case.objects.get(pk=case.pk).clocks
    clocks["handle"]["due_at"] = (NOW - timedelta(hours=1)).isoformat()
    Case.objects.filter(pk=case.pk).update(clocks=clocks)
    return case


def _called(work: Casework, *, answered: bool = False, acknowledged: bool = False) -> Case:
    case = _make(work, work.handling(), "call_bureau", "he", department_id=work.world.traffic.pk, question="?")
    if acknowledged or answered:
        _make(work, case, "acknowledge_call", "qu")
    if answered:
        _make(work, case, "answer_call", "qu", text="好")
    return case


def _consulted(work: Casework) -> Case:
    return _make(
        work,
        work.handling(),
        "ask_consult",
        "he",
        question="?",
        department_ids=[work.water],
        answer_by=NOW + timedelta(hours=3),
    )


def _merged(work: Casework) -> Case:
    other = work.reported(words="同一件").case
    return _make(work, work.just_reported(), "merge", "lin", into=other.number)


def _by_link(work: Casework) -> tuple[Case, str]:
    done = work.reported()
    case = _make(work, done.case, "accept", "lin", condition_id=work.condition.pk)
    case = work.fresh(case, "he")
    services.force_close(case, reason_code="impossible", text="无法", reply="好了", by=work.actor("he"), at=NOW)
    return case, done.token


def _link(work: Casework, what: str, **fields: Any) -> Deed:
    _case, token = _by_link(work)
    return Deed("zhou", f"/r/{token}/{what}", fields)


def _undo(work: Casework) -> Deed:
    case = work.accepted()
    event = CaseEvent.objects.filter(case=case, move="accept").get()
    return Deed("lin", f"/undo/{event.pk}", {})


def _place(work: Casework) -> dict[str, Any]:
    lon, lat = work.world.point_in("a")
    return {"lon": lon, "lat": lat, "system": "cgcs2000", "accuracy_m": "8"}


def _consult_group(case: Case) -> str:
    return str(case.tasks.filter(kind="consult").values_list("group", flat=True)[0])


def _report_of(case: Case) -> int:
    return int(case.reports.values_list("pk", flat=True)[0])


def _decide(work: Casework) -> Deed:
    case = _make(work, _consulted(work), "answer_consult", "qian", text="好")
    return _move("he", "decide_consult", case, group=_consult_group(case), text="定")


def _clear(work: Casework) -> Deed:
    case = work.reported(is_suspect=True).case
    return Deed("lin", f"/cases/{case.number}/clear", {})


def _rate_by_phone(work: Casework) -> Deed:
    case = work.closed()
    return Deed("lin", f"/cases/{case.number}/rate/{_report_of(case)}", {"is_solved": "yes", "satisfaction": "5"})


DEEDS: dict[str, Callable[[Casework], Deed]] = {
    "report": lambda w: Deed("zhou", "/report/", {"words": "积水", "phone": "13912345678", **_place(w)}, 1),
    "report by staff": lambda w: Deed("lin", "/report/", {"words": "积水", "condition": w.condition.pk, **_place(w)}),
    "self_handle": lambda w: Deed("chen", "/report/", {"self_handled": "on", "condition": w.condition.pk, **_place(w)}, 1),
    "rate": lambda w: _link(w, "rate", is_solved="yes", satisfaction="5"),
    "reopen by link": lambda w: _link(w, "reopen", text="没好"),
    "undo": _undo,
    "clear": _clear,
    "rate by phone": _rate_by_phone,
    "ask_verify": lambda w: _move("lin", "ask_verify", w.just_reported()),
    "verify": lambda w: _move("chen", "verify", _make(w, w.just_reported(), "ask_verify", "lin"), 1, finding="true"),
    "correct": lambda w: _move("lin", "correct", w.just_reported(), condition_id=w.condition.pk, title="新题"),
    "accept": lambda w: _move("lin", "accept", w.just_reported(), condition_id=w.condition.pk),
    "reject": lambda w: _move("lin", "reject", w.just_reported(), reason_code="outside_duty"),
    "dispatch": lambda w: _move("lin", "dispatch", w.accepted(), lead_id=w.sanitation, assist_ids=[w.water]),
    "accept_dispatch": lambda w: _move(
        "he", "accept_dispatch", w.just_reported(), condition_id=w.condition.pk, lead_id=w.sanitation
    ),
    "bring_in": lambda w: _move("wu", "bring_in", w.handling(), department_ids=[w.water], text="帮忙"),
    "assign": lambda w: _move("wu", "assign", w.dispatched(), person_id=w.world.huang.pk),
    "acknowledge": lambda w: _move("huang", "acknowledge", w.dispatched()),
    "return": lambda w: _move("wu", "return", w.dispatched(), reason_code="wrong_type", text="不对"),
    "assist_done": lambda w: _move("zhao", "assist_done", w.dispatched(assist=(w.water,)), text="好"),
    "handle": lambda w: _move("huang", "handle", w.handling(), 1, text="好"),
    "send_back": lambda w: _move("wu", "send_back", w.handled(), text="再补"),
    "confirm": lambda w: _move("wu", "confirm", w.handled()),
    "check_pass": lambda w: _move("chen", "check_pass", w.checking(), 1),
    "check_fail": lambda w: _move("chen", "check_fail", w.checking(), 1, text="没好"),
    "close": lambda w: _move("lin", "close", w.checked(), reply="好了"),
    "force_close": lambda w: _move("he", "force_close", w.handling(), reason_code="impossible", text="不能", reply="好"),
    "cancel": lambda w: _move("liang", "cancel", w.accepted(), reason_code="mistake", text="误报"),
    "ask_suspend": lambda w: _move("wu", "ask_suspend", w.handling(), until="2026-03-20", text="等料"),
    "ask_extend": lambda w: _move("wu", "ask_extend", w.handling(), share="0.5", text="等料"),
    "suspend": lambda w: _move(
        "liang", "suspend", _make(w, w.handling(), "ask_suspend", "wu", until=NOW + timedelta(days=9), text="等")
    ),
    "extend": lambda w: _move("liang", "extend", _make(w, w.handling(), "ask_extend", "wu", share=0.5, text="等")),
    "refuse_ask": lambda w: _move(
        "liang", "refuse_ask", _make(w, w.handling(), "ask_extend", "wu", share=0.5, text="等"), kind="extend", text="不"
    ),
    "resume": lambda w: _move(
        "wu",
        "resume",
        _make(w, _make(w, w.handling(), "ask_suspend", "wu", until=NOW + timedelta(days=9), text="等"), "suspend", "liang"),
    ),
    "merge": lambda w: _move("lin", "merge", w.just_reported(), into=w.reported(words="同一件").case.number),
    "unmerge": lambda w: _move("lin", "unmerge", _merged(w)),
    "split": lambda w: _move("lin", "split", w.just_reported(), words="另一件"),
    "ask_consult": lambda w: _move(
        "he", "ask_consult", w.handling(), question="?", department_ids=[w.water], answer_by="2026-03-05T10:00"
    ),
    "answer_consult": lambda w: _move("qian", "answer_consult", _consulted(w), text="好"),
    "decide_consult": _decide,
    "call": lambda w: _move("he", "call", w.handling(), department_id=w.world.traffic.pk, question="?"),
    "acknowledge_call": lambda w: _move("qu", "acknowledge_call", _called(w)),
    "answer_call": lambda w: _move("qu", "answer_call", _called(w, acknowledged=True), text="好"),
    "assess_call": lambda w: _move("he", "assess_call", _called(w, answered=True), score="4"),
    "urge": lambda w: _move("he", "urge", w.handling(), text="快"),
    "answer_urge": lambda w: _move("wu", "answer_urge", _make(w, w.handling(), "urge", "he", text="快"), text="好"),
    "note": lambda w: _move("lin", "note", w.handling(), 1, text="记"),
    "ask_appeal": lambda w: _move("wu", "ask_appeal", _late(w), text="下雨"),
    "review_appeal": lambda w: _move(
        "du", "review_appeal", _make(w, _late(w), "ask_appeal", "wu", text="下雨"), granted="yes", text="是"
    ),
    "sample": lambda w: _move("du", "sample", w.sampled(), is_sound="no", text="没清干净"),
    "reopen": lambda w: _move("lin", "reopen", w.closed(), text="没好"),
    "answer_hotline": lambda w: _move(
        "lin",
        "answer_hotline",
        _make(w, _hotline(w), "reject", "lin", reason_code="outside_duty"),
        granted="yes",
    ),
}
