"""What stands beside a move's form so that it can be filled in without looking elsewhere.

Accepting: cases near by that may be the same, and what a control area says. Dispatching: when the notice will be heard.
Closing and rejecting: what the reporter will read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import get_language

from jiequ.channels.queries import resident_hears_at, staff_hears_at, wording

from .. import services
from ..forms import MoveForm
from ..models import Case, Report
from ..offers import conditions_by_id
from ..policy import REJECT_REASONS
from ..queries import lists
from ..queries.types import ConditionChoice, control_notice
from ..services.filing import rejection_template
from ..services.moving import facts_of
from . import present

NEAR_SHOWN = 5
_FILING = frozenset({"accept", "accept_dispatch", "correct"})
_SENDING = frozenset({"dispatch", "accept_dispatch"})
_TELLING = {"close": "reporter_closed", "force_close": "reporter_closed", "cancel": "reporter_cancelled"}


def aids_of(form: MoveForm, reports: Sequence[Report] | None = None) -> dict[str, Any]:
    """The context of ``cases/parts/move_aids.html`` for one form; empty where nothing helps."""
    case, at = form.case, form.at
    found: dict[str, Any] = {}
    if form.move in _FILING:
        found |= {"chosen": chosen_of(form), "near": near_of(case, at), "control": control_of(case, at)}
    if form.move in _SENDING:
        found["delivery"] = delivery(at, is_urgent=case.is_urgent)
    if form.move == "reject" or form.move in _TELLING:
        found["preview"] = _preview(form, reports)
    return found


def chosen_of(form: MoveForm) -> ConditionChoice | None:
    """The filing condition the form stands at, with its limit and proofs; None if none is chosen yet."""
    value = str(form["condition_id"].value() or "")
    return conditions_by_id().get(int(value)) if value.isdecimal() else None


def near_of(case: Case, at: datetime) -> list[dict[str, Any]]:
    """Open cases of the street near this one that may be the same matter, the nearest first. One SELECT."""
    if case.lon is None or case.lat is None:
        return []
    radius = services.policy_of(case).near_m
    found = lists.near_open(
        case.lon, case.lat, radius_m=radius, event_type_id=case.event_type_id, street_id=case.street_id, size=NEAR_SHOWN + 1
    )
    return [
        present.row(other, at, metres=metres) | {"voices": other.voices, "reported_at": other.reported_at}
        for other, metres in found
        if other.pk != case.pk
    ][:NEAR_SHOWN]


def control_of(case: Case, at: datetime) -> Any:
    """The control area that covers the case now, if there is one. One SELECT."""
    return control_notice(case.lon, case.lat, case.event_type_id, at, community_id=case.community_id, street_id=case.street_id)


def delivery(at: datetime, *, is_urgent: bool = False) -> dict[str, Any]:
    """When a department hears of what is sent now: at once in working time or if urgent, else when it begins (DOMAIN §5)."""
    hears_at = staff_hears_at(at, is_urgent=is_urgent)
    return {"is_now": hears_at <= at, "at": hears_at}


def _preview(form: MoveForm, reports: Sequence[Report] | None) -> dict[str, Any] | None:
    """The words that go to the reporter, in the language they used; None if nobody waits for them."""
    case = form.case
    reports = list(case.reports.order_by("pk")) if reports is None else reports
    told = next((report for report in reports if report.token_hash or report.reporter_id), None)
    if told is None:
        return None
    language = told.language or get_language() or "zh-hans"
    facts = facts_of(case)
    if form.move == "reject":
        notices = [
            {"code": code, "body": wording(rejection_template(code), facts, language).body, "reply": said[0]}
            for code, said in REJECT_REASONS.items()
        ]
    else:
        notices = [{"code": "", "body": wording(_TELLING[form.move], facts, language).body, "reply": ""}]
    hears_at = resident_hears_at(form.at, is_urgent=case.is_urgent)
    return {"move": form.move, "language": language, "notices": notices, "at": hears_at if hears_at > form.at else None}
