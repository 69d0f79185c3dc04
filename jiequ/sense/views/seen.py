"""What stands before an analyst's eyes: addresses of both pictures in three windows, shapes over them, heights, permits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from .. import ground, sight
from ..models import Asset, Permit, Suspect
from ..queries import comparisons, permits
from ..queries import suspects as suspect_queries
from .imagery import crop_url, token

STATE_CLASS = {"open": "open", "confirmed": "confirmed", "lawful": "lawful", "quiet": "quiet", "reflight": "open"}


@dataclass(frozen=True, slots=True)
class Side:
    """One date: its day, the picture by window, and what it is."""

    day: Any
    name: str
    urls: dict[str, str]

    @property
    def first(self) -> str:
        return self.urls.get("around", "")


@dataclass(frozen=True, slots=True)
class Shape:
    """Something drawn over the pictures."""

    path: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Seen:
    """All of it for one suspect."""

    before: Side | None
    after: Side | None
    windows: tuple[sight.Window, ...]
    shapes: list[Shape]
    outline: str
    profile: str
    profile_path: str
    permits: list[Permit]
    neighbours: list[Suspect]
    why_not: str
    boxes: dict[str, str]
    corners: str
    facts: dict[str, Any]


def seen_of(request: HttpRequest, suspect: Suspect) -> Seen:
    """What is to be seen of a suspect. Three SELECTs."""
    pair = comparisons.pair_of(suspect)
    looked = sight.sight_of(suspect.geometry)
    wide = looked.window("wide").bounds
    beside = [one for one in suspect_queries.near(suspect.street_id, wide) if one.pk != suspect.pk]
    explain = permits.near(suspect.street_id, wide)
    shapes = [Shape(looked.path(one.geometry), "permit", str(one)) for one in explain]
    shapes += [Shape(looked.path(one.geometry), _kind(one), one.number) for one in beside]
    before, after, why_not = _sides(request, pair, looked)
    line = sight.long_axis(suspect.geometry)
    return Seen(
        before,
        after,
        looked.windows,
        shapes,
        looked.path(suspect.geometry),
        _profile(request, pair, line),
        looked.path(sight.line_of(line)),
        explain,
        beside,
        why_not,
        {one.name: one.view_box for one in looked.windows},
        sight.corners_of(suspect.geometry),
        {
            "middle": looked.middle,
            "metre": ground.metres_per_degree(looked.middle[1]),
            "boxes": {one.name: one.view_box for one in looked.windows},
            "before": before.urls if before else {},
            "after": after.urls if after else {},
            "heights": {"base": base, "token": token(request)} if (base := _profile_base(request, pair)) else None,
        },
    )


def _kind(suspect: Suspect) -> str:
    """How a neighbour is drawn; one that is read twice looks as if nobody had read it."""
    return "open" if suspect.wants_second else STATE_CLASS.get(suspect.state, "open")


def _sides(request: HttpRequest, pair: Any, looked: sight.Sight) -> tuple[Side | None, Side | None, str]:
    if not settings.TILES_URL:
        return None, None, _("这台服务器没有开瓦片进程，看不到图。请系统管理员设置 JIEQU_TILES_URL。")
    if pair is None:
        return None, None, _("看到它的那次比对已经不在了，没有图可看。")
    before, after = pair.before, pair.after
    if before is None or after is None:
        before, after = pair.before_dsm, pair.after_dsm
    if before is None or after is None:
        return None, None, _("两期影像不全，没有图可看。")
    return _side(request, before, pair.before_on, looked), _side(request, after, pair.after_on, looked), ""


def _side(request: HttpRequest, asset: Asset, day: Any, looked: sight.Sight) -> Side:
    urls = {one.name: crop_url(request, asset, bounds=one.bounds, width=sight.PIXELS) for one in looked.windows}
    return Side(day, str(asset.get_kind_display()), urls)


def _profile_base(request: HttpRequest, pair: Any) -> str:
    """The address of heights but for the line; empty where there are none."""
    if not settings.TILES_URL or pair is None or pair.before_dsm is None or pair.after_dsm is None:
        return ""
    return f"{settings.TILES_URL}sense/profile/{pair.before_dsm.pk}/{pair.after_dsm.pk}/"


def _profile(request: HttpRequest, pair: Any, line: list[list[float]]) -> str:
    base = _profile_base(request, pair)
    along = ",".join(f"{value:.7f}" for point in line for value in point)
    return f"{base}{along}.svg?t={token(request)}" if base else ""
