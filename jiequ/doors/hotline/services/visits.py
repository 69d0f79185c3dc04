"""A call-back by the hotline: kept once, shown on the case, and the unit is told at once (DOMAIN §8)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.cases.models import Case, Report
from jiequ.channels.services import Notice, send
from jiequ.core import secrets
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Taken
from jiequ.people.rules import Role

from .. import purposes
from ..models import Source, Visit

LATEST = timedelta(minutes=5)
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Said:
    """What a call-back came to; None: not said. ``ref``: the hotline's own number of it."""

    ref: str
    number: str
    at: datetime
    contacted: bool | None = None
    solved: bool | None = None
    satisfaction: int | None = None
    text: str = ""

    def digest(self) -> str:
        """The same for the same result."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


class Hear(Protocol):
    """Hears, in the transaction that keeps it, that a case was called back."""

    def __call__(self, case_id: int, *, at: datetime) -> None: ...


_hears: list[Hear] = []


def on_visit(hear: Hear) -> None:
    """Register whoever counts call-backs."""
    if hear not in _hears:
        _hears.append(hear)


def record_visit(source: Source, said: Said, *, at: datetime) -> tuple[Visit, bool]:
    """The call-back and whether it is new. Taken for another result under the same number; NotFound for an unknown order."""
    _check(said, at)
    report = Report.objects.select_related("case").filter(system=source.system.name, source_ref=said.number).first()
    if report is None:
        raise NotFound("no_such_order", _("没有这个单号的工单。"))
    visit = Visit(
        source=source,
        ref=said.ref,
        said_hash=said.digest(),
        case=report.case,
        contacted=said.contacted,
        solved=said.solved,
        satisfaction=said.satisfaction,
        words_sealed=secrets.seal(said.text[:LONGEST], purposes.VISIT) if said.text else "",
        at=said.at,
        received_at=at,
    )
    try:
        with writing():
            visit.save(force_insert=True)
            send(_notices(visit, report.case), at=at)
            for hear in _hears:
                hear(report.case_id, at=at)
    except IntegrityError:
        there = Visit.objects.get(source=source, ref=said.ref)
        if there.said_hash != visit.said_hash:
            raise Taken("visit_taken", _("这个回访号已经报过不同的结果。"), facts={"field": "visit"}) from None
        return there, False
    return visit, True


def _check(said: Said, at: datetime) -> None:
    if not said.ref or len(said.ref) > 100:
        raise Refusal("visit_missing", _("请给出回访号 visit，不超过 100 字。"), facts={"field": "visit"})
    if said.contacted is None and said.solved is None and said.satisfaction is None:
        raise Refusal("nothing_said", _("回访要说明是否联系上、是否解决或满意度。"), facts={"field": "solved"})
    if said.at > at + LATEST:
        raise Refusal("visit_later", _("回访时间在将来，请核对。"), facts={"field": "at"})


def _notices(visit: Visit, case: Case) -> list[Notice]:
    """The unit that handled it; where it was not solved, the desk too. Number only: the words stay behind sign-in."""
    template = "hotline_unsolved" if visit.solved is False else "hotline_verdict"
    posts: list[tuple[str, int | None, int | None]] = []
    if case.lead_id:
        posts.append((Role.DEPARTMENT_LEAD.value, case.street_id, case.lead_id))
    if visit.solved is False or not posts:
        posts.append((Role.DUTY_LEADER.value, case.street_id, None))
    return [
        Notice(
            template=template,
            facts={"number": case.number},
            about=f"case:{case.pk}",
            key=f"hotline:visit:{visit.source_id}:{visit.said_hash[:32]}:{post[0]}",
            to_post=post,
            street_id=case.street_id,
        )
        for post in posts
    ]


def words_of(visit: Visit) -> str:
    """What they said; nothing once it is forgotten."""
    return secrets.unseal(visit.words_sealed, purposes.VISIT) if visit.words_sealed else ""
