"""Uploaded files: temporary ones of three days, permanent ones, and pictures for articles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from emulator.errors import ApiError
from emulator.http import Answer, File, Request
from emulator.official.messages import keep_media
from emulator.official.routes import mp_routes, routes
from emulator.store import Account, Media

if TYPE_CHECKING:
    from emulator.app import Emulator

KIB = 1024
LIMITS = {"image": 10 * KIB * KIB, "voice": 2 * KIB * KIB, "video": 10 * KIB * KIB, "thumb": 64 * KIB}
BEGINNINGS = {
    "image": (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM"),
    "voice": (b"#!AMR", b"ID3", b"\xff\xfb", b"\xff\xf3"),
    "video": (b"\0\0\0",),
    "thumb": (b"\xff\xd8\xff",),
}
ARTICLE_PICTURE = 1 * KIB * KIB


def uploaded(request: Request, kind: str, largest: dict[str, int], *, smallest: int = 0) -> File:
    """The file of an upload, checked: 40004 kind, 41005 none, 40006 size, 40005 beginning.

    ``largest``: bytes by kind. An empty file is none, where no ``smallest`` is given.
    """
    if kind not in largest:
        raise ApiError(40004)
    file = request.files().get("media")
    if not file or not (file.data or smallest):
        raise ApiError(41005)
    if not smallest <= len(file.data) <= largest[kind]:
        raise ApiError(40006)
    if not file.data.startswith(BEGINNINGS.get(kind, b"")):
        raise ApiError(40005)
    return file


@routes("POST", "/cgi-bin/media/upload")
def upload(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """A file for three days."""
    kind = request.query.get("type", "")
    file = uploaded(request, kind, LIMITS)
    media = keep_media(emu, account.appid, kind, file.name, file.kind, file.data)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: media.id, "created_at": int(emu.clock.now())}


def kept(emu: Emulator, owner: str, media_id: Any) -> Media:
    """A file that is still there and this owner's; 40007."""
    media = emu.state.media.get(str(media_id))
    if not media or media.owner != owner or (media.until and media.until <= emu.clock.now()):
        raise ApiError(40007)
    return media


def as_file(media: Media) -> Answer:
    """The bytes, as a download."""
    name = media.name or "media"
    disposition = f'attachment; filename="{quote(name)}"'
    return Answer(media.data, kind=media.mime or "application/octet-stream", headers={"content-disposition": disposition})


@routes("GET", "/cgi-bin/media/get")
def get(emu: Emulator, request: Request, account: Account) -> Answer | dict[str, Any]:
    """The bytes; of a video an address."""
    media = kept(emu, account.appid, request.query.get("media_id"))
    if media.kind == "video":
        return {"video_url": f"{request.base}/mp/media/{media.id}"}
    return as_file(media)


@routes("GET", "/cgi-bin/media/get/jssdk")
def get_voice(emu: Emulator, request: Request, account: Account) -> Answer:
    """A voice recorded by the JS-SDK, in its better quality."""
    media = kept(emu, account.appid, request.query.get("media_id"))
    if media.kind != "voice":
        raise ApiError(40007)
    return as_file(Media(media.id, media.owner, media.kind, f"{media.name}.speex", "voice/speex", media.data))


@mp_routes("GET", "/media/{id}", guard="none")
def show(emu: Emulator, request: Request) -> Answer:
    """A picture or video by its address (PicUrl, video_url)."""
    media = emu.state.media.get(request.params["id"])
    if not media or (media.until and media.until <= emu.clock.now()):
        return Answer(b"404 Not Found", 404, "text/plain")
    return Answer(media.data, kind=media.mime or "application/octet-stream")


@routes("POST", "/cgi-bin/media/uploadimg")
def upload_picture(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """A picture for articles: an address that stays."""
    media = _permanent(emu, account, "image", uploaded(request, "image", {"image": ARTICLE_PICTURE}))
    return {"url": f"{request.base}/mp/media/{media.id}"}


@routes("POST", "/cgi-bin/material/add_material")
def add_material(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """A file that stays."""
    kind = request.query.get("type", "") or request.form().get("type", "")
    media = _permanent(emu, account, kind, uploaded(request, kind, LIMITS))
    return {"media_id": media.id} | ({"url": f"{request.base}/mp/media/{media.id}"} if kind == "image" else {})


def _permanent(emu: Emulator, account: Account, kind: str, file: File) -> Media:
    media = keep_media(emu, account.appid, kind, file.name, file.kind, file.data)
    media.until = 0.0
    return media


@routes("POST", "/cgi-bin/material/get_material")
def get_material(emu: Emulator, request: Request, account: Account) -> Answer:
    """Its bytes."""
    return as_file(kept(emu, account.appid, request.json().get("media_id")))


@routes("POST", "/cgi-bin/material/del_material")
def delete_material(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """Gone."""
    del emu.state.media[kept(emu, account.appid, request.json().get("media_id")).id]
    return {"errcode": 0, "errmsg": "ok"}


@routes("GET", "/cgi-bin/material/get_materialcount")
def count_material(emu: Emulator, request: Request, account: Account) -> dict[str, Any]:
    """How many of each kind."""
    mine = [one.kind for one in emu.state.media.values() if one.owner == account.appid and not one.until]
    return {f"{kind}_count": mine.count(kind) for kind in ("voice", "video", "image")} | {"news_count": 0}
