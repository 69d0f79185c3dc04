"""The door of the tiles: ``/tiles/<layer>/<z>/<x>/<y>?t=token``, ``/tiles/layers.json`` and ``/tiles/healthz``; only read.

Imagery has a token of its own: ``/tiles/sense/<asset>/<z>/<x>/<y>`` and ``/tiles/sense/<asset>/crop/<bounds>/<width>.jpg``.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
os.environ.setdefault("JIEQU_MODE", "production")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import close_old_connections  # noqa: E402

from jiequ.grid.access import BadToken, streets_of  # noqa: E402
from jiequ.sense import files, tile_tokens  # noqa: E402

from . import imagery as pictures  # noqa: E402
from . import profiles  # noqa: E402
from .mbtiles import DEEPEST, OWN, Folder, Tile  # noqa: E402
from .vector import Layers  # noqa: E402

Start = Callable[[str, list[tuple[str, str]]], Any]
Answer = tuple[str, list[tuple[str, str]], bytes]

_PATH = re.compile(r"/tiles/([a-z0-9][a-z0-9_-]{0,39})/(\d{1,2})/(\d{1,8})/(\d{1,8})(?:\.[a-z]{3,5})?")
VECTOR = "application/x-protobuf"
PLAIN = [("Content-Type", "text/plain; charset=utf-8")]

folder = Folder(settings.TILES)
layers = Layers()
imagery = pictures.Imagery()
threading.Thread(target=pictures.warm, daemon=True, name="imagery").start()


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """WSGI."""
    close_old_connections()
    try:
        status, headers, body = _answer(environ)
    finally:
        close_old_connections()
    start_response(
        status, [*headers, *_cors(environ), ("X-Content-Type-Options", "nosniff"), ("Content-Length", str(len(body)))]
    )
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _answer(environ: dict[str, Any]) -> Answer:
    path = environ.get("PATH_INFO", "")
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return "405 Method Not Allowed", [*PLAIN, ("Allow", "GET, HEAD")], b""
    if path == "/tiles/healthz":
        return "200 OK", PLAIN, b"ok\n"
    if path.startswith("/tiles/sense/"):
        return _imagery(environ, path)
    token = parse_qs(environ.get("QUERY_STRING", "")).get("t", [""])[0]
    try:
        streets = streets_of(token, at=datetime.now(UTC))
    except BadToken:
        return "401 Unauthorized", [*PLAIN, ("Cache-Control", "no-store")], b"open the map anew\n"
    if path == "/tiles/layers.json":
        body = json.dumps({"layers": folder.layers()}, ensure_ascii=False).encode()
        return "200 OK", [("Content-Type", "application/json"), ("Cache-Control", "private, max-age=60")], body
    found = _PATH.fullmatch(path)
    if not found:
        return _missing()
    layer, (z, x, y) = found[1], (int(part) for part in found.groups()[1:])
    if z > DEEPEST or x >= 1 << z or y >= 1 << z:
        return _missing()
    return _own(environ, layer, z, x, y, streets) if layer in OWN else _operators(environ, layer, z, x, y)


def _imagery(environ: dict[str, Any], path: str) -> Answer:
    """A tile or a cut-out of a picture: told only to whoever may see that street's pictures."""
    token = parse_qs(environ.get("QUERY_STRING", "")).get("t", [""])[0]
    try:
        streets = tile_tokens.streets_of(token, at=datetime.now(UTC))
    except tile_tokens.BadToken:
        return "401 Unauthorized", [*PLAIN, ("Cache-Control", "no-store")], b"open the page anew\n"
    if along := profiles.PROFILE.fullmatch(path):
        return _profile(environ, along.groups(), streets)
    found = pictures.TILE.fullmatch(path) or pictures.CROP.fullmatch(path)
    known = imagery.known(int(found[1]), streets) if found and files.can_read() else None
    if found is None or known is None:
        return _missing()
    tag = _tag(known.tag.encode(), path.encode())
    if tag in environ.get("HTTP_IF_NONE_MATCH", ""):
        return _same(tag)
    tile = _picture(int(found[1]), known, found.groups()[1:], is_crop="/crop/" in path)
    return _send(environ, tile, tag) if tile else _missing()


def _profile(environ: dict[str, Any], words: tuple[str, ...], streets: tuple[int, ...] | None) -> Answer:
    """Heights of two dates along a line, as a picture."""
    ids = int(words[0]), int(words[1])
    known = [imagery.known(asset_id, streets) if files.can_read() else None for asset_id in ids]
    line = profiles.line_of(words[2:])
    if line is None or known[0] is None or known[1] is None:
        return _missing()
    tag = _tag(known[0].tag.encode(), known[1].tag.encode(), "/".join(words).encode())
    if tag in environ.get("HTTP_IF_NONE_MATCH", ""):
        return _same(tag)
    data = profiles.drawn((known[0].street_id, ids[0]), (known[1].street_id, ids[1]), line)
    return _send(environ, Tile(data, "image/svg+xml"), tag) if data else _missing()


def _picture(asset_id: int, known: pictures.Known, words: tuple[str, ...], *, is_crop: bool) -> Tile | None:
    if is_crop:
        return imagery.crop(asset_id, known, words[0], int(words[1]))
    z, x, y = (int(word) for word in words)
    if z > pictures.DEEPEST or x >= 1 << z or y >= 1 << z:
        return None
    return imagery.tile(asset_id, known, z, x, y)


def _own(environ: dict[str, Any], layer: str, z: int, x: int, y: int, streets: tuple[int, ...] | None) -> Answer:
    tag = _tag(layers.version().encode(), f"{layer}/{z}/{x}/{y}/{streets}".encode())
    if tag in environ.get("HTTP_IF_NONE_MATCH", ""):
        return _same(tag)
    data = layers.tile(layer, z, x, y, streets)
    return _send(environ, Tile(data, VECTOR), tag) if data else ("204 No Content", _kept(tag), b"")


def _operators(environ: dict[str, Any], layer: str, z: int, x: int, y: int) -> Answer:
    try:
        tile = folder.tile(layer, z, x, y)
    except KeyError:
        return _missing()
    if tile is None:
        return _missing()
    tag = _tag(tile.data)
    return _same(tag) if tag in environ.get("HTTP_IF_NONE_MATCH", "") else _send(environ, tile, tag)


def _send(environ: dict[str, Any], tile: Tile, tag: str) -> Answer:
    """Vector tiles go gzipped to whoever takes that, pictures as they are."""
    headers, data = [("Content-Type", tile.kind), *_kept(tag)], tile.data
    if tile.kind != VECTOR:
        return "200 OK", headers, data
    headers.append(("Vary", "Accept-Encoding"))
    takes_gzip = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    if takes_gzip:
        headers.append(("Content-Encoding", "gzip"))
        return "200 OK", headers, data if tile.is_gzipped else gzip.compress(data, 5, mtime=0)
    return "200 OK", headers, gzip.decompress(data) if tile.is_gzipped else data


def _tag(*parts: bytes) -> str:
    return f'"{sha256(b"/".join(parts)).hexdigest()[:24]}"'


def _kept(tag: str) -> list[tuple[str, str]]:
    return [("ETag", tag), ("Cache-Control", "private, max-age=300")]


def _same(tag: str) -> Answer:
    return "304 Not Modified", _kept(tag), b""


def _missing() -> Answer:
    return "404 Not Found", [*PLAIN, ("Cache-Control", "private, max-age=60")], b""


def _cors(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """Our own pages may read the answers, nobody else's."""
    base = urlsplit(settings.BASE_URL)
    origin = f"{base.scheme}://{base.netloc}"
    return [("Vary", "Origin")] + ([("Access-Control-Allow-Origin", origin)] if environ.get("HTTP_ORIGIN") == origin else [])
