"""Out: what is asked of a hotline, and that a case has ended, as letters: the same bytes and key at each try.

A letter is made from the open question of a case (``Task``), so nothing is lost if no worker lives when it is asked; it is sent
by a job outside of any transaction. Five retries (1, 5, 30 min, 2, 12 h), then the duty desk hears that it was not delivered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from jiequ.cases import clocks as c
from jiequ.cases.flow import ENDED, State
from jiequ.cases.models import Case, Report, Task, TaskKind
from jiequ.cases.public_words import public
from jiequ.channels.services import Notice, send
from jiequ.core import outgoing, secrets
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.ids import new_token
from jiequ.core.jobs import RETRY_AFTER, JobSpec, enqueue
from jiequ.people.rules import Actor, Role

from .. import purposes
from ..models import Letter, Order, Source, WayOut
from .sources import record, require

DELIVER = "hotline.deliver"
BATCH = 200


# -- which letters are due ---------------------------------------------------------------------------------------------


def write_letters(source: Source, *, at: datetime) -> int:
    """A letter for each open question of this source's cases, and for each order whose case ended unasked; how many.

    Without a way out nothing is written: the desk asks by phone and registers the answer by hand.
    """
    asked = 0 if source.way_out == WayOut.NONE else _write_questions(source, at=at)
    return asked + _write_endings(source, at=at)


def _write_questions(source: Source, *, at: datetime) -> int:
    ours = Report.objects.filter(system=source.system.name, case=OuterRef("case_id")).exclude(source_ref="")
    told = Letter.objects.filter(task_id=OuterRef("pk"))
    tasks = Task.objects.filter(Exists(ours), ~Exists(told), kind=TaskKind.HOTLINE, state=Task.State.OPEN)
    written = 0
    for task in tasks.select_related("case__street").order_by("pk")[:BATCH]:
        number, kind = _number_of(source, task.case_id), task.facts["question"]
        written += _store(_letter(source, kind, number, task.case, _asked(task), at=at, task_id=task.pk))
    return written


def _number_of(source: Source, case_id: int) -> str:
    """The order's number; of several orders in one case the one that opened it."""
    reports = Report.objects.filter(system=source.system.name, case_id=case_id).exclude(source_ref="")
    return str(reports.order_by("pk").values_list("source_ref", flat=True).first() or "")


def _asked(task: Task) -> dict[str, Any]:
    """What is asked: codes, the sentence for the caller, and for an extension until when our own clock now runs."""
    handle = c.load(task.case.clocks).get(c.ClockKind.HANDLE)
    facts = {"reply": task.facts.get("reply", ""), "reason_code": task.facts.get("reason_code", "")}
    if task.facts["question"] == "extend" and handle is not None:
        facts["wanted_until"] = handle.due_at.isoformat()
    return {name: value for name, value in facts.items() if value}


def _write_endings(source: Source, *, at: datetime) -> int:
    """Orders whose case is over though the hotline was not asked, or answered by phone: it is told the result, once."""
    over = Report.objects.filter(
        system=source.system.name, source_ref=OuterRef("number"), case__state__in=ENDED - {State.MERGED}
    )
    orders = Order.objects.filter(Exists(over), source=source, state=Order.State.TAKEN, is_end_told=False).order_by("pk")
    written = 0
    for order in orders[:BATCH]:
        with writing():
            mine = Order.objects.filter(pk=order.pk, is_end_told=False).update(is_end_told=True)
            if mine and source.way_out != WayOut.NONE and not _is_granted(source, order.number):
                written += _store(_ending(source, order.number, at=at))
    return written


def _is_granted(source: Source, number: str) -> bool:
    return Letter.objects.filter(source=source, number=number, answer="yes", kind__in=["close", "return"]).exists()


def _ending(source: Source, number: str, *, at: datetime) -> Letter:
    case = Report.objects.select_related("case").get(system=source.system.name, source_ref=number).case
    facts = {"closing": case.closing, "reply": public(case.reply, keep=(case.number,)), "reason_code": case.reason_code}
    return _letter(source, "ended", number, case, facts, at=at)


def _letter(
    source: Source,
    kind: str,
    number: str,
    case: Case | None,
    facts: Mapping[str, Any],
    *,
    at: datetime,
    task_id: int | None = None,
) -> Letter:
    key = f"hl_{new_token()[:24]}"
    body = {"key": key, "kind": kind, "number": number, "at": at.isoformat()}
    body |= {"case": case.number} if case else {}
    body |= {name: value for name, value in facts.items() if value}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Letter(
        key=key,
        source=source,
        task_id=task_id,
        case=case,
        number=number,
        kind=kind,
        body_sealed=secrets.seal(text, purposes.LETTER),
        made_at=at,
        next_at=at,
    )


def _store(letter: Letter) -> bool:
    """The letter with its job; False if its question has one already (two workers at once)."""
    try:
        with writing():
            letter.save(force_insert=True)
            enqueue(job_of(letter))
    except IntegrityError:
        return False
    return True


def job_of(letter: Letter) -> JobSpec:
    """The job of a letter's round."""
    key = f"{DELIVER}:{letter.pk}:{letter.round}"
    args = {"letter_id": letter.pk, "round": letter.round}
    street_id = letter.case.street_id if letter.case else letter.source.system.street_id
    return JobSpec(DELIVER, args, run_at=letter.next_at, key=key, street_id=street_id)


def send_waiting(source: Source, *, at: datetime) -> int:
    """Jobs for the letters that waited out a pause; in the caller's transaction."""
    rows = Letter.objects.filter(source=source, state=Letter.State.WAITING).select_related("case", "source__system")
    for letter in rows:
        Letter.objects.filter(pk=letter.pk).update(round=F("round") + 1, next_at=at)
        letter.round, letter.next_at = letter.round + 1, at
        enqueue(job_of(letter))
    return len(rows)


# -- one try -----------------------------------------------------------------------------------------------------------


def to_send(letter_id: int, round: int) -> Letter | None:
    """The letter, if it still waits in this round."""
    rows = Letter.objects.select_related("source__system", "case")
    return rows.filter(pk=letter_id, round=round, state=Letter.State.WAITING).first()


def is_settled(letter: Letter) -> bool:
    """True if the question was answered or withdrawn before the letter left."""
    if letter.task_id is None:
        return False
    return not Task.objects.filter(pk=letter.task_id, state=Task.State.OPEN).exists()


def carry(letter: Letter) -> tuple[int | None, str]:
    """Hand the letter over: the status and why not (empty: it arrived). No transaction; ten seconds at most."""
    body = secrets.unseal(letter.body_sealed, purposes.LETTER).encode()
    if letter.source.way_out == WayOut.FILES:
        return None, _lay_down(letter, body)
    headers = {"Content-Type": "application/json", "User-Agent": "Jiequ", "Idempotency-Key": letter.key}
    if letter.source.out_key_sealed:
        headers["Authorization"] = f"Bearer {secrets.unseal(letter.source.out_key_sealed, purposes.KEY)}"
    try:
        status = outgoing.post(letter.source.out_url, body, headers)
    except outgoing.Unreachable as failed:
        return None, failed.code
    return status, "" if 200 <= status < 300 else "redirect" if 300 <= status < 400 else "refused"


def folder_of(source: Source) -> Path | None:
    """Where a source's files lie; None where this installation has no folder for hotlines."""
    return Path(settings.HOTLINE_FOLDER) / source.slug if settings.HOTLINE_FOLDER else None


def _lay_down(letter: Letter, body: bytes) -> str:
    """The letter as a file, whole or not at all: written beside, flushed, then renamed. The same name at each try."""
    folder = folder_of(letter.source)
    if folder is None:
        return "no_folder"
    out = folder / "out"
    half = out / f".{letter.key}.part"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(half, out / f"{letter.key}.json")
    except OSError:
        return "not_written"
    return ""


def mark(letter: Letter, status: int | None, error: str, *, at: datetime) -> None:
    """What one try came to, in the transaction that removes its job."""
    if not error:
        end(letter, Letter.State.DELIVERED, at=at, status=status, tries=F("tries") + 1)
    elif letter.tries < len(RETRY_AFTER):
        next_at = at + RETRY_AFTER[letter.tries]
        tried = {"status": status, "error": error, "tries": F("tries") + 1, "round": F("round") + 1, "next_at": next_at}
        if _same(letter).update(**tried):
            letter.round, letter.next_at = letter.round + 1, next_at
            enqueue(job_of(letter))
    else:
        give_up(letter, error, at=at, status=status)


def give_up(letter: Letter, error: str, *, at: datetime, status: int | None = None) -> None:
    """Not delivered: it says so, and the duty desk hears of it."""
    if not end(letter, Letter.State.NOT_DELIVERED, at=at, status=status, error=error, tries=F("tries") + 1):
        return
    if letter.case is not None:
        send([_lost(letter, letter.case)], at=at)


def _lost(letter: Letter, case: Case) -> Notice:
    return Notice(
        template="hotline_not_delivered",
        facts={"number": case.number},
        about=f"case:{case.pk}",
        key=f"hotline:lost:{letter.key}:{letter.round}",
        to_post=(Role.DUTY_LEADER.value, case.street_id, None),
        street_id=case.street_id,
    )


def end(letter: Letter, state: str, *, at: datetime, **values: Any) -> bool:
    """The end of a letter, whatever it was; False if it had ended or gone on."""
    return bool(_same(letter).update(state=state, ended_at=at, **{"error": "", **values}))


def _same(letter: Letter) -> QuerySet[Letter]:
    return Letter.objects.filter(pk=letter.pk, round=letter.round, state=Letter.State.WAITING)


# -- by hand -----------------------------------------------------------------------------------------------------------


def ping(source: Source, *, by: Actor, at: datetime) -> Letter:
    """A test letter, carried like any other."""
    require(by)
    if source.way_out == WayOut.NONE:
        raise Refusal("no_way_out", _("还没有设置回传方式。"))
    letter = _letter(source, "ping", "", None, {}, at=at)
    with writing():
        _store(letter)
        record(by, at, "hotline.pinged", source)
    return letter


def resend(letter_id: int, *, by: Actor, at: datetime) -> Letter:
    """One that was given up, again from the beginning: the administrator, or the desk of the case's street."""
    letter = Letter.objects.select_related("source__system", "case").filter(pk=letter_id).first()
    may = letter is not None and (
        by.has(Role.SYSTEM_ADMIN)
        or (letter.case is not None and by.has(Role.ACCEPTOR, Role.DUTY_LEADER, street_id=letter.case.street_id))
    )
    if letter is None or not may:
        raise NotFound("no_such_letter", _("没有这封去件，或它没有失败。"))
    again = {"state": Letter.State.WAITING, "round": F("round") + 1, "tries": 0, "next_at": at, "ended_at": None, "error": ""}
    with writing():
        lost = Letter.objects.filter(pk=letter.pk, state=Letter.State.NOT_DELIVERED).exclude(body_sealed="")
        if not lost.update(**again):
            raise NotFound("no_such_letter", _("没有这封去件，或它没有失败。"))
        letter.round, letter.next_at = letter.round + 1, at
        enqueue(job_of(letter))
        record(by, at, "hotline.resent", letter.source, letter=letter.pk)
    return letter
