"""A confirmed draft becomes a report: at once, or when the last of its photos is here."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from jiequ.cases import services as cases
from jiequ.cases.models import Source
from jiequ.core import pictures, secrets
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.jobs import Call
from jiequ.core.models import Picture, Street
from jiequ.grid import queries as grid
from jiequ.people.rules import Actor

from . import drafts, flow, words
from .addresses import SYSTEM, address_of
from .flow import Kind, Say, State
from .models import Draft, Piece, Voice
from .ports import fetch_media
from .reading import only_street

VOICE_PURPOSE = "chat-voice"
PATIENCE = timedelta(minutes=10)
"""How long a confirmed report waits for its photos (P); then it goes without those that did not come."""
MOST_VOICE_BYTES = 2 * 1024 * 1024
Waiting = Piece.Fetch.WAITING


def confirm(row: Draft, *, language: str, at: datetime) -> list[Say]:
    """The resident said yes. Inside the caller's transaction; says the number, or that photos are still on their way."""
    held = drafts.hold(row.pk, State.OPEN, State.LAPSED)
    if held is None:
        return _confirmed_before(row)
    drafts.move(held.pk, source=[State.OPEN, State.LAPSED], target=State.SENDING, confirmed_at=at, language=language)
    held.state, held.confirmed_at, held.language = State.SENDING, at, language
    return report_if_ready(held, at=at) or [Say("sending")]


def _confirmed_before(row: Draft) -> list[Say]:
    row.refresh_from_db()
    return [Say("done_already", {"number": row.number})] if row.state == State.DONE else [Say("sending")]


def report_if_ready(row: Draft, *, at: datetime, is_late: bool = False) -> list[Say]:
    """Open the case, unless a photo is still on its way (``is_late``: it is waited for no longer). ``row``: from ``hold``."""
    pieces = list(row.pieces.all())
    missing = [piece for piece in pieces if piece.kind == Kind.PHOTO and piece.fetch != Piece.Fetch.KEPT]
    if any(piece.fetch == Waiting for piece in pieces) and not is_late:
        return []
    try:
        done, token = _reported(row, pieces, at=at)
    except Refusal as refusal:
        return _not_taken(row, refusal)
    says = [Say("done", {"number": done.case.number, "url": _url(token)})] if token else _confirmed_before(row)
    return says + ([Say("photo_lost")] if missing else []) + ([Say("suspect")] if done.case.is_suspect else [])


def _not_taken(row: Draft, refusal: Refusal) -> list[Say]:
    """The cases would not have it (the only photo was none, say): open to be mended, or taken up again after a newer one."""
    has_newer = Draft.objects.filter(follower_id=row.follower_id, state=State.OPEN).exists()
    drafts.move(row.pk, source=[State.SENDING], target=State.LAPSED if has_newer else State.OPEN, confirmed_at=None)
    return [Say("refused", {"why": str(refusal)})]


def _url(token: str) -> str:
    return settings.BASE_URL + reverse("cases:mine", args=[token])


def _reported(row: Draft, pieces: Sequence[Piece], *, at: datetime) -> tuple[cases.Reported, str]:
    """The case and the private link's token, empty if somebody else was faster: the draft's key is the report's reference."""
    draft = drafts.value_of(row)
    place = place_of(draft)
    address = address_of(row.follower_id)
    account = cases.Account(
        source=Source.RESIDENT,
        words=draft.words or _voice_only(draft, row.language),
        place=place,
        pictures=[piece.picture for piece in pieces if piece.picture is not None],
        contact=cases.Contact(account=address),
        system=SYSTEM,
        source_ref=row.key,
        device=address,
        is_answered=True,
        is_suspect=cases.is_suspect(device=address, address="", place=place, at=at),
    )
    by = Actor.resident(None, language=row.language)
    done = cases.report_case(street_id=only_street(), account=account, by=by, at=at)
    ours = drafts.move(row.pk, source=[State.SENDING], target=State.DONE, report_id=done.report.pk, number=done.case.number)
    if not ours or not done.is_new:
        return done, ""
    _hand_over(row, pieces, done)
    return done, cases.renew_link(done.report, at=at)


def _voice_only(draft: flow.Draft, language: str) -> str:
    is_only = bool(draft.of(Kind.VOICE)) and not draft.of(Kind.PHOTO)
    return words.said([Say("voice_only")], language) if is_only else ""


def place_of(draft: flow.Draft) -> cases.Place:
    """The draft's place as cases take it: the pair as it was sent, with its system."""
    spot = draft.spot
    assert spot is not None
    if spot.x is None or spot.y is None:
        return cases.Place(words=spot.words)
    return cases.Place(spot.x, spot.y, spot.system, words=spot.words)


def _hand_over(row: Draft, pieces: Sequence[Piece], done: cases.Reported) -> None:
    """Photos and recordings belong to the report from now on; the pieces have said what they had to say."""
    if any(piece.kind == Kind.VOICE for piece in pieces):
        Voice.objects.filter(piece__draft=row).update(report_id=done.report.pk, piece=None)
    kept = [piece.picture_id for piece in pieces if piece.picture_id is not None]
    Picture.objects.filter(pk__in=kept).exclude(street_id=done.case.street_id).update(street_id=done.case.street_id)
    Piece.objects.filter(draft=row).delete()


# -- photos and voices -----------------------------------------------------------------------------------------------


Told = Callable[[Draft, list[Say]], None]


@dataclass(frozen=True, slots=True)
class Got:
    """What came of fetching: a photo that passed the door, a voice's bytes, or neither, and where there is one, the reason."""

    photo: pictures.Clean | None = None
    voice: bytes = b""
    why: str = ""


def fetch(piece_id: int, *, at: datetime, told: Told) -> Call | None:
    """Get a piece's file from WeChat and keep it. ``told(draft, says)`` sends what there is to say. One SELECT now."""
    piece = Piece.objects.select_related("draft").filter(pk=piece_id, fetch=Waiting).first()
    if piece is None:
        return None
    kind, media_id, language = Kind(piece.kind), piece.media_id, piece.draft.language
    return Call(lambda: _got(kind, media_id, language), lambda got: lambda: _stored(piece_id, got, at=at, told=told))


def _got(kind: Kind, media_id: str, language: str) -> Got:
    """Outside a transaction; raises what may pass, so that it is tried again."""
    data = fetch_media(media_id)
    if data is None or (kind == Kind.VOICE and len(data) > MOST_VOICE_BYTES):
        return Got()
    if kind == Kind.VOICE:
        return Got(voice=data)
    with translation.override(language):
        try:
            return Got(photo=pictures.clean(io.BytesIO(data)))
        except Refusal as refusal:
            return Got(why=str(refusal))


def _stored(piece_id: int, got: Got, *, at: datetime, told: Told) -> None:
    if got.photo is not None:
        _keep_photo(piece_id, got.photo, at=at, told=told)
    elif got.voice:
        _keep_voice(piece_id, got.voice, at=at, told=told)
    else:
        lose(piece_id, at=at, told=told, why=got.why)


def _keep_photo(piece_id: int, clean: pictures.Clean, *, at: datetime, told: Told) -> None:
    with writing():
        if (row := _hold_of(piece_id)) is None:
            return
        picture = pictures.keep(clean, street_id=_street_of(row), at=at)
        Piece.objects.filter(pk=piece_id).update(picture=picture, fetch=Piece.Fetch.KEPT)
        _go_on(row, at=at, told=told)


def _keep_voice(piece_id: int, data: bytes, *, at: datetime, told: Told) -> None:
    with writing():
        if (row := _hold_of(piece_id)) is None:
            return
        sealed = secrets.seal(base64.b64encode(data).decode(), VOICE_PURPOSE)
        Voice.objects.create(piece_id=piece_id, sound_sealed=sealed, at=at)
        Piece.objects.filter(pk=piece_id).update(fetch=Piece.Fetch.KEPT)
        _go_on(row, at=at, told=told)


def lose(piece_id: int, *, at: datetime, told: Told, why: str = "") -> None:
    """The file cannot be had, or is no photo: its sender is told, once, and the report does without it."""
    with writing():
        if (row := _hold_of(piece_id)) is None:
            return
        Piece.objects.filter(pk=piece_id).delete()
        told(row, [Say("refused", {"why": why}) if why else Say("photo_lost")])
        _go_on(row, at=at, told=told)


def _hold_of(piece_id: int) -> Draft | None:
    """The draft of a piece that still waits, held; None if the piece or the draft is gone."""
    draft_id = Piece.objects.filter(pk=piece_id, fetch=Waiting).values_list("draft_id", flat=True).first()
    held = drafts.hold(draft_id, State.OPEN, State.LAPSED, State.SENDING) if draft_id else None
    return held if held and any(piece.pk == piece_id and piece.fetch == Waiting for piece in held.pieces.all()) else None


def _go_on(row: Draft, *, at: datetime, told: Told) -> None:
    """The report of a confirmed draft whose last photo this was."""
    if row.state == State.SENDING:
        fresh = Draft.objects.prefetch_related("pieces__picture").get(pk=row.pk)
        if says := report_if_ready(fresh, at=at):
            told(fresh, says)


def send_late(*, at: datetime, told: Told) -> int:
    """Confirmed drafts whose photos did not come in time are reported without them; returns how many."""
    late = Draft.objects.filter(state=State.SENDING, confirmed_at__lt=at - PATIENCE).order_by("confirmed_at")
    sent = 0
    for draft_id in list(late.values_list("pk", flat=True)[:100]):
        with writing():
            if (row := drafts.hold(draft_id, State.SENDING)) is not None:
                told(row, report_if_ready(row, at=at, is_late=True))
                sent += 1
    return sent


def _street_of(row: Draft) -> int:
    """Whose photo it is for now: the street of the place, as far as it is known."""
    draft = drafts.value_of(row)
    if draft.spot is not None and draft.spot.x is not None:
        spot = grid.locate(*cases.canonical(place_of(draft)))
        if spot is not None:
            return spot.street_id
    return Street.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)[0]
