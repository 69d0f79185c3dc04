"""The operator's own map layers: JIEQU_MAP_LAYERS names a TOML file of tile services; read once, refused with a sentence.

[[layer]]
id = "tdt-vec"
name = "天地图"
url = "https://t{s}.tianditu.gov.cn/vec_w/wmts?…&TILECOL={x}&TILEROW={y}&TILEMATRIX={z}&tk={key}"
subdomains = ["0", "1", "2", "3"]
key = "…"
kind = "raster"            # raster, or vector (a style's source; drawn by nothing of ours yet: refused)
system = "cgcs2000"        # cgcs2000 or wgs84 (within 1 m of each other), or gcj02: the browser moves each tile (map_shift.js)
attribution = "天地图 GS(…)…号"
maxzoom = 18
is_on = true               # drawn when the map opens; several that are on lie one over the other
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

KNOWN = {"id", "name", "url", "subdomains", "key", "kind", "system", "attribution", "minzoom", "maxzoom", "size", "is_on"}
_ID = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MOST = 20
SYSTEMS = ("cgcs2000", "wgs84", "gcj02")


def layers_of(path: str) -> list[dict[str, Any]]:
    """The layers of the file, ready for a page: ``id``, ``name``, ``tiles`` (addresses), ``attribution``, zooms, ``is_on``."""
    if not path:
        return []
    try:
        told = tomllib.loads(Path(path).read_text(encoding="utf-8")).get("layer", [])
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"JIEQU_MAP_LAYERS: {path} cannot be read as TOML: {error}") from None
    if not isinstance(told, list) or len(told) > MOST or not all(isinstance(one, dict) for one in told):
        raise ImproperlyConfigured(f"JIEQU_MAP_LAYERS: {path} must hold at most {MOST} [[layer]] tables.")
    found = [_layer(one, path) for one in told]
    if len({one["id"] for one in found}) < len(found):
        raise ImproperlyConfigured(f"JIEQU_MAP_LAYERS: two layers of {path} have one id.")
    return found


def _layer(one: dict[str, Any], path: str) -> dict[str, Any]:
    name = str(one.get("id", ""))
    where = f"JIEQU_MAP_LAYERS, layer {name!r} of {path}"
    if not _ID.fullmatch(name):
        raise ImproperlyConfigured(f"{where}: id must be small letters, digits, - and _.")
    if unknown := sorted(set(one) - KNOWN):
        raise ImproperlyConfigured(f"{where}: nothing is known of {', '.join(unknown)}.")
    if one.get("kind", "raster") != "raster":
        raise ImproperlyConfigured(f'{where}: only kind = "raster" can be drawn; a vector service needs a style of its own.')
    return {
        "id": f"own-{name}",
        "name": str(one.get("name", name)),
        "system": _system(one, where),
        "tiles": _addresses(one, where),
        "size": _whole(one, "size", 256, where),
        "minzoom": _whole(one, "minzoom", 0, where),
        "maxzoom": _whole(one, "maxzoom", 18, where),
        "attribution": str(one.get("attribution", "")),
        "is_on": bool(one.get("is_on", True)),
    }


def _whole(one: dict[str, Any], name: str, default: int, where: str) -> int:
    value = one.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ImproperlyConfigured(f"{where}: {name} must be a whole number, not {value!r}.")
    return value


def _system(one: dict[str, Any], where: str) -> str:
    system = str(one.get("system", ""))
    if system not in SYSTEMS:
        raise ImproperlyConfigured(f"{where}: system must be {', '.join(SYSTEMS)}, not {system!r}.")
    return system


def _addresses(one: dict[str, Any], where: str) -> list[str]:
    url, parts = str(one.get("url", "")), [str(part) for part in one.get("subdomains", [])]
    if any(f"{{{letter}}}" not in url for letter in "zxy"):
        raise ImproperlyConfigured(f"{where}: url must hold {{z}}, {{x}} and {{y}}.")
    if ("{key}" in url) != bool(one.get("key")) or ("{s}" in url) != bool(parts):
        raise ImproperlyConfigured(f"{where}: url says {{key}} and {{s}} exactly when key and subdomains are given.")
    found = [url.replace("{key}", str(one.get("key", ""))).replace("{s}", part) for part in parts or [""]]
    for address in found:
        split = urlsplit(address)
        if split.scheme not in {"https", "http"} or not re.fullmatch(r"[A-Za-z0-9.:-]+", split.netloc):
            raise ImproperlyConfigured(f"{where}: url must begin with https:// and a plain host.")
    return found


def origins(layers: list[dict[str, Any]]) -> list[str]:
    """The origins the browser must be allowed to ask, each once."""
    split = (urlsplit(address) for layer in layers for address in layer["tiles"])
    return list(dict.fromkeys(f"{one.scheme}://{one.netloc}" for one in split))
