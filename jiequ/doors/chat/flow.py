"""The conversation that makes a report, as values: a draft and an incoming thing give the new draft and what to say.

Pieces may come in any order and twice: a draft is the set of its pieces, told apart by the message they came in and put in
the order in which they were sent, so every order of arrival ends in the same draft. Nothing of Django.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from . import meaning as means
from .meaning import Command, Meaning


class Kind(StrEnum):
    """What came in; the first four make a report."""

    PHOTO = "photo"
    WORDS = "words"
    VOICE = "voice"
    PLACE = "place"
    VIDEO = "video"
    MENU = "menu"  # a button of the account's menu, or an answer that was offered to be tapped
    SCAN = "scan"  # of a plate: its place is kept, and answered by who looks after plates
    FOLLOW = "follow"
    LEAVE = "leave"
    OTHER = "other"


SAYING = (Kind.PHOTO, Kind.VOICE, Kind.WORDS)  # a place alone tells where, not what


class Sure(StrEnum):
    """How well a place is known: named somewhere in the words, written as the place, sent as a point or scanned off a plate."""

    GUESSED = "1"
    WRITTEN = "2"
    SENT = "3"


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as it was told. ``x``, ``y`` in ``system``, None for mere words; ``is_ours``: False outside our grids."""

    words: str = ""
    x: float | None = None
    y: float | None = None
    system: str = "gcj02"
    sure: Sure = Sure.SENT
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class Thing:
    """One message or event. ``key`` tells its repeat; ``at`` is when it was sent; ``spot`` also where words name a place."""

    kind: Kind
    key: str
    at: datetime
    words: str = ""
    media_id: str = ""
    spot: Spot | None = None
    command: Command | None = None
    target: str = ""  # the draft a tapped answer was offered for


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a report: the thing it came in, kept."""

    kind: Kind
    key: str
    at: datetime
    words: str = ""
    media_id: str = ""
    spot: Spot | None = None


class State(StrEnum):
    """Where a draft stands. ``sending``: confirmed, its photos are still being fetched; ``done``: it is a case."""

    OPEN = "open"
    LAPSED = "lapsed"
    SENDING = "sending"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Draft:
    """A report that is being told."""

    key: str
    state: State = State.OPEN
    pieces: tuple[Piece, ...] = ()
    touched_at: datetime | None = None
    number: str = ""  # of the case, once it is one

    def of(self, kind: Kind) -> tuple[Piece, ...]:
        """Its pieces of one kind, in the order in which they were sent."""
        return tuple(piece for piece in self.pieces if piece.kind == kind)

    @property
    def words(self) -> str:
        """Everything that was written or understood of what was said, a line each."""
        return "\n".join(piece.words for piece in self.pieces if piece.words and piece.kind in (Kind.WORDS, Kind.VOICE))

    @property
    def spot(self) -> Spot | None:
        """The place: the surest, of equally sure ones the last."""
        told = [piece for piece in self.pieces if piece.spot is not None and piece.spot.is_ours]
        best = max(told, key=lambda piece: (piece.spot.sure if piece.spot else "", piece.at, piece.key), default=None)
        return best.spot if best else None

    @property
    def says_something(self) -> bool:
        """True with a photo, a voice or words."""
        return any(piece.kind in SAYING for piece in self.pieces)

    @property
    def is_enough(self) -> bool:
        """True if it can be a report."""
        return self.says_something and self.spot is not None

    def with_piece(self, piece: Piece) -> Draft:
        """The draft and this piece; unchanged by one that it holds."""
        pieces = {one.key: one for one in (*self.pieces, piece)}
        order = tuple(sorted(pieces.values(), key=lambda one: (one.at, one.key)))
        return replace(self, pieces=order, touched_at=max(self.touched_at or piece.at, piece.at))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a street allows a draft: how long it stays open, and how much it holds."""

    window: timedelta = timedelta(minutes=30)
    most_photos: int = 9
    most_voices: int = 5
    most_words: int = 1800


class Act(StrEnum):
    """What is to be done with the draft."""

    NONE = "none"
    KEEP = "keep"  # the piece belongs to the draft (a new one, where there was none)
    FRESH = "fresh"  # the draft lapses, the piece begins another
    RESUME = "resume"
    SEND = "send"
    DROP = "drop"
    LEAVE = "leave"  # the follower is gone: nothing is kept, nothing said


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence by its name (words.py has the words), with its facts."""

    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """The answer to a thing: the draft as it is now (None: there is none), what is to be done, what to say.

    ``ask``: a question that the shell answers from its books (progress, lists), with its number.
    """

    draft: Draft | None
    act: Act = Act.NONE
    says: tuple[Say, ...] = ()
    piece: Piece | None = None
    ask: Meaning | None = None


def turn(draft: Draft | None, thing: Thing, limits: Limits, *, is_noticed: bool, new_key: str) -> Turn:
    """What one thing does. ``draft``: the follower's open, lapsed, sending or last done one.

    ``new_key``: of a draft that begins now. ``is_noticed``: the follower has read who keeps what and how long.
    """
    if thing.kind == Kind.LEAVE:
        return Turn(None, Act.LEAVE)
    if thing.kind == Kind.FOLLOW:
        return Turn(draft, says=(Say("welcome"),))
    meaning = _meaning(thing)
    if meaning is not None:
        return _command(draft, thing, meaning, limits)
    if thing.kind in (Kind.VIDEO, Kind.OTHER, Kind.MENU):
        return Turn(draft, says=(Say("no_video" if thing.kind == Kind.VIDEO else "help"),))
    return _told(draft, thing, limits, is_noticed=is_noticed, new_key=new_key)


def _meaning(thing: Thing) -> Meaning | None:
    if thing.command is not None:
        return Meaning(thing.command)
    return means.meaning_of(thing.words) if thing.kind == Kind.WORDS else None


# -- commands --------------------------------------------------------------------------------------------------------


def _command(draft: Draft | None, thing: Thing, meaning: Meaning, limits: Limits) -> Turn:
    command = meaning.command
    if command == Command.CONFIRM:
        return _confirm(draft, thing)
    if command == Command.CANCEL:
        return _cancel(draft, thing)
    if command == Command.RESUME:
        return _resume(draft)
    if command in (Command.HELP, Command.PRIVACY, Command.SUGGEST):
        return Turn(draft, says=(Say(command.value),))
    if command == Command.REPORT:
        is_open = draft is not None and draft.state == State.OPEN and not _has_lapsed(draft, thing, limits)
        return Turn(draft, says=(what_now(draft) if draft and is_open else Say("how_to_report"),))
    return Turn(draft, ask=meaning)


def _confirm(draft: Draft | None, thing: Thing) -> Turn:
    if said := _closed_to(draft, thing, "nothing_to_confirm"):
        return Turn(draft, says=(said,))
    assert draft is not None
    if not draft.is_enough:
        return Turn(draft, says=(what_now(draft),))
    return Turn(replace(draft, state=State.SENDING), Act.SEND)


def _closed_to(draft: Draft | None, thing: Thing, nothing: str) -> Say | None:
    """What is said to a yes or a no that comes for no draft (``nothing``) or too late; None if it may still be either."""
    if draft is None or (thing.target and thing.target != draft.key):
        return Say(nothing)
    if draft.state == State.DONE:
        return Say("done_already", {"number": draft.number})
    return Say("sending") if draft.state == State.SENDING else None


def _too_late(draft: Draft | None, thing: Thing) -> Say | None:
    """What is said to an offered place that is tapped when its draft is no longer being told."""
    if said := _closed_to(draft, thing, "nothing_to_confirm"):
        return said
    return Say("reminder") if draft is not None and draft.state == State.LAPSED else None


def _cancel(draft: Draft | None, thing: Thing) -> Turn:
    if said := _closed_to(draft, thing, "nothing_to_cancel"):
        return Turn(draft, says=(said,))
    return Turn(None, Act.DROP, (Say("cancelled"),))


def _resume(draft: Draft | None) -> Turn:
    if draft is None or draft.state not in (State.OPEN, State.LAPSED):
        return Turn(draft, says=(Say("how_to_report"),))
    opened = replace(draft, state=State.OPEN)
    return Turn(opened, Act.RESUME, (what_now(opened),))


# -- telling ---------------------------------------------------------------------------------------------------------


def _told(draft: Draft | None, thing: Thing, limits: Limits, *, is_noticed: bool, new_key: str) -> Turn:
    if thing.target and (late := _too_late(draft, thing)):
        return Turn(draft, says=(late,))
    says = [Say("emergency")] if means.is_emergency(thing.words) else []
    open_draft = draft if draft is not None and draft.state == State.OPEN else None
    lapses = open_draft is not None and _has_lapsed(open_draft, thing, limits)
    if thing.spot is not None and not thing.spot.is_ours and thing.kind == Kind.PLACE:
        return Turn(draft, says=(*says, Say("not_ours" if thing.spot.x is not None else "which_place")))
    if open_draft is None and thing.kind == Kind.WORDS and not says and not means.may_begin(thing.words):
        return Turn(draft, says=(Say("help"),))
    current = Draft(new_key) if open_draft is None or lapses else open_draft
    if refused := _too_much(current, thing, limits):
        return Turn(draft, says=(*says, refused))
    if not current.pieces and not is_noticed:
        says.append(Say("notice"))
    if lapses:
        says.append(Say("began_anew"))
    is_scan = thing.kind == Kind.SCAN
    piece = Piece(Kind.PLACE if is_scan else thing.kind, thing.key, thing.at, thing.words, thing.media_id, thing.spot)
    after = current.with_piece(piece)
    said = () if is_scan else (*says, what_now(after))
    return Turn(after, Act.FRESH if lapses else Act.KEEP, said, piece)


def _has_lapsed(draft: Draft, thing: Thing, limits: Limits) -> bool:
    return draft.touched_at is not None and thing.at - draft.touched_at > limits.window


def _too_much(draft: Draft, thing: Thing, limits: Limits) -> Say | None:
    if any(piece.key == thing.key for piece in draft.pieces):
        return None
    if thing.kind == Kind.PHOTO and len(draft.of(Kind.PHOTO)) >= limits.most_photos:
        return Say("too_many_photos", {"most": limits.most_photos})
    if thing.kind == Kind.VOICE and len(draft.of(Kind.VOICE)) >= limits.most_voices:
        return Say("too_many_voices", {"most": limits.most_voices})
    if len(draft.words) + len(thing.words) > limits.most_words:
        return Say("too_many_words", {"most": limits.most_words})
    return None


def what_now(draft: Draft) -> Say:
    """The one short question that is still open, else the summary to be confirmed."""
    facts = {
        "photos": len(draft.of(Kind.PHOTO)),
        "voices": len(draft.of(Kind.VOICE)),
        "words": draft.words,
        "place": draft.spot.words if draft.spot else "",
        "is_guessed": draft.spot is not None and draft.spot.sure == Sure.GUESSED,
        "draft": draft.key,
    }
    if not draft.says_something:
        return Say("what_is_it", facts)
    return Say("summary" if draft.is_enough else "where_is_it", facts)
