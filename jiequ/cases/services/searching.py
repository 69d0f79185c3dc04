"""What a case is found by: its title, type, address and its reports' words, split; stored in the transaction that changes them.

The tokens of a case stand on the report that opened it, so that creating one costs no statement more. Numbers of seven and
more digits are never indexed: what a handler's page masks cannot be found by either; names and phones are in no text.
Erasure empties words, then calls ``reindex``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import F, Min, Value
from django.db.models.functions import Concat, Length

from jiequ.core.jobs import JobSpec, enqueue

from .. import bigrams
from ..models import Case, FilingCondition, Report

INDEX_TEXTS = "cases.index_texts"
LONGEST = 20_000
FOUND_BY = frozenset({"title", "address", "condition", "condition_id"})


def tokens_of(case: Case, words: Iterable[str]) -> str:
    """What a fresh case is found by."""
    return split(case.street_id, [case.title, case.address, *_type(case.condition), *words])


def add(case_id: int, words: Iterable[str]) -> None:
    """Something more that a case is found by (another report, its type). One UPDATE, none for no words."""
    if more := bigrams.indexed(words):
        rows = Report.objects.annotate(length=Length("tokens")).filter(origin=case_id, length__gte=1, length__lt=LONGEST)
        rows.update(tokens=Concat(F("tokens"), Value(" "), Value(more)))


def follow(case: Case, values: Mapping[str, Any]) -> None:
    """After a move: a type set at accepting is added, a title, address or type that changed is indexed anew."""
    touched = FOUND_BY & set(values)
    if touched == {"condition"} and "accepted_at" in values:
        add(case.pk, _type(values["condition"]))
    elif touched:
        reindex([case.pk])


def reindex(case_ids: Iterable[int]) -> None:
    """The tokens of these cases, made anew from what their pages show now. Three SELECTs and an UPDATE."""
    wanted = sorted(set(case_ids))
    opened = Report.objects.filter(origin__in=wanted).order_by().values("origin").annotate(first=Min("pk"))
    opening = dict(opened.values_list("origin", "first"))
    said: dict[int, list[str]] = defaultdict(list)
    for case_id, *words in Report.objects.filter(case__in=wanted).order_by("pk").values_list("case", "words", "place_words"):
        said[case_id] += words
    names = ("pk", "street_id", "title", "address", "condition__edition__name_zh", "condition__edition__name_en")
    rows = [
        Report(pk=opening[pk], tokens=split(street_id, [*(part or "" for part in parts), *said[pk]]))
        for pk, street_id, *parts in Case.objects.filter(pk__in=opening).values_list(*names)
    ]
    Report.objects.bulk_update(rows, ["tokens"], batch_size=100)


def index_later(first: int, last: int, *, at: datetime) -> None:
    """A job that indexes the cases from ``first`` to ``last``: for rows put in by the thousand."""
    args = {"after": first - 1, "until": last}
    enqueue(JobSpec(INDEX_TEXTS, args, run_at=at, key=f"index-texts:{first}:{last}"))


def index_missing(*, after: int, size: int, until: int = 0) -> int | None:
    """The next cases whose opening report has no tokens, by id; the id to go on after, None at the end."""
    lacking = Report.objects.filter(origin__gt=after, tokens="").order_by("origin").values_list("origin", flat=True)
    if until:
        lacking = lacking.filter(origin__lte=until)
    wanted = list(lacking[:size])
    reindex(wanted)
    return wanted[-1] if len(wanted) == size else None


def split(street_id: int, parts: Iterable[str]) -> str:
    """What is stored for these parts of a case of that street, each part once."""
    whole = bigrams.indexed(dict.fromkeys(parts), scopes=[bigrams.scope("s", street_id)])
    return whole if len(whole) <= LONGEST else whole[:LONGEST].rsplit(" ", 1)[0]


def _type(condition: FilingCondition | None) -> list[str]:
    return [condition.edition.name_zh, condition.edition.name_en] if condition else []
