"""What a reporter is told of a move: the facts, the notices, and the same words shown to the desk before they are sent."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jiequ.channels.queries import wording
from jiequ.channels.services import Notice
from jiequ.people.rules import Actor

from ..flow import ENDED
from ..models import Case, CaseEvent, Report
from ..public_words import public
from . import moving
from .filing import reject
from .handling import cancel, close, force_close
from .rehearsing import rehearse

RINGS_AT_NIGHT = frozenset({"reporter_received", "reporter_dispatched", "reporter_rejected_emergency"})
"""Of an urgent case, what a resident wants to know at once; the rest waits for the morning."""


def facts_for_reporter(case: Case, template: str) -> dict[str, Any]:
    """What a notice to a reporter may say: number, type, and until when."""
    policy = moving.policy_of(case)
    due = case.promised_at or case.due_at
    if template in {"reporter_closed", "reporter_ended"} and case.ended_at:
        due = case.ended_at + timedelta(days=policy.reopen_days)
    facts = moving.facts_of(case)
    facts.pop("due", None)
    facts.pop("grid", None)
    return facts | ({"due": due.isoformat()} if due else {})


def notices_for(case: Case, shown: Case, template: str, reports: Iterable[Report], *, event_id: int) -> list[Notice]:
    """One notice for each reporter with an account or a phone. ``shown``: the case it speaks of, another one after a merge."""
    facts = facts_for_reporter(shown, template)
    return [
        Notice(
            template=template,
            facts=facts,
            about=moving.about(case.pk),
            key=f"report:{report.pk}:{template}:{event_id or case.version}",
            to_account_sealed=report.reporter.account_sealed,
            to_phone_sealed=report.reporter.phone_sealed,
            language=report.language,
            is_urgent=case.is_urgent and template in RINGS_AT_NIGHT,
            street_id=case.street_id,
            sentence=said_to(case),
        )
        for report in reports
        if report.reporter is not None and (report.reporter.account_sealed or report.reporter.phone_sealed)
    ]


def said_to(case: Case) -> str:
    """The sentence somebody wrote for the reporter, once the case has ended; personal data in it is masked."""
    return public(case.reply, keep=(case.number,)) if case.state in ENDED else ""


@dataclass(frozen=True, slots=True)
class Reads:
    """What a reporter of one language reads: the notice, and the sentence behind their link."""

    language: str
    notice: str
    reply: str


TOLD: dict[str, Callable[..., CaseEvent]] = {"reject": reject, "close": close, "force_close": force_close, "cancel": cancel}
"""Moves with a sentence for the reporter."""
_IN_OUR_OWN_BOOKS = "…"  # the text of the file, which no reporter reads, may still be unwritten


def what_reporters_read(
    case: Case, move: str, given: Mapping[str, str], *, reports: Iterable[Report], by: Actor, at: datetime
) -> list[Reads]:
    """The words the move would send, by the services that send them; nothing is written. Raises the move's own refusals.

    One entry for each language among those who are told; none where nobody waits for an answer, or the hotline is asked first.
    """
    values: dict[str, Any] = {"reply": given.get("reply", "").strip()}
    if move != "close":
        values["reason_code"] = given.get("reason_code", "")
    if move in {"force_close", "cancel"}:
        values["text"] = given.get("text", "").strip() or _IN_OUR_OWN_BOOKS
    after, change = rehearse(lambda: TOLD[move](copy.copy(case), by=by, at=at, **values))
    if not change.tell:
        return []
    facts = facts_for_reporter(after, change.tell)
    told = dict.fromkeys(report.language for report in reports if report.token_hash or report.reporter_id)
    return [Reads(language, wording(change.tell, facts, language).body, said_to(after)) for language in told]
