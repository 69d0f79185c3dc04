"""What the pages in WeChat go by: scenes of QR codes, the files that prove a domain. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

SECRET_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
SECRET_LENGTH = 40
BIND_LIFE = timedelta(minutes=10)
BIND_PREFIX = "bind-"
MOST_PERMANENT = 100_000
"""Permanent codes an account may have (WECHAT.md §1)."""
_SPOT = re.compile(r"^(gp|mp):([1-9][0-9]{0,17})$")
_BIND = re.compile(rf"^{BIND_PREFIX}([{SECRET_LETTERS}]{{{SECRET_LENGTH}}})$")
_FILE = re.compile(r"^(?:MP|WW)_verify_([A-Za-z0-9]{1,64})\.txt$")


class Spot(StrEnum):
    """What a plate stands on: a unit grid, a monitoring point."""

    GRID = "gp"
    POINT = "mp"


class BindState(StrEnum):
    """How far the tying of a WeChat to somebody on the roster is."""

    SHOWN = "shown"
    SCANNED = "scanned"
    SAID = "said"
    BOUND = "bound"
    REFUSED = "refused"
    ENDED = "ended"


OPEN_STATES = (BindState.SHOWN, BindState.SCANNED, BindState.SAID)


def scene_of(spot: Spot, row_id: int) -> str:
    """The permanent scene of a plate: ``gp:17``."""
    return f"{spot}:{row_id}"


def spot_of(scene: str) -> tuple[Spot, int] | None:
    """Which plate was scanned; None for a scene that is no plate's."""
    found = _SPOT.match(scene)
    return (Spot(found[1]), int(found[2])) if found else None


def bind_secret_of(scene: str) -> str:
    """The secret in a one-time scene of the roster; empty for any other scene."""
    found = _BIND.match(scene)
    return found[1] if found else ""


def scene_of_event(event: str, key: str) -> str:
    """The scene that came with an event: a follower's ``scan`` names it, a new follower's ``subscribe`` after ``qrscene_``."""
    if event == "scan":
        return key
    return key.removeprefix("qrscene_") if event == "subscribe" and key.startswith("qrscene_") else ""


def verify_files(names: Iterable[str]) -> dict[str, str]:
    """Each file's content by its name: ``MP_verify_AbC.txt`` holds ``AbC``. ValueError names one that is no such file."""
    found = {}
    for name in names:
        match = _FILE.match(name)
        if match is None:
            raise ValueError(name)
        found[name] = match[1]
    return found
