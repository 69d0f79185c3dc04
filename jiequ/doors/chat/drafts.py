"""Rows of a draft and the draft as a value: read, kept, let go. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, Q, QuerySet

from jiequ.core import pictures

from . import flow
from .flow import State, Sure
from .models import Draft, Piece, Talk, Voice

KEEP = timedelta(hours=48)
"""How long a draft that is not confirmed may be taken up again; then it is gone (docs/retention.md)."""
MEDIA = (flow.Kind.PHOTO, flow.Kind.VOICE)


def talk_with(follower_id: int, language: str) -> Talk:
    """What is remembered of a follower; a first word makes it, in the language it is written in. One or two statements."""
    talk, is_new = Talk.objects.get_or_create(follower_id=follower_id, defaults={"language": language or "zh-hans"})
    if language and not is_new and talk.language != language:
        Talk.objects.filter(pk=talk.pk).update(language=language)
        talk.language = language
    return talk


def language_of(follower_id: int) -> str:
    """The language in which a follower is spoken with. One SELECT."""
    return Talk.objects.filter(pk=follower_id).values_list("language", flat=True).first() or "zh-hans"


def current(follower_id: int, *, target: str, at: datetime) -> Draft | None:
    """The draft a thing is about: the one it names, else the open one, else the last within ``KEEP``. One or two SELECTs."""
    mine = Draft.objects.filter(follower_id=follower_id).prefetch_related("pieces")
    if target:
        return mine.filter(key=target).first()
    recent = list(mine.filter(Q(state=State.OPEN) | Q(touched_at__gte=at - KEEP)).order_by("-touched_at", "-pk")[:5])
    is_open = [row for row in recent if row.state == State.OPEN]
    return next(iter(is_open or recent), None)


def value_of(row: Draft) -> flow.Draft:
    """The row as the flow knows it."""
    pieces = tuple(sorted(map(_piece_of, row.pieces.all()), key=lambda one: (one.at, one.key)))
    return flow.Draft(row.key, State(row.state), pieces, row.touched_at, row.number)


def saying() -> QuerySet[Piece]:
    """The pieces for which a draft (OuterRef) ``says_something``: a scan or a place alone is nothing to be reminded of."""
    return Piece.objects.filter(draft=OuterRef("pk"), kind__in=flow.SAYING)


def _piece_of(row: Piece) -> flow.Piece:
    spot = flow.Spot(row.place_words, row.x, row.y, row.system, Sure(row.sure)) if row.sure else None
    return flow.Piece(flow.Kind(row.kind), row.key, row.at, row.words, row.media_id, spot)


def begin(draft: flow.Draft, *, follower_id: int, language: str, at: datetime) -> Draft:
    """The row of a draft that begins now."""
    touched = draft.touched_at or at
    return Draft.objects.create(key=draft.key, follower_id=follower_id, language=language, began_at=at, touched_at=touched)


def add(row: Draft, piece: flow.Piece) -> Piece | None:
    """Keep a piece; None if its message came before. The draft lives from its latest piece on."""
    spot = piece.spot
    place = {"x": spot.x, "y": spot.y, "system": spot.system, "sure": spot.sure, "place_words": spot.words} if spot else {}
    fetch = Piece.Fetch.WAITING if piece.kind in MEDIA and piece.media_id else Piece.Fetch.NONE
    kept, is_new = Piece.objects.get_or_create(
        key=piece.key,
        defaults={
            "draft": row,
            "kind": piece.kind,
            "at": piece.at,
            "words": piece.words,
            "media_id": piece.media_id,
            "fetch": fetch,
            **place,
        },
    )
    if row.touched_at < piece.at:
        Draft.objects.filter(pk=row.pk, touched_at__lt=piece.at).update(touched_at=piece.at)
    return kept if is_new else None


def hold(draft_id: int, *states: State) -> Draft | None:
    """The draft, if it stands in one of ``states``: nobody else changes it until the transaction ends. UPDATE and SELECT.

    A confirmation and the arrival of the last photo both come here first, so that one of them sees the other.
    """
    if not Draft.objects.filter(pk=draft_id, state__in=states).update(holds=F("holds") + 1):
        return None
    return Draft.objects.prefetch_related("pieces__picture").get(pk=draft_id)


def move(draft_id: int, *, source: Iterable[State], target: State, **values: object) -> bool:
    """One conditional UPDATE of its state; False if it stood elsewhere."""
    return bool(Draft.objects.filter(pk=draft_id, state__in=list(source)).update(state=target, **values))


def let_go(draft_ids: Iterable[int]) -> int:
    """Delete drafts that nobody confirmed, with photos and recordings; returns how many.

    Held first (``hold``): a photo that arrives now is either seen here or finds no draft any more.
    """
    mine = Draft.objects.filter(pk__in=list(draft_ids), state__in=[State.OPEN, State.LAPSED])
    mine.update(holds=F("holds") + 1)
    ids = list(mine.values_list("pk", flat=True))
    pieces = Piece.objects.filter(draft__in=ids)
    kept = [pk for pk in pieces.values_list("picture_id", flat=True) if pk is not None]
    Voice.objects.filter(piece__in=pieces).delete()
    pieces.delete()
    pictures.forget(kept)
    Draft.objects.filter(pk__in=ids).delete()
    return len(ids)
