"""The analyst's desk as pages read it: who has what to read next, what was said, how well two readers agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from ..engine.isotonic import UNCALIBRATED_BELOW
from ..models import Said, Suspect, SuspectState, Verdict

SHOWN = 50
AGREEMENT_OVER = timedelta(days=180)
AGREEMENT_LEAST = 10  # pairs, below which no share is shown


def waiting(street_id: int, reader_id: int) -> QuerySet[Suspect]:
    """What a reader has to read: the open ones, and unmarked among them those that somebody else read first, in their turn."""
    second = Q(wants_second=True) & _read_by_another(reader_id) & ~_read_twice()
    found = Suspect.objects.filter(Q(state=SuspectState.OPEN) | second, street_id=street_id)
    return found.exclude(state=SuspectState.MERGED).order_by("turn", "pk")


def _standing() -> QuerySet[Verdict]:
    return Verdict.objects.filter(suspect=OuterRef("pk"), finding=OuterRef("latest"), undone_at=None)


def _read_by_another(reader_id: int) -> Q:
    firsts = _standing().filter(is_second=False).exclude(said=Said.CANNOT_TELL)
    return Q(Exists(firsts.exclude(made_by=reader_id)))


def _read_twice() -> Q:
    return Q(Exists(_standing().filter(is_second=True)))


def is_second_for(suspect: Suspect, reader_id: int) -> bool:
    """True if this reader would be the second one: somebody else read it, nobody did so a second time. At most one SELECT."""
    if not suspect.wants_second or suspect.state in (SuspectState.OPEN, SuspectState.MERGED):
        return False
    return waiting(suspect.street_id, reader_id).filter(pk=suspect.pk).exists()


def second_readings(street_id: int, reader_id: int) -> set[int]:
    """Suspects that this reader is still to read second: to them these look as if nobody had read them. One SELECT."""
    pending = waiting(street_id, reader_id).filter(wants_second=True).exclude(state=SuspectState.OPEN)
    return set(pending.values_list("pk", flat=True))


def state_shown(suspect: Suspect, is_second: bool) -> str:
    """The state as this reader may know it: a second reader is told nothing of the first verdict."""
    return str(SuspectState.OPEN.label if is_second else suspect.get_state_display())


def rows(street_id: int, reader_id: int) -> tuple[list[Suspect], bool]:
    """The first page of the queue, and whether there is more. One SELECT."""
    found = waiting(street_id, reader_id).select_related("point").defer("geometry")
    kept = list(found[: SHOWN + 1])
    return kept[:SHOWN], len(kept) > SHOWN


def following(suspect: Suspect, reader_id: int, *, size: int = 2) -> list[int]:
    """The next ones to read after this one, round to the beginning at the end. One or two SELECTs."""
    found = waiting(suspect.street_id, reader_id).exclude(pk=suspect.pk)
    later = found.filter(Q(turn__gt=suspect.turn) | Q(turn=suspect.turn, pk__gt=suspect.pk))
    ids = list(later.values_list("pk", flat=True)[:size])
    if len(ids) < size:
        ids += [pk for pk in found.values_list("pk", flat=True)[:size] if pk not in ids][: size - len(ids)]
    return ids


def first(street_id: int, reader_id: int) -> int | None:
    """The first one to read. One SELECT."""
    return waiting(street_id, reader_id).values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two readers said the same, over a street: ``same`` of ``pairs``. Never by person."""

    pairs: int
    same: int

    @property
    def is_shown(self) -> bool:
        return self.pairs >= AGREEMENT_LEAST

    @property
    def percent(self) -> int:
        return round(100 * self.same / self.pairs) if self.pairs else 0


def agreement(street_id: int, at: datetime) -> Agreement:
    """Of the half year. One SELECT."""
    pairs = _twice(street_id, at).values_list("said", "first_said")
    told = list(pairs)
    return Agreement(len(told), sum(one == other for one, other in told))


def disagreed(street_id: int, at: datetime, *, size: int = 10) -> list[Suspect]:
    """Suspects of which two readers said different things and nobody said a last word: newest first. One SELECT."""
    found = _twice(street_id, at).exclude(said=F("first_said")).order_by("-made_at", "-pk").select_related("suspect")
    return [one.suspect for one in found[:size]]


def _twice(street_id: int, at: datetime) -> QuerySet[Any]:
    firsts = Verdict.objects.filter(suspect=OuterRef("suspect"), finding=OuterRef("finding"), is_second=False, undone_at=None)
    seconds = Verdict.objects.filter(
        suspect__street_id=street_id, is_second=True, undone_at=None, made_at__gte=at - AGREEMENT_OVER
    )
    return seconds.annotate(first_said=firsts.values("said")[:1]).filter(first_said__isnull=False)


def verdicts_counted(street_id: int) -> int:
    """Verdicts that tell something of a confidence: first readings that stand, without "cannot tell". One SELECT."""
    return told(street_id).count()


def told(street_id: int) -> QuerySet[Verdict]:
    """First readings that stand, "cannot tell" left out."""
    found = Verdict.objects.filter(suspect__street_id=street_id, is_second=False, undone_at=None)
    return found.exclude(said=Said.CANNOT_TELL)


def still_uncalibrated(verdicts: int) -> int:
    """How many verdicts are missing until a confidence may be called a probability; 0 when there are enough."""
    return max(0, UNCALIBRATED_BELOW - verdicts)


def sayings(suspect: Suspect) -> list[Verdict]:
    """Everything that was said of a suspect, newest first. One SELECT."""
    return list(Verdict.objects.filter(suspect=suspect).select_related("permit").order_by("-id")[:SHOWN])


def own_last(street_id: int, reader_id: int, verdict_id: int) -> Verdict | None:
    """The reader's verdict that can still be taken back. One SELECT."""
    found = Verdict.objects.filter(pk=verdict_id, made_by=reader_id, undone_at=None, suspect__street_id=street_id)
    return found.select_related("suspect").first()
