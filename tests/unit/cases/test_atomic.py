"""RELIABILITY row 3: the k-th statement of every service fails, for every k; all of it is stored or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jiequ.cases import services
from jiequ.cases.models import Case, Report
from jiequ.people.rules import Actor
from tests.actors import NOW, make_world
from tests.casework import Casework, make_condition, make_picture
from tests.support.failing import fail_each_statement

Act = Callable[[Casework], tuple[Callable[[], Any], Callable[[], Any]]]


def _on(before: str, name: str, actor: str, **arguments: Any) -> Act:
    """A service called on a fresh reading of a case that was brought to a state."""

    def prepare(work: Casework) -> tuple[Callable[[], Any], Callable[[], Any]]:
        case = getattr(work, before)()
        held: dict[str, Case] = {}

        def again() -> None:
            held["case"] = work.fresh(case, actor)

        def act() -> Any:
            given = {k: v(work) if callable(v) else v for k, v in arguments.items()}
            return getattr(services, name)(held["case"], by=work.actor(actor), at=NOW, **given)

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


LEAD: dict[str, Any] = {"lead_id": lambda w: w.sanitation, "assist_ids": lambda w: [w.water]}
UNTIL = NOW + timedelta(days=3)
SERVICES: dict[str, Act] = {
    "report_case": _report,
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
}


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
