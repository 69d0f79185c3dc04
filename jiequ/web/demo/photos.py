"""The demonstration's photos, drawn once and one a job: a tenth of a second each, which would add up within a job of cases."""

from __future__ import annotations

from datetime import datetime

from jiequ.core import pictures as door
from jiequ.core.db import writing
from jiequ.core.models import Picture, Street

from . import pictures

SCENES = [(kind, is_after, number) for kind in pictures.KINDS for is_after in (False, True) for number in range(3)]
"""Every photo there is: what of, before or after, which of three. Cases share them."""
_SETTING = "demo_pictures"

Scene = tuple[str, bool, int]


def kept(street: Street) -> dict[Scene, int]:
    """The photos that are kept already, by scene: the street remembers their ids. One SELECT."""
    held = street.settings.get(_SETTING, {})
    there = set(Picture.objects.filter(pk__in=held.values()).values_list("pk", flat=True))
    return {scene: held[name_of(scene)] for scene in SCENES if held.get(name_of(scene)) in there}


def keep(street: Street, scene: Scene, *, at: datetime) -> int:
    """Draw a photo and keep it, once; its id."""
    kind, is_after, number = scene
    clean = pictures.scene(kind, is_after=is_after, number=number)
    with writing():
        known = Picture.objects.filter(street_id=street.pk, sha256=clean.sha256).order_by("pk").first()
        picture_id = int((known or door.keep(clean, street_id=street.pk, at=at)).pk)
    while not _is_remembered(street, scene, picture_id):
        street.refresh_from_db(fields=["settings"])
    return picture_id


def _is_remembered(street: Street, scene: Scene, picture_id: int) -> bool:
    """Written over nothing but what was read: another photo, or somebody's rules, may have been stored meanwhile."""
    held = street.settings
    more = held | {_SETTING: {**held.get(_SETTING, {}), name_of(scene): picture_id}}
    if Street.objects.filter(pk=street.pk, settings=held).update(settings=more) != 1:
        return False
    street.settings = more
    return True


def name_of(scene: Scene) -> str:
    """A scene's name in the street's settings."""
    kind, is_after, number = scene
    return f"{kind}-{int(is_after)}-{number}"
