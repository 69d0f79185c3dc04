"""RELIABILITY row 3: the k-th statement of every service fails, for every k; all of it is stored or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from jiequ.cases import services
from jiequ.cases.flow import MOVES
from jiequ.cases.import_map import order_of, read_map
from jiequ.cases.models import Case, ImportIssue, Report, Task
from jiequ.cases.services.import_issues import map_word
from jiequ.cases.services.importing import Importer, Row
from jiequ.people.rules import Actor
from jiequ.people.services import hand_over
from tests import orders
from tests.actors import NOW, make_world
from tests.casework import Casework, make_condition, make_picture
from tests.support.failing import fail_each_statement

Act = Callable[[Casework], tuple[Callable[[], Any], Callable[[], Any]]]


def _on(before: str | Callable[[Casework], Case], name: str, actor: str, at: datetime = NOW, **arguments: Any) -> Act:
    """A service called on a fresh reading of a case that was brought to a state (or further, by steps of its own)."""

    def prepare(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
        case = getattr(work, before)() if isinstance(before, str) else before(work)
        held: dict[str, Case] = {}

        def again() -> None:
            held["case"] = work.fresh(case, actor)

        def act() -> Any:
            given = {k: v(work) if callable(v) else v for k, v in arguments.items()}
            return getattr(services, name)(held["case"], by=work.actor(actor), at=at, **given)

        return act, again

    return prepare


def _report(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    pictures = [make_picture(work.world.street.pk)]
    return lambda: work.reported(pictures=pictures), lambda: None


def _handle(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    case = work.handling()
    shown = [services.Shown(picture=make_picture(case.street_id, "s"))]
    held: dict[str, Case] = {}
    by = work.actor("huang")
    return lambda: services.handle(held["case"], shown=shown, by=by, at=NOW), lambda: held.update(
        case=work.fresh(case, "huang")
    )


def _rate(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    case = work.closed()
    report = Report.objects.get(case=case)
    by = Actor.resident(report.pk)
    return lambda: services.rate(case, report=report, is_solved=True, satisfaction=4, by=by, at=NOW), lambda: None


def _merge(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    first, second = work.accepted(), work.accepted(words="另一个")
    held: dict[str, Case] = {}
    by = work.actor("lin")
    return lambda: services.merge(held["case"], into=first.number, by=by, at=NOW), lambda: held.update(
        case=work.fresh(second, "lin")
    )


def _undo(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    case = work.accepted()
    event = services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    return lambda: services.undo(event.pk, by=work.actor("lin"), at=NOW), lambda: None


def _self_handle(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    picture = make_picture(work.world.street.pk)
    account = work.account(source="staff", contact=None, condition_id=work.condition.pk, pictures=[picture])
    return lambda: services.self_handle(street_id=None, account=account, by=work.actor("chen"), at=NOW), lambda: None


def _me_too(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The third voice, which urges as well."""
    case = work.dispatched()
    services.me_too(work.fresh(case, "lin"), account=work.account(words="也"), by=work.actor("zhou"), at=NOW)
    held: dict[str, Case] = {}
    account = work.account(words="我也", pictures=[make_picture(case.street_id)])
    return lambda: services.me_too(held["case"], account=account, by=work.actor("zhou"), at=NOW), lambda: held.update(
        case=work.fresh(case, "lin")
    )


def _erase(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    report = Report.objects.select_related("reporter", "case", "street").get(case=work.closed())
    return lambda: services.erase_person(report, at=NOW), lambda: None


def _reveal(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    report = Report.objects.get(case=work.accepted())
    return lambda: services.reveal_reporter(report.pk, reason="回访", by=work.actor("lin"), at=NOW), lambda: None


def _hand_over(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    work.handling()
    world = work.world
    return lambda: hand_over(person_id=world.huang.pk, to_id=world.wu.pk, by=work.actor("wu"), at=NOW), lambda: None


def _asked(start: str, name: str, actor: str, at: datetime = NOW, **arguments: Any) -> Callable[[Casework], Case]:
    """A case on which something was asked."""

    def prepare(work: Casework) -> Case:
        case: Case = getattr(work, start)()
        given = {k: v(work) if callable(v) else v for k, v in arguments.items()}
        getattr(services, name)(work.fresh(case, actor), by=work.actor(actor), at=at, **given)
        return case

    return prepare


def _then(before: Callable[[Casework], Case], name: str, actor: str, **arguments: Any) -> Callable[[Casework], Case]:
    """... and something done about it."""

    def prepare(work: Casework) -> Case:
        case = before(work)
        getattr(services, name)(work.fresh(case, actor), by=work.actor(actor), at=NOW, **arguments)
        return case

    return prepare


def _merged(work: Casework) -> Case:
    first, second = work.accepted(), work.accepted(words="另一个")
    services.merge(work.fresh(second, "lin"), into=first.number, by=work.actor("lin"), at=NOW)
    return second


def _ordered(work: Casework) -> Case:
    """A hotline's order that is checked and ready to close."""
    return work.checked(source="hotline", by="lin", outer_due_at=NOW + timedelta(days=2))


def _ordered_extension(work: Casework) -> Case:
    case = work.handling(source="hotline", by="lin", outer_due_at=NOW + timedelta(days=2))
    services.ask_extend(work.fresh(case, "wu"), share=0.5, text="等", by=work.actor("wu"), at=NOW)
    return case


def _closing_asked(work: Casework) -> Case:
    case = _ordered(work)
    services.close(work.fresh(case, "lin"), reply="好了", by=work.actor("lin"), at=NOW)
    return case


def _imported(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Two orders in one batch, one of whose words wait for a meaning."""
    given = read_map(orders.MAP)
    rows = [orders.row(1), orders.row(2, 小类="噪声", 单位="环保局", 姓名="周女士")]
    batch = [Row(number, order_of(given, row)) for number, row in enumerate(rows)]
    return lambda: Importer(given, at=NOW).store_whole(batch), lambda: None


def _mapped(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """A word is given its meaning."""
    _imported(work)[0]()
    issue = ImportIssue.objects.get(kind="type")
    return lambda: map_word(issue, target="event:0110:only", by=work.actor("lin"), at=NOW), lambda: None


LEAD: dict[str, Any] = {"lead_id": lambda w: w.sanitation, "assist_ids": lambda w: [w.water]}
UNTIL = NOW + timedelta(days=3)
LATE = NOW + timedelta(days=5)
HELD = _asked("handling", "ask_suspend", "wu", until=UNTIL, text="等")
CONSULTED = _asked("accepted", "ask_consult", "he", question="?", department_ids=lambda w: [w.water], answer_by=UNTIL)
CALLED = _asked("accepted", "call_bureau", "he", department_id=lambda w: w.world.traffic.pk, question="?")
SERVICES: dict[str, Act] = {
    "report_case": _report,
    "imported": _imported,
    "map_word": _mapped,
    "rate": _rate,
    "merge": _merge,
    "undo": _undo,
    "accept": _on("just_reported", "accept", "lin", condition_id=lambda w: w.condition.pk),
    "ask_verify": _on("just_reported", "ask_verify", "lin"),
    "reject": _on("just_reported", "reject", "lin", reason_code="unlawful", reply="不行"),
    "correct": _on("just_reported", "correct", "lin", is_urgent=True),
    "accept_dispatch": _on("just_reported", "accept_dispatch", "he", condition_id=lambda w: w.condition.pk, **LEAD),
    "dispatch": _on("accepted", "dispatch", "lin", **LEAD),
    "split": _on("accepted", "split", "lin", words="另一件事"),
    "call_bureau": _on("accepted", "call_bureau", "he", department_id=lambda w: w.world.traffic.pk, question="?"),
    "ask_consult": _on(
        "accepted", "ask_consult", "he", question="?", department_ids=lambda w: [w.water, w.sanitation], answer_by=UNTIL
    ),
    "bring_in": _on("dispatched", "bring_in", "wu", department_ids=lambda w: [w.water]),
    "assign": _on("dispatched", "assign", "wu", person_id=lambda w: w.world.huang.pk),
    "acknowledge": _on("dispatched", "acknowledge", "huang"),
    "return_case": _on("dispatched", "return_case", "wu", reason_code="wrong_type", text="错了"),
    "urge": _on("dispatched", "urge", "he", text="快"),
    "sample": _on("sampled", "review_sample", "du", is_sound=False, text="没清干净"),
    "handle": _handle,
    "ask_suspend": _on("handling", "ask_suspend", "wu", until=UNTIL, text="等"),
    "ask_extend": _on("handling", "ask_extend", "wu", share=0.5, text="等"),
    "note": _on("handling", "note", "huang", text="记"),
    "send_back": _on("handled", "send_back", "wu", text="补"),
    "confirm": _on("handled", "confirm", "wu"),
    "check_pass": _on("checking", "check_pass", "chen"),
    "check_fail": _on("checking", "check_fail", "chen", text="没好"),
    "close": _on("checked", "close", "lin", reply="好了"),
    "force_close": _on("handling", "force_close", "he", reason_code="impossible", text="暂不具备"),
    "cancel": _on("handling", "cancel", "liang", reason_code="mistake", text="误"),
    "reopen": _on("closed", "reopen", "lin", text="又有"),
    "self_handle": _self_handle,
    "me_too": _me_too,
    "erase_person": _erase,
    "reveal_reporter": _reveal,
    "hand_over": _hand_over,
    "verify": _on(_asked("just_reported", "ask_verify", "lin"), "verify", "chen", finding="true"),
    "assist_done": _on(
        _asked("dispatched", "bring_in", "wu", department_ids=lambda w: [w.water]), "assist_done", "zhao", text="好"
    ),
    "suspend": _on(HELD, "suspend", "liang"),
    "resume": _on(_then(HELD, "suspend", "liang"), "resume", "wu"),
    "refuse_ask": _on(HELD, "refuse_ask", "liang", kind="suspend", text="不"),
    "extend": _on(_ordered_extension, "extend", "liang"),
    "ask_appeal": _on("handling", "ask_appeal", "wu", at=LATE, text="雨"),
    "review_appeal": _on(
        _asked("handling", "ask_appeal", "wu", at=LATE, text="雨"), "review_appeal", "du", granted=True, text="是"
    ),
    "unmerge": _on(_merged, "unmerge", "lin"),
    "answer_consult": _on(CONSULTED, "answer_consult", "zhao", text="可以"),
    "decide_consult": _on(
        CONSULTED, "decide_consult", "he", group=lambda _w: Task.objects.get(kind="consult").group, text="做"
    ),
    "acknowledge_call": _on(CALLED, "acknowledge_call", "qu"),
    "answer_call": _on(CALLED, "answer_call", "qu", text="来"),
    "assess_call": _on(_then(CALLED, "answer_call", "qu", text="来"), "assess_call", "he", score=4, text=""),
    "answer_urge": _on(_asked("dispatched", "urge", "he", text="快"), "answer_urge", "huang", text="好"),
    "ask_hotline": _on(_ordered, "close", "lin", reply="好了"),
    "answer_hotline": _on(_closing_asked, "answer_hotline", "lin", granted=True),
}
NAMED = {"report": "report_case", "return": "return_case", "call": "call_bureau"}


def test_every_move_is_tried() -> None:
    assert {NAMED.get(move, move) for move in MOVES} <= set(SERVICES)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_failed_statement_leaves_nothing_half_stored(work: Casework, name: str) -> None:
    act, again = SERVICES[name](work)
    tried = fail_each_statement(act, again=again)
    assert tried.statements >= 4
    assert tried.partial == []
    assert tried.swallowed == []


@pytest.mark.django_db(transaction=True)
def test_a_service_outside_a_transaction_would_be_caught() -> None:
    """The broken twin: two writes without a transaction are found half stored."""
    work = Casework(make_world(), make_condition())
    case = work.accepted()

    def act() -> None:
        Case.objects.filter(pk=case.pk).update(urges=1)
        Report.objects.filter(case=case).update(words="x")

    assert fail_each_statement(act).partial
