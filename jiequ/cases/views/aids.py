"""What stands beside a move's form so that it can be filled in without looking elsewhere.

Accepting and dispatching: whether it is known (a part of its own). Accepting: what a control area says. Dispatching: when
the notice will be heard.
Closing and rejecting: what the reporter will read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jiequ.channels.queries import resident_hears_at, staff_hears_at
from jiequ.core.errors import Refusal

from .. import services
from ..forms import MoveForm
from ..models import Case, Report
from ..offers import conditions_by_id
from ..queries import replies, reply_flags, where
from ..queries.types import ConditionChoice, control_notice

_FILING = frozenset({"accept", "accept_dispatch", "correct"})
_SENDING = frozenset({"dispatch", "accept_dispatch"})


def aids_of(form: MoveForm, reports: Sequence[Report] | None = None) -> dict[str, Any]:
    """The context of ``cases/parts/move_aids.html`` for one form; empty where nothing helps."""
    case, at = form.case, form.at
    found: dict[str, Any] = {"offer": form.offer, "told": told_of(form)}
    if form.move in _FILING:
        found |= {"chosen": chosen_of(form), "control": control_of(case, at)}
    if form.move in _SENDING:
        found["delivery"] = delivery(at, is_urgent=case.is_urgent)
    found["asks_known"] = form.move in _FILING | _SENDING and form.move != "correct"
    if form.move in services.TOLD and reports is None:
        reports = list(case.reports.order_by("pk"))
    if form.move in replies.MOVES:
        languages = replies.languages_for(form.move, [report.language for report in reports or ()])
        found["standard"] = replies.offered(case, form.move, languages)
    if form.move in services.TOLD:
        found["preview"] = preview_of(form, form.data if form.is_bound else None, reports)
    return found


_FIRST_KEY = 4  # 1 to 3 take a type or a department


def told_of(form: MoveForm) -> dict[str, Any] | None:
    """Places and times that the reports tell, each with the field it goes into and its key. None where nothing is offered."""
    told = form.told
    if not told:
        return None
    places = [_spot(spot, key) for key, spot in enumerate(told.places, _FIRST_KEY)]
    times = [
        {"value": one.value, "words": where.words_of(one), "told": one.told, "key": key}
        for key, one in enumerate(told.times, _FIRST_KEY + len(places))
    ]
    return {"places": places, "times": times, "is_far": told.is_far}


def _spot(spot: where.Spot, key: int) -> dict[str, Any]:
    field = "place_id" if spot.value[0] == "p" else "plate_code"
    return {"spot": spot, "field": field, "value": spot.value[1:], "key": key, "away": where.away_words(spot.metres)}


def chosen_of(form: MoveForm) -> ConditionChoice | None:
    """The filing condition the form stands at, with its limit and proofs; None if none is chosen yet."""
    value = str(form["condition_id"].value() or "")
    return conditions_by_id().get(int(value)) if value.isdecimal() else None


def control_of(case: Case, at: datetime) -> Any:
    """The control area that covers the case now, if there is one. One SELECT."""
    return control_notice(case.lon, case.lat, case.event_type_id, at, community_id=case.community_id, street_id=case.street_id)


def delivery(at: datetime, *, is_urgent: bool = False) -> dict[str, Any]:
    """When a department hears of what is sent now: at once in working time or if urgent, else when it begins (DOMAIN §5)."""
    hears_at = staff_hears_at(at, is_urgent=is_urgent)
    return {"is_now": hears_at <= at, "at": hears_at}


def preview_of(
    form: MoveForm, given: Mapping[str, str] | None, reports: Sequence[Report] | None = None
) -> dict[str, Any] | None:
    """The words that go to the reporters, each in the language they used, by the services that send them.

    ``given``: what stands in the form so far; None: nothing yet, so there is only the place for it. None where nobody waits.
    """
    case = form.case
    reports = list(case.reports.order_by("pk")) if reports is None else reports
    if not any(report.token_hash or report.reporter_id for report in reports):
        return None
    hears_at = resident_hears_at(form.at, is_urgent=case.is_urgent)
    found: dict[str, Any] = {
        "move": form.move,
        "at": hears_at if hears_at > form.at else None,
        "texts": [],
        "lacks": "",
        "flags": [],
    }
    if given is not None:
        found["flags"] = reply_flags.flags(case, form.move, given.get("reply", ""), reports, form.at)
        try:
            found["texts"] = services.what_reporters_read(case, form.move, given, reports=reports, by=form.actor, at=form.at)
        except Refusal as refusal:
            found["lacks"] = str(refusal)
    return found
