"""The hotline's answer to a question: only now does the outer clock move, the case close, or the order go back (DOMAIN §8)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.cases import services as cases
from jiequ.cases.access import case_by_id
from jiequ.cases.models import Task, TaskKind
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Taken
from jiequ.people.rules import Actor

from ..models import Letter, Source


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hotline said. ``key``: our letter's; else ``number`` and ``question`` (return, extend, close)."""

    granted: bool
    key: str = ""
    number: str = ""
    question: str = ""
    text: str = ""
    due_at: datetime | None = None

    def digest(self) -> str:
        """The same for the same answer, whichever way the letter was named."""
        said = asdict(self) | {"key": "", "number": "", "question": ""}
        said["due_at"] = self.due_at.timestamp() if self.due_at else None
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def answer(source: Source, given: Answer, *, at: datetime) -> Letter:
    """The letter, answered. A repeat changes nothing; another answer to the same letter is Taken.

    Refusal where the question is no longer open (the desk registered an answer by hand, or took it back), and for an extension
    without its new limit.
    """
    letter = _letter(source, given)
    digest = given.digest()
    with writing():
        word = "yes" if given.granted else "no"
        free = Letter.objects.filter(pk=letter.pk, answer="")
        if free.update(answer=word, answer_hash=digest, answered_at=at):
            _move(letter, given, at=at)
            letter.answer = word
            return letter
    letter.refresh_from_db()
    if letter.answer_hash != digest:
        raise Taken("answered_otherwise", _("这一请求已经有过不同的答复。"), facts={"field": "granted"})
    return letter


def _letter(source: Source, given: Answer) -> Letter:
    """By key; or by number and question: a repeat finds the letter it answered before, never a newer one."""
    letters = Letter.objects.filter(source=source, task_id__isnull=False)
    if given.key:
        found = letters.filter(key=given.key).first()
    else:
        named = letters.filter(number=given.number, kind=given.question).exclude(number="").order_by("-pk")
        found = named.filter(answer_hash=given.digest()).first() or named.filter(answer="").first() or named.first()
    if found is None:
        raise NotFound("no_such_letter", _("没有这个请求：请给 ask（我们的 key），或 number 和 question。"))
    return found


def _move(letter: Letter, given: Answer, *, at: datetime) -> None:
    """The case's move. The open question must be the letter's own: a late answer to an older one decides nothing."""
    is_open = Task.objects.filter(pk=letter.task_id or 0, kind=TaskKind.HOTLINE, state=Task.State.OPEN).exists()
    if not is_open or letter.case_id is None:
        raise Refusal("not_open", _("这一请求已经不在等待答复，没有改动。"))
    by = Actor.system()
    cases.answer_hotline(
        case_by_id(by, letter.case_id), granted=given.granted, by=by, at=at, text=given.text[:500], outer_due_at=given.due_at
    )
