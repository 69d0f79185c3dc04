"""While somebody reports: the earlier reports theirs may be one with. Nothing said is kept. Of what others said a stranger
learns type, state, metres and whether it is likely the same; nothing of reports that are confidential or held for a look.

A photo is not sent for this: the page counts its 64 bits of likeness where the photo is (``photo.js``) and sends those alone.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.grid import queries as grid
from jiequ.people.access import actor_of
from jiequ.people.rules import Actor, Role

from .. import services
from ..policy import Policy
from ..queries import lists
from ..queries.known import Asked, Known, known_cases
from ..queries.listing import row_of
from ..queries.types import control_notice, type_of
from . import present, reading
from .known_words import badge_words

MOST_WORDS, MOST_LOOKS = 2000, 6
SHOWN = 5
LOOKS = re.compile(r"[0-9a-f]{16}(,[0-9a-f]{16})*")


def alike_in(request: HttpRequest) -> dict[str, Any]:
    """The reports near by, those that sound or look the same first; what was chosen among them stays."""
    data, actor = request.POST, actor_of(request)
    asked = _asked(data)
    chosen = _chosen(data.get("me_too", "").strip())
    rows = _rows(asked) if chosen is None else _with(chosen, _rows(asked))
    shown = [row | {"is_chosen": pk == chosen} for pk, row in rows.items()]
    return {"near_rows": shown, "notice": _notice(asked), "may_join": may_join(actor), "is_joining": chosen in rows}


def may_join(actor: Actor) -> bool:
    """Who may say "me too" (docs/moves.md): a resident, a grid worker, an acceptor."""
    return actor.person_id is None or actor.has(Role.GRID_WORKER, Role.ACCEPTOR)


def near_point(lon: float, lat: float) -> dict[str, Any]:
    """Open cases near a point before anything was said, and what a control area has to say."""
    asked = Asked("", clock.now(), lon, lat, base_m=_near_m(lon, lat))
    return {"near_rows": list(_rows(asked).values()), "notice": _notice(asked)}


def _asked(data: Any) -> Asked:
    """What was typed so far; a place that cannot be used yet is none."""
    place, lon, lat, base_m = services.Place(), None, None, float(Policy().near_m)
    with suppress(Refusal, NotFound):
        place = reading.place_of(data)
        if place.x is not None and place.y is not None:
            lon, lat = services.canonical(place)
            base_m = _near_m(lon, lat)
    words = f"{place.words}\n{data.get('words', '').strip()[:MOST_WORDS]}".strip()
    type_id = type_of(reading.whole(data, "condition"))
    photos = looks_of(str(data.get("looks", "")))
    return Asked(words, clock.now(), lon, lat, place.community_id, type_id, base_m=base_m, photos=photos)


def looks_of(text: str) -> tuple[int, ...]:
    """The likeness hashes of photos beside the form: 16 hexadecimal digits each, with commas. Refusal for anything else."""
    if not text:
        return ()
    if not LOOKS.fullmatch(text):
        raise Refusal("bad_looks", _("照片特征不是 16 位十六进制数，请重新选照片。"), facts={"field": "looks"})
    return tuple(int(one, 16) for one in text.split(",")[:MOST_LOOKS])


def _near_m(lon: float, lat: float) -> float:
    """How near counts as perhaps the same there. One SELECT."""
    spot = grid.locate(lon, lat)
    return services.near_m(spot.street_id) if spot else float(Policy().near_m)


def _rows(asked: Asked) -> dict[int, dict[str, Any]]:
    """By case. Those that sound or look the same, the likeliest first; then what else is open near by, the nearest first."""
    likely = [one for one in known_cases(asked, size=SHOWN) if _speaks(asked, one)] if asked.words or asked.photos else []
    found = {one.case.pk: present.near_row(one.case, one.metres) | badge_words(one.likeness) for one in likely}
    if asked.lon is not None and asked.lat is not None and len(found) < SHOWN:
        how: dict[str, Any] = {"radius_m": asked.base_m, "event_type_id": asked.event_type_id, "size": SHOWN - len(found)}
        near = lists.near_open(asked.lon, asked.lat, **how, without=list(found))
        found |= {case.pk: present.near_row(case, metres) for case, metres in near}
    return found


def _speaks(asked: Asked, one: Known) -> bool:
    """Something but being near says that it is the same: words; where there are none, a photo."""
    return bool(one.likeness.badge) and (bool(asked.words) or any(why.kind == "photo" for why in one.likeness.reasons))


def _chosen(offer: str) -> int | None:
    with suppress(NotFound):
        return present.offered(offer) if offer else None
    return None


def _with(chosen: int, rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What was chosen stays to be chosen, also where more words have brought others to the front."""
    case = None if chosen in rows else row_of(lists.strangers_may_see().filter(pk=chosen)).first()
    return rows if case is None else {chosen: present.near_row(case, None), **dict(list(rows.items())[: SHOWN - 1])}


def _notice(asked: Asked) -> Any:
    if asked.lon is None or asked.lat is None:
        return None
    return control_notice(asked.lon, asked.lat, asked.event_type_id, asked.at)
