"""QR codes of the account: who scans one follows, or is told apart by its scene (SCAN, ``qrscene_…``)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

from .. import config

LONGEST_SECONDS = 2_592_000
LONGEST_SCENE = 64


@dataclass(frozen=True, slots=True)
class Scene:
    """A code. ``url``: what the code says (draw it with segno); ``picture``: the platform's own picture of it."""

    scene: str
    ticket: str
    url: str
    picture: str


def make_scene(scene: str, *, seconds: int = 0) -> Scene:
    """A code for ``scene`` (at most 64 characters): for so many ``seconds`` (at most 30 days), or for good (0; the account has
    100,000 of those, so keep what comes back). Outside a transaction. ApiError."""
    if not 1 <= len(scene) <= LONGEST_SCENE or not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError("a scene has 1 to 64 characters and at most 30 days")
    asked: dict[str, object] = {"action_info": {"scene": {"scene_str": scene}}}
    asked |= {"action_name": "QR_STR_SCENE", "expire_seconds": seconds} if seconds else {"action_name": "QR_LIMIT_STR_SCENE"}
    made = config.api().post("/cgi-bin/qrcode/create", asked)
    ticket = str(made.get("ticket", ""))
    picture = f"{settings.WECHAT_MP}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"
    return Scene(scene, ticket, str(made.get("url", "")), picture)
