"""A code with a scene was scanned: a plate's is answered with one link to the report page, the place filled in."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from jiequ.channels.arrivals.services import Incoming
from jiequ.channels.wechat.services import follower_of, say
from jiequ.core.errors import NotFound
from jiequ.grid import queries as grid

from ..models import PlateCode
from ..rules import Spot, bind_secret_of, scene_of_event, spot_of
from . import binding


def hear(incoming: Incoming, *, at: datetime) -> bool:
    """Answers a scan that is ours; True if it was. Runs in the arrival's transaction; what is said goes out by a job."""
    if incoming.kind != "event":
        return False
    scene = scene_of_event(incoming.event, str(incoming.fields.get("EventKey", "")))
    if secret := bind_secret_of(scene):
        return binding.scanned(secret, follower=follower_of(incoming.sender, at=at), key=incoming.key, at=at)
    spot = spot_of(scene)
    if spot is None:
        return False
    _answer_plate(*spot, sender=incoming.sender, key=incoming.key, at=at)
    return True


def _answer_plate(spot: Spot, row_id: int, *, sender: str, key: str, at: datetime) -> None:
    plate = grid.plate_of(row_id, is_point=spot is Spot.POINT)
    title = plate.name if plate else _("这块号牌的点位已经停用")
    text = _("点开上报，地点已经填好。") if plate else _("请点开上报，再说一下地点。")
    path = reverse("cases:report") + (f"?{urlencode({'plate': plate.code})}" if plate else "")
    article = {"title": title, "description": text, "url": page_url(path)}
    say(follower_id=follower_of(sender, at=at).pk, article=article, key=f"plate:{key}", at=at)


def plate_of_code(text: str) -> grid.Plate:
    """The plate whose code a scanner read: one of WeChat's permanent ones, or our own address. NotFound for any other."""
    scene = PlateCode.objects.filter(url=text).values_list("scene", flat=True).first() if text else None
    spot = spot_of(scene or "")
    own = settings.BASE_URL + reverse("grid:plate", args=["@"]).removesuffix("@")
    found = grid.plate_of(spot[1], is_point=spot[0] is Spot.POINT) if spot else None
    if spot is None and text.startswith(own):
        found = grid.plate(text.removeprefix(own)[:40])
    if found is None:
        raise NotFound("no_such_plate", _("这不是本街道的点位牌，请直接说明地点。"))
    return found


def page_url(path: str) -> str:
    """A page of ours as WeChat is told of it: opened, it first asks WeChat who holds the phone."""
    return f"{settings.BASE_URL}{reverse('wechat_pages:enter')}?{urlencode({'next': path})}"
