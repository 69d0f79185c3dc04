"""A picture by a link or in a chat is cleaned like one that is uploaded (RELIABILITY row 18), counted door by door."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiequ.core import outgoing, picture_files, pictures
from jiequ.core.outgoing import Answer
from jiequ.doors.chat import reporting
from jiequ.doors.chat.flow import Kind
from jiequ.doors.open311.services import media
from tests.actors import NOW, World
from tests.casework import Casework, make_condition
from tests.hostile.picture_files import CANARY, Hostile, _with_metadata
from tests.hostile.test_pictures import traces

pytestmark = pytest.mark.django_db
FILES = [one for one in _with_metadata() if not one.name.startswith("turned-")]
Door = Callable[[bytes], pictures.Clean | None]


@pytest.fixture
def doors(world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Door]:
    """Every way by which a stranger's picture comes in; each gives what was stored of it."""
    settings.MEDIA_ROOT = tmp_path
    report = Casework(world, make_condition()).reported().report

    def uploaded(data: bytes) -> pictures.Clean | None:
        return pictures.clean(io.BytesIO(data))

    def sent_in_chat(data: bytes) -> pictures.Clean | None:
        monkeypatch.setattr(reporting, "fetch_media", lambda _media_id: data)
        return reporting._got(Kind.PHOTO, "m", "zh-hans").photo

    def by_link(data: bytes) -> pictures.Clean | None:
        monkeypatch.setattr(outgoing, "fetch", lambda *_given, **_more: Answer(200, {}, data))
        kept: list[pictures.Clean] = []
        monkeypatch.setattr(media, "_kept", lambda _wanted, clean, _at: kept.append(clean))
        wanted = media.ask(report, "https://photos.example/1.jpg", at=NOW)
        store = media.fetched(wanted.pk, at=NOW)
        assert store is not None
        store()
        return kept[0] if kept else None

    return {"uploaded": uploaded, "sent in the chat": sent_in_chat, "by link": by_link}


def remains(clean: pictures.Clean) -> list[str]:
    """What is left beside the pixels in the files that are served."""
    found = []
    for variant in picture_files.Variant:
        data = picture_files.place(clean.sha256, variant).read_bytes()
        found += [*traces(data), *(["canary"] if CANARY in data else [])]
    return found


def test_nothing_but_pixels_comes_in_by_any_door(doors: dict[str, Door]) -> None:
    found: dict[str, list[Any]] = {name: [] for name in doors}
    for name, door in doors.items():
        for file in FILES:
            clean = door(file.data)
            assert clean is not None, (name, file.name)
            found[name] += remains(clean)
    print(f"{len(FILES)} files by {len(doors)} doors")
    assert found == {"uploaded": [], "sent in the chat": [], "by link": []}
    assert len(FILES) >= 12


def test_a_door_that_keeps_the_bytes_it_got_would_be_seen(doors: dict[str, Door]) -> None:
    """The broken twin: what a door stored is the file as it came."""
    hidden: Hostile = next(one for one in FILES if one.name == "gps.JPEG")
    for door in doors.values():
        clean = door(hidden.data)
        assert clean is not None
        for variant in picture_files.Variant:
            picture_files.place(clean.sha256, variant).write_bytes(hidden.data)
        assert {"Exif", "canary"} <= set(remains(clean))
