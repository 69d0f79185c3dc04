"""What somebody about to write to a resident would want to know of the words: shown before they are sent, stopping nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from jiequ.triage import services as triage

from ..models import Case, Proof, Report
from ..public_words import hidden_in
from .advice import words_of

OF_A_CLOSING = frozenset({"short", "only_passed_on", "no_finding", "no_action", "no_date", "off_topic", "contradicts"})
OF_OTHERS = frozenset({"short", "contradicts"})
"""A refusal or a withdrawal tells no work that was done: what was not found or done is no fault there."""

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LEAST_CHINESE = 4
"""The signs are looked for in Chinese; a reply in another language is looked at for personal data only."""

_WORK = frozenset({"after", "process"})


def flags(case: Case, move: str, reply: str, reports: Sequence[Report], at: datetime) -> list[str]:
    """Sentences, the gravest first; none for no words. At most one SELECT."""
    if not reply.strip():
        return []
    found = [triage.hidden_words(kind, words) for kind, words in hidden_in(reply, keep=(case.number,))]
    if len(_CHINESE.findall(reply)) < _LEAST_CHINESE:
        return found
    wanted = OF_A_CLOSING if move == "close" else OF_OTHERS
    told = triage.flags_of(reply, report=words_of(reports), told=_told(case, move, at))
    return [*found, *(triage.flag_words(one) for one in told if one.kind in wanted)]


def _told(case: Case, move: str, at: datetime) -> triage.Told:
    is_done = case.handled_at is not None or Proof.objects.filter(case=case, phase__in=_WORK).exists()
    promised = (case.promised_at,) if case.promised_at else ()
    return triage.Told(at, case.reported_at, is_done=is_done, is_closed=move in {"close", "force_close"}, promised_by=promised)
