"""What a message in the chat does: one turn of the conversation, in one transaction, with one answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists
from django.utils import translation

from jiequ.cases.models import Report
from jiequ.channels.queries import resident_hears_at
from jiequ.core import throttle
from jiequ.core.db import writing
from jiequ.core.errors import Throttled
from jiequ.core.ids import new_token
from jiequ.core.jobs import JobSpec, enqueue

from . import answers, drafts, flow, meaning, reading, reporting, words
from .flow import Act, Kind, Say, State, Thing
from .models import Draft, Piece, Talk, Voice
from .ports import say
from .words import offered_words

MESSAGES, PER_SECONDS = 60, 600
"""As many messages of a follower are taken in ten minutes (P); what comes above is not, which is said once."""
REMIND_UNTIL = timedelta(hours=47)
"""WeChat lets us speak for 48 hours after somebody's last message; a reminder goes well before."""
KEEP_DONE = timedelta(days=7)
"""A confirmation that is tapped again is answered with the number for so long; repeats are told by the report itself."""
FETCH = "chat.fetch"
AT_ONCE = 100


def take(thing: Thing, *, follower_id: int, person_id: int | None = None, at: datetime) -> None:
    """One message or event of a follower: keep what belongs to their report, and answer once.

    ``person_id``: the staff member the follower is bound to. A repeat of the same thing changes and says nothing new.
    """
    if thing.kind == Kind.LEAVE:
        return leave(follower_id, at=at)
    if thing.kind == Kind.OTHER:
        return None
    if not _has_turn(follower_id, at):
        spell = int(at.timestamp()) // PER_SECONDS
        language = drafts.language_of(follower_id)
        return tell(follower_id, [Say("busy")], key=f"chat:busy:{follower_id}:{spell}", language=language, at=at)
    with writing():
        talk = drafts.talk_with(follower_id, meaning.language_of(thing.words) if thing.kind == Kind.WORDS else "")
        row = drafts.current(follower_id, target=thing.target, at=at)
        draft = drafts.value_of(row) if row else None
        turn = flow.turn(draft, thing, limits(), is_noticed=talk.noticed_at is not None, new_key=new_token()[:24])
        says = [*(_offering(one, turn.draft, talk.language) for one in turn.says), *_acted(turn, row, talk, at=at)]
        if turn.ask is not None:
            says += answers.answer(turn.ask, follower_id=follower_id, person_id=person_id, language=talk.language, at=at)
        if any(one.name == "notice" for one in says):
            Talk.objects.filter(pk=talk.pk).update(noticed_at=at)
        tell(follower_id, says, key=f"chat:{thing.key}", language=talk.language, at=at)


def _offering(one: Say, draft: flow.Draft | None, language: str) -> Say:
    """The places that the words name, beside the question where it is, and beside a point that was sent elsewhere."""
    if draft is None or one.name not in ("where_is_it", "summary"):
        return one
    with translation.override(language):
        found = [(spot.value, offered_words(spot)) for spot in reading.offers(draft.words, draft.spot)]
    return replace(one, facts={**one.facts, "offers": found}) if found else one


def limits() -> flow.Limits:
    """What an installation allows a draft."""
    return flow.Limits(window=timedelta(minutes=settings.CHAT_WINDOW_MINUTES))


def _has_turn(follower_id: int, at: datetime) -> bool:
    try:
        throttle.take(throttle.bucket("chat", follower_id), capacity=MESSAGES, per_seconds=PER_SECONDS, at=at)
    except Throttled:
        return False
    return True


def _acted(turn: flow.Turn, row: Draft | None, talk: Talk, *, at: datetime) -> list[Say]:
    """Do what the turn asks for; what there is to say of it."""
    if turn.act in (Act.KEEP, Act.FRESH):
        _keep(turn, row, talk, at=at)
    elif row is None:
        return []
    elif turn.act == Act.RESUME:
        drafts.move(row.pk, source=[State.LAPSED, State.OPEN], target=State.OPEN, touched_at=at, reminded_at=None)
    elif turn.act == Act.DROP:
        drafts.let_go([row.pk])
    elif turn.act == Act.SEND:
        return reporting.confirm(row, language=talk.language, at=at)
    return []


def _keep(turn: flow.Turn, row: Draft | None, talk: Talk, *, at: datetime) -> None:
    """Store the piece, with the draft it begins; a photo or a voice is fetched from now on."""
    assert turn.draft is not None
    assert turn.piece is not None
    if turn.act == Act.FRESH and row is not None:
        drafts.move(row.pk, source=[State.OPEN], target=State.LAPSED)
    if row is None or turn.draft.key != row.key:
        row = drafts.begin(turn.draft, follower_id=talk.follower_id, language=talk.language, at=at)
    kept = drafts.add(row, turn.piece)
    if kept is not None and kept.fetch == Piece.Fetch.WAITING:
        enqueue(JobSpec(FETCH, {"piece_id": kept.pk}, run_at=at, key=f"{FETCH}:{kept.pk}"))


def tell(follower_id: int, says: list[Say], *, key: str, language: str, at: datetime) -> None:
    """One message to a follower, if there is anything to say; the same key is sent once."""
    known = [replace(one, facts={**answers.standing_facts(one.name), **one.facts}) for one in says]
    if text := words.said(known, language):
        say(follower_id=follower_id, text=text, choices=words.choices(says, language), key=key, at=at)


def leave(follower_id: int, *, at: datetime) -> None:
    """The follower is gone: what they had not confirmed goes, and that we ever spoke. What they confirmed is reported."""
    with writing():
        waiting = Draft.objects.filter(follower_id=follower_id, state__in=[State.OPEN, State.LAPSED])
        drafts.let_go(waiting.values_list("pk", flat=True))
        Talk.objects.filter(pk=follower_id).delete()


# -- time passes -----------------------------------------------------------------------------------------------------


def lapse(*, at: datetime) -> int:
    """Drafts whose window is over lapse; their followers are reminded once, in the hours in which a phone may ring."""
    over = Draft.objects.filter(touched_at__lt=at - limits().window)
    over.filter(state=State.OPEN).update(state=State.LAPSED)
    if resident_hears_at(at) > at:
        return 0
    waiting = over.filter(Exists(drafts.saying()), state=State.LAPSED, reminded_at=None, touched_at__gte=at - REMIND_UNTIL)
    return sum(_remind(row, at=at) for row in list(waiting.order_by("touched_at")[:AT_ONCE]))


def _remind(row: Draft, *, at: datetime) -> bool:
    with writing():
        if not Draft.objects.filter(pk=row.pk, state=State.LAPSED, reminded_at=None).update(reminded_at=at):
            return False
        tell(row.follower_id, [Say("reminder")], key=f"chat:reminder:{row.key}", language=row.language, at=at)
    return True


def forget(*, at: datetime) -> int:
    """Drafts that nobody took up again within ``drafts.KEEP`` are deleted, with their photos; returns how many."""
    old = Draft.objects.filter(touched_at__lt=at - drafts.KEEP, state__in=[State.OPEN, State.LAPSED])
    with writing():
        return drafts.let_go(list(old.order_by("touched_at").values_list("pk", flat=True)[:AT_ONCE]))


def forget_done(*, at: datetime) -> int:
    """Recordings go with the words of their report; what a draft that is done remembers goes after ``KEEP_DONE``."""
    with writing():
        Voice.objects.filter(report_id__in=Report.objects.filter(device_blind="", words="").values("pk")).delete()
        old = Draft.objects.filter(state=State.DONE, touched_at__lt=at - KEEP_DONE)
        return old.delete()[0]
