"""The district's own list of urgent words: taken over whole, or given up for the engine's starter list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Refusal, Stale
from jiequ.core.models import Counter
from jiequ.people.rules import Actor

from .. import running
from ..minds import UrgentWord as Urgent
from ..models import UrgentWord

MOST = 300
COUNTER = "triage.urgent_words"
_LINE = re.compile(
    r"^(?P<word>\S{1,20})(?:\s+(?P<level>[0-2]))?(?:\s+(?P<code>[a-z_]{2,20}))?(?P<not_in>(?:\s+!\S{1,30}){0,8})$"
)


def read_lines(text: str) -> list[UrgentWord]:
    """One word a line, its level (0 most urgent), its code, then with ``!`` longer words that do not count. Refusal else."""
    found: dict[str, UrgentWord] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.match(line.strip())
        if match is None:
            raise Refusal(
                "bad_line", _("第 %(n)d 行不对：一行一个词，后面可写 0、1 或 2。") % {"n": number}, facts={"field": "words"}
            )
        word = match["word"]
        found[word] = UrgentWord(
            word=word,
            level=int(match["level"] or 0),
            code=match["code"] or "own",
            not_in=match["not_in"].replace("!", "").strip(),
        )
    if len(found) > MOST:
        raise Refusal("too_many_words", _("最多 %(n)d 个词。") % {"n": MOST}, facts={"field": "words"})
    return list(found.values())


def as_lines(words: Iterable[Urgent]) -> str:
    """The list as it is edited."""
    return "\n".join(" ".join([one.word, str(one.level), one.code, *(f"!{longer}" for longer in one.not_in)]) for one in words)


def version() -> int:
    """How often the list was taken over: what a page shows and hands back. One SELECT."""
    return Counter.objects.filter(name=COUNTER).values_list("value", flat=True).first() or 0


def keep(text: str, *, version: int, by: Actor, at: datetime) -> int:
    """Take the list over; an empty one gives the starter list back. How many words.

    Stale if somebody took one over after ``version``: two lists saved at once would be mixed or one lost unseen.
    """
    rows = read_lines(text)
    with writing():
        Counter.objects.bulk_create([Counter(name=COUNTER)], ignore_conflicts=True)
        if not Counter.objects.filter(name=COUNTER, value=version).update(value=F("value") + 1):
            raise Stale("urgent_words_changed", _("紧急词刚被别人改过。下面还是您写的，请和现在的清单对照后再保存。"))
        UrgentWord.objects.all().delete()
        UrgentWord.objects.bulk_create(rows)
        audit.record(
            street_id=None,
            person_id=by.person_id,
            action="triage.urgent_words",
            object_kind="triage",
            object_id="urgent_words",
            at=at,
            facts={"count": len(rows)},
        )
    running.forget()
    return len(rows)
