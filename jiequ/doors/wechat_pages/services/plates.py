"""Plates to print: a sheet is asked for, made by a job, and fetched by whoever asked for it, for a day.

Where an official account is configured a plate carries its permanent code (one for a scene, for ever; an account has 100,000);
where none is, the address of the report page. Either way a scan opens that page with the place filled in.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from jiequ.channels.client import ApiError
from jiequ.channels.wechat.services import make_scene
from jiequ.core import audit
from jiequ.core.bulk import store
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.ids import new_token
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.grid import queries as grid
from jiequ.grid.access import may_read
from jiequ.grid.queries import Plate
from jiequ.people.access import actor_for
from jiequ.people.rules import Actor

from .. import config
from ..models import PlateCode, Sheet
from ..rules import MOST_PERMANENT, Spot, scene_of

log = logging.getLogger(__name__)
MAKE = "wechat_pages.sheet"
LIVES, REMEMBERED = timedelta(hours=24), timedelta(days=30)
MOST_PLATES = 2000
MOST_WAITING = 3
FULL = 45029
Made = tuple[Plate, str, str]
"""A plate, what its code says, and the address printed beneath it."""


def ask(*, street_id: int, community_id: int | None, by: Actor, at: datetime) -> Sheet:
    """Ask for the plates of a community's unit grids, or of the street's monitoring points. Refusal for none, or too many."""
    if not may_read(by, street_id) or by.person_id is None:
        raise Forbidden("not_your_map", _("您的岗位不能打印这个街道的号牌。"))
    if community_id is not None and not grid.communities(street_id).filter(pk=community_id).exists():
        raise NotFound("no_such_community", _("没有这个社区，请重新选择。"))
    count = len(grid.plates_of(street_id, community_id=community_id))
    if not 0 < count <= MOST_PLATES:
        sentence = _("没有号牌可印，或者一次超过 %(n)d 块。") % {"n": MOST_PLATES}
        raise Refusal("no_plates", sentence, facts={"limit": MOST_PLATES})
    if own(by).filter(state=Sheet.State.WAITING).count() >= MOST_WAITING:
        raise Refusal("too_many_sheets", _("您已有 %(n)d 份号牌在制作，请等它们做完。") % {"n": MOST_WAITING})
    sheet = Sheet(key=new_token(), street_id=street_id, community_id=community_id, person_id=by.person_id, language=by.language)
    sheet.plates, sheet.asked_at, sheet.ends_at = count, at, at + LIVES
    with writing():
        store([sheet])
        _record("plates.asked", sheet, by, at)
        enqueue(JobSpec(MAKE, {"sheet_id": sheet.pk}, run_at=at, key=f"{MAKE}:{sheet.pk}", street_id=street_id))
    return sheet


def own(by: Actor) -> QuerySet[Sheet]:
    """The sheets somebody asked for."""
    return Sheet.objects.filter(person_id=by.person_id or 0)


def codes_used() -> int:
    """How many permanent codes of the account's 100,000 stand on plates."""
    return PlateCode.objects.count()


def make(sheet_id: int, *, at: datetime) -> Callable[[], None] | None:
    """Make the file (again, if a worker died over it); hands back what marks it as ready. A job, outside a transaction."""
    sheet = Sheet.objects.select_related("person", "street").filter(pk=sheet_id).first()
    if sheet is None or sheet.state != Sheet.State.WAITING:
        return None
    try:
        _still_may(sheet, at)
        plates = grid.plates_of(sheet.street_id, community_id=sheet.community_id)[:MOST_PLATES]
        made = list(zip(plates, _codes(plates, at), _addresses(plates), strict=True))
    except Refusal as refusal:
        code = refusal.code
        return lambda: fail(sheet_id, code)
    path = file_of(sheet)
    _write(sheet, made, path)
    count, size = len(made), path.stat().st_size
    return lambda: _ready(sheet_id, count, size)


def _still_may(sheet: Sheet, at: datetime) -> None:
    """Whoever asked is still here and may still read the map."""
    if not sheet.person.is_active or not may_read(actor_for(sheet.person, at=at), sheet.street_id):
        raise Forbidden("not_your_map", "")


def _addresses(plates: Sequence[Plate]) -> list[str]:
    return [settings.BASE_URL + reverse("grid:plate", args=[plate.code]) for plate in plates]


def _codes(plates: Sequence[Plate], at: datetime) -> list[str]:
    """What each plate's code says. Permanent codes that are missing are asked for one by one and kept at once."""
    if not config.is_on():
        return _addresses(plates)
    scenes = [scene_of(Spot.POINT if plate.is_point else Spot.GRID, plate.row_id) for plate in plates]
    known = dict(PlateCode.objects.filter(scene__in=scenes).values_list("scene", "url"))
    missing = [scene for scene in scenes if scene not in known]
    if missing and codes_used() + len(missing) > MOST_PERMANENT:
        raise Refusal("codes_are_over", "")
    for scene in missing:
        known[scene] = _new_code(scene, at)
    return [known[scene] for scene in scenes]


def _new_code(scene: str, at: datetime) -> str:
    try:
        url = make_scene(scene).url
    except ApiError as fault:
        if fault.errcode == FULL:
            raise Refusal("codes_are_over", "") from None
        raise  # tried again later; the codes so far are kept
    store([PlateCode(scene=scene, url=url, made_at=at)], ignore_conflicts=True)
    return url


def _write(sheet: Sheet, made: Sequence[Made], path: Path) -> None:
    """The heavy part, imported here: this runs in the worker of jobs only."""
    from ..printing import write

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = path.with_suffix(".part")
    with translation.override(sheet.language):
        write(sheet.street.name_zh, made, half, is_wechat=config.is_on())
    os.replace(half, path)


def file_of(sheet: Sheet) -> Path:
    """Where the file lies."""
    return Path(settings.EXPORTS) / f"{sheet.key}.pdf"


def _ready(sheet_id: int, plates: int, size: int) -> None:
    Sheet.objects.filter(pk=sheet_id).update(state=Sheet.State.READY, plates=plates, size_bytes=size)


def fail(sheet_id: int, code: str) -> None:
    """It could not be made; whoever asked sees why."""
    Sheet.objects.filter(pk=sheet_id).update(state=Sheet.State.FAILED, error=code[:60])


def fetched(sheet_id: int, *, by: Actor, at: datetime) -> Sheet:
    """A sheet that is ready, for whoever asked for it and may still read that map; NotFound otherwise, told alike. Audited."""
    sheet = own(by).filter(pk=sheet_id, state=Sheet.State.READY, ends_at__gt=at).first()
    if sheet is None or not file_of(sheet).is_file() or not may_read(by, sheet.street_id):
        raise NotFound("no_such_sheet", _("没有这份号牌，或已经过期。"))
    with writing():
        _record("plates.fetched", sheet, by, at)
    return sheet


def expire(*, at: datetime) -> int:
    """Removes files whose day is over, and after a month that they were asked for; how many files went."""
    over = list(Sheet.objects.filter(ends_at__lte=at).exclude(state=Sheet.State.GONE))
    for sheet in over:
        file_of(sheet).unlink(missing_ok=True)
        file_of(sheet).with_suffix(".part").unlink(missing_ok=True)
        Sheet.objects.filter(pk=sheet.pk).update(state=Sheet.State.GONE)
    Sheet.objects.filter(ends_at__lte=at - REMEMBERED).delete()
    return len(over)


def _record(action: str, sheet: Sheet, by: Actor, at: datetime) -> None:
    audit.record(
        street_id=sheet.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="sheet",
        object_id=str(sheet.pk),
        at=at,
        facts={"plates": sheet.plates},
    )
