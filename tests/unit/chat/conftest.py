"""A chat with what it says written down, and WeChat's files on a shelf."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from PIL import Image

from jiequ.core import jobs
from jiequ.doors.chat import ports, reading, reporting, services
from jiequ.doors.chat.flow import Kind, Spot, Thing
from jiequ.doors.chat.models import Draft
from jiequ.grid import queries as grid
from tests.actors import NOW, World

ZHOU, OTHER = 17, 18


def jpeg(colour: str = "#5c6b57") -> bytes:
    """A small photo."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Chat:
    """One account's chats: who says what, and what came back."""

    world: World
    said: list[dict[str, Any]] = field(default_factory=list)
    shelf: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def does(self, thing: Thing, who: int = ZHOU, person_id: int | None = None) -> str:
        """A thing arrives; what the account answers to it, empty if nothing."""
        before = len(self.said)
        services.take(thing, follower_id=who, person_id=person_id, at=thing.at)
        return "\n".join(one["text"] for one in self.said[before:])

    def says(self, text: str, who: int = ZHOU, at: datetime = NOW, person_id: int | None = None) -> str:
        return self.does(reading.told(Thing(Kind.OTHER, f"m{next(self.numbers)}", at), text), who, person_id)

    def photo(self, who: int = ZHOU, at: datetime = NOW, data: Any = None) -> str:
        media = f"media{next(self.numbers)}"
        self.shelf[media] = jpeg() if data is None else data
        return self.does(Thing(Kind.PHOTO, f"m{next(self.numbers)}", at, media_id=media), who)

    def voice(self, words: str = "", who: int = ZHOU, at: datetime = NOW) -> str:
        media = f"media{next(self.numbers)}"
        self.shelf[media] = b"#!AMR\nsound"
        return self.does(Thing(Kind.VOICE, f"m{next(self.numbers)}", at, words=words, media_id=media), who)

    def taps(self, label: str, who: int = ZHOU, at: datetime = NOW) -> str:
        """A tap on an answer that was offered last, by words that stand in it."""
        offered = [one for one in self.said[-1]["choices"] if label in one[1]]
        assert offered, self.said[-1]
        fields = {"Content": offered[0][1], "bizmsgmenuid": offered[0][0]}
        return self.does(reading._text(Thing(Kind.OTHER, f"m{next(self.numbers)}", at), fields), who)

    def place(self, grid: str = "a", who: int = ZHOU, at: datetime = NOW) -> str:
        lon, lat = self.world.point_in(grid)
        spot = Spot("鹭溪河桥", lon, lat, "cgcs2000")
        return self.does(Thing(Kind.PLACE, f"m{next(self.numbers)}", at, spot=spot), who)

    def work(self, at: datetime = NOW, limit: int = 50) -> str:
        """The worker's turn; what was said in it."""
        before = len(self.said)
        jobs.work_once(at=at, limit=limit)
        return "\n".join(one["text"] for one in self.said[before:])

    def draft(self, who: int = ZHOU) -> Draft:
        return Draft.objects.filter(follower_id=who).latest("pk")


@pytest.fixture
def chat(world: World, monkeypatch: pytest.MonkeyPatch) -> Chat:
    found = Chat(world)
    world.other_street.is_active = False
    world.other_street.save(update_fields=["is_active"])

    def say(**words: Any) -> None:
        if all(one["key"] != words["key"] for one in found.said):
            found.said.append(words)

    def fetch_media(media_id: str) -> bytes | None:
        data = found.shelf[media_id]
        if isinstance(data, Exception):
            raise data
        return data  # type: ignore[no-any-return]

    monkeypatch.setattr(services, "say", say)
    monkeypatch.setattr(ports, "say", say)
    monkeypatch.setattr(reporting, "fetch_media", fetch_media)
    grid.forget()
    return found
