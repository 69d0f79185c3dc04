"""Learnt from verdicts every night: what a confidence is worth, and a net that must pass the gate and a week in the shadow.

The fine-tune needs a Python that has torch (``JIEQU_SENSE_TORCH_PYTHON``); without one all else goes on and the page says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor

from .. import access, children, files
from ..engine import isotonic
from ..models import Calibration, Net, Said, Suspect, SuspectState
from ..queries import desk, nets
from . import examples, queueing
from .flights import record

JOB = "sense.learn"
LANE = "sense.learn"
FEWEST_PAIRS = 20  # our own proposal: fewer teach nothing that the gate could measure
FRESH_PAIRS = 10
FEWEST_WEEK = 5  # our own proposal: a week in which less was judged goes on until this many were
SHADOW = timedelta(days=7)
ALLOWED_LOSS = 0.01
MOST_SHOWN = 100  # places of a week that are kept for the page
SEED = 1
Json = dict[str, Any]


def python() -> str:
    """The Python that has torch; "" where none is named or it is not there."""
    named = str(settings.SENSE_TORCH_PYTHON)
    return named if named and Path(named).is_file() else ""


def why_not() -> str:
    """Why no net is fine-tuned tonight, as a code; "" if one will be. Four SELECTs at most."""
    if not python():
        return "no_torch"
    if examples.count_ready() < FEWEST_PAIRS:
        return "too_few_pairs"
    last = Net.objects.first()
    if last is not None and examples.count_ready(after=last.made_at) < FRESH_PAIRS:
        return "nothing_new"
    return "in_shadow" if nets.shadow() else ""


# ---- what a confidence is worth


def calibrate(street_id: int, at: datetime) -> int:
    """Fit the rising line on a street's verdicts; from fifty on every open suspect gets a likelihood. How many verdicts."""
    rows = list(desk.told(street_id).filter(finding__isnull=False).values_list("finding__confidence", "said"))
    if not rows:
        return 0
    line = isotonic.fit([score for score, _said in rows], [said == Said.CONFIRMED for _score, said in rows])
    known = {"curve": line.to_data(), "verdicts": len(rows), "fitted_at": at}
    open_ones = list(Suspect.objects.filter(street_id=street_id, state=SuspectState.OPEN).only("pk", "confidence"))
    likely = line.apply([one.confidence for one in open_ones]) if line.is_calibrated else [None] * len(open_ones)
    for one, value in zip(open_ones, likely, strict=True):
        one.likelihood = None if value is None else round(float(value), 4)
    with writing():
        Calibration.objects.update_or_create(street_id=street_id, defaults=known)
        Suspect.objects.bulk_update(open_ones, ["likelihood"], batch_size=200)
        queueing.reorder(street_id)
    return len(rows)


def calibrate_all(at: datetime) -> None:
    """Every street with open suspects or verdicts."""
    for street_id in Suspect.objects.order_by().values_list("street_id", flat=True).distinct():
        calibrate(street_id, at)


# ---- the net


def tonight(at: datetime) -> JobSpec | None:
    """The night's work: what a shadow finds at places judged since it began, its verdict once its week is over and enough was
    judged; else a fine-tune if there is something to learn from."""
    shadow = nets.shadow()
    if shadow is None or shadow.shadow_since is None:
        return None if why_not() else _job("tune", at, 0)
    judged = examples.count_since(shadow.made_at)
    is_over = at.date() >= shadow.shadow_since + SHADOW and judged >= FEWEST_WEEK
    return _job("weigh" if is_over else "watch", at, 0) if judged else None


def _job(what: str, at: datetime, part: int) -> JobSpec:
    day = at.date().isoformat()
    return JobSpec(JOB, {"what": what, "day": day, "part": part}, at, key=f"{JOB}:{what}:{day}:{part}", lane=LANE)


def work(what: str, day: str, part: int, at: datetime) -> Callable[[], Any] | None:
    """One slice: start the child or go on waiting for it."""
    key = f"learn:{what}:{day}"
    folder = files.work(f"learn-{what}")
    request = _request(what, folder)
    if request is None:
        return None
    told = children.ask("learn", key, request)
    if told is None:
        return partial(enqueue, _job(what, datetime.fromisoformat(day).replace(tzinfo=at.tzinfo), part + 1))
    shutil.rmtree(folder, ignore_errors=True)
    if "fault" in told:
        raise children.ChildFailed(told["fault"])
    return partial({"tune": candidate, "watch": watched, "weigh": weighed}[what], told, at)


def _request(what: str, folder: Path) -> Json | None:
    used, shadow = nets.active(), nets.shadow()
    start = used.sha256 if used else ""
    asked: Json = {"do": "learn", "what": what, "place": files.described(), "work": str(folder)}
    if what == "tune":
        return asked | {"keys": examples.ready(), "python": python(), "seed": SEED, "start": start} if python() else None
    keys = examples.ready(since=shadow.made_at) if shadow else []  # what neither net has learnt from
    return asked | {"keys": keys, "champion": start, "shadow": shadow.sha256} if shadow and keys else None


def candidate(told: Json, at: datetime) -> None:
    """A net that passed the gate begins its week in the shadow; one that did not is kept with its card, unused."""
    card = told["card"]
    gate = card["gate"]
    passed = bool(gate["passed"])
    known = {
        "state": Net.State.SHADOW if passed else Net.State.REFUSED, "why": str(gate.get("why", ""))[:24], "card": card,
        "examples": card["n_pairs"] + card["n_frozen"], "made_at": at, "shadow_since": at.date() if passed else None,
        "follows": nets.active(),
    }  # fmt: skip
    with writing():
        if passed:
            Net.objects.filter(state=Net.State.SHADOW).update(state=Net.State.RETIRED, retired_at=at)
        Net.objects.get_or_create(sha256=card["sha256"], defaults=known)


def watched(told: Json, at: datetime) -> None:
    """The week goes on: what both nets find at the places judged since it began is kept for the page."""
    shadow = nets.shadow()
    if shadow is not None:
        Net.objects.filter(pk=shadow.pk, state=Net.State.SHADOW).update(card=shadow.card | _week(told))


def _week(told: Json) -> Json:
    before, after = (round(told[which]["pixel_f1"], 4) for which in ("champion", "shadow"))
    return {"week": {"before": before, "after": after, "pairs": told.get("pairs", [])[-MOST_SHOWN:]}}


def weighed(told: Json, at: datetime) -> None:
    """The week is over: the shadow takes over if it is no worse on what was judged since it began, else it goes."""
    shadow = nets.shadow()
    if shadow is None:
        return
    before, after = told["champion"]["pixel_f1"], told["shadow"]["pixel_f1"]
    card = shadow.card | _week(told)
    with writing():
        if after < before - ALLOWED_LOSS:
            changes = {"state": Net.State.RETIRED, "retired_at": at, "why": "worse_week", "card": card}
            Net.objects.filter(pk=shadow.pk, state=Net.State.SHADOW).update(**changes)
            return
        Net.objects.filter(state=Net.State.ACTIVE).update(state=Net.State.RETIRED, retired_at=at)
        changes = {"state": Net.State.ACTIVE, "active_from": at, "card": card}
        Net.objects.filter(pk=shadow.pk, state=Net.State.SHADOW).update(**changes)


def roll_back(*, street_id: int, by: Actor, at: datetime) -> None:
    """The net before takes over (in the end the one that ships); the shadow goes too. Refusal where nothing was learnt."""
    access.require_judge(by, street_id)
    used = nets.active()
    if used is None and nets.shadow() is None:
        raise Refusal("nothing_learnt", _("用的就是随附的网络，没有可以退回的。"))
    with writing():
        Net.objects.filter(state__in=[Net.State.ACTIVE, Net.State.SHADOW]).update(state=Net.State.RETIRED, retired_at=at)
        if used is not None and used.follows_id:
            Net.objects.filter(pk=used.follows_id).update(state=Net.State.ACTIVE, active_from=at, retired_at=None)
        record(by, street_id, at, "net_roll_back", "net", used.pk if used else 0)
