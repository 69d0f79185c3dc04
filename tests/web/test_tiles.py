"""The tile process through its own door: who is let in, an operator's MBTiles, our vector layers, and what is kept."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mapbox_vector_tile  # type: ignore[import-untyped]
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import Signer

from jiequ.grid.access import BadToken, streets_of, token_of
from jiequ.grid.models import MapFeature, MapVersion
from jiequ.grid.rules import tile
from jiequ.people.rules import Actor, Role, Seat
from jiequ.web import basemaps
from jiequ.web.cli.serve import tiles_port
from jiequ.web.tiles import mbtiles, wsgi
from tests.actors import World

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(wsgi, "folder", mbtiles.Folder(tmp_path))
    monkeypatch.setattr(wsgi, "layers", wsgi.Layers())
    monkeypatch.setattr(wsgi, "close_old_connections", lambda: None)  # the test's own connection
    return tmp_path


def mbtiles_file(folder: Path, layer: str, tiles: dict[tuple[int, int, int], bytes], **facts: str) -> None:
    with sqlite3.connect(folder / f"{layer}.mbtiles") as base:
        base.execute("CREATE TABLE metadata (name text, value text)")
        base.execute("CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
        base.executemany("INSERT INTO metadata VALUES (?, ?)", facts.items())
        base.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", [(*key, data) for key, data in tiles.items()])
    base.close()


def token(*streets: int) -> str:
    seats = frozenset(Seat(Role.ACCEPTOR, street) for street in streets or (1,))
    return token_of(Actor(1, seats=seats), at=datetime.now(UTC))


def ask(path: str, query: str | None = None, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    told: dict[str, Any] = {}

    def start(status: str, given: list[tuple[str, str]]) -> None:
        told.update(status=int(status.split()[0]), headers=dict(given))

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": f"t={token()}" if query is None else query}
    body = b"".join(wsgi.application({**environ, "wsgi.input": io.BytesIO(), **headers}, start))
    return told["status"], told["headers"], body


# ---- who is let in


@pytest.mark.parametrize(
    "query", ["", "t=", "t=x", "t=e30:abc", f"t={Signer(salt='other').sign_object({'s': None, 'e': 1e12})}"]
)
def test_without_a_token_of_ours_nothing_is_told(db: None, folder: Path, query: str) -> None:
    mbtiles_file(folder, "ortho", {(0, 0, 0): PNG})
    for path in ("/tiles/ortho/0/0/0", "/tiles/grids/0/0/0", "/tiles/layers.json", "/tiles/nothing"):
        assert ask(path, query)[0] == 401
    assert ask("/tiles/healthz", "")[::2] == (200, b"ok\n")


def test_a_token_stays_the_same_for_hours_and_ends_within_a_day() -> None:
    at = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
    actor = Actor(1, seats=frozenset({Seat(Role.ACCEPTOR, 5), Seat(Role.LEADER, 3)}))
    made = token_of(actor, at=at)
    assert made == token_of(actor, at=at + timedelta(hours=9))
    assert streets_of(made, at=at + timedelta(hours=12)) == (3, 5)
    assert streets_of(token_of(Actor(1, seats=frozenset({Seat(Role.BUREAU)})), at=at), at=at) is None
    with pytest.raises(BadToken):
        streets_of(made, at=at + timedelta(hours=24))


def test_only_our_own_pages_may_read_the_answers(db: None, folder: Path, settings: Any) -> None:
    for origin, is_ours in ((settings.BASE_URL, True), ("https://elsewhere.example", False)):
        headers = ask("/tiles/layers.json", HTTP_ORIGIN=origin)[1]
        assert headers.get("Access-Control-Allow-Origin") == (origin if is_ours else None)
        assert headers["X-Content-Type-Options"] == "nosniff"


# ---- MBTiles


def test_rows_are_counted_from_the_north_and_kinds_told_by_their_bytes(db: None, folder: Path) -> None:
    pictures = {(1, 0, 1): PNG, (1, 1, 1): b"\xff\xd8\xffjpg", (1, 0, 0): b"RIFFxxxxWEBP", (1, 1, 0): gzip.compress(b"vector")}
    mbtiles_file(folder, "ortho", pictures, format="png", name="正射影像", minzoom="1", maxzoom="1")
    kinds = {(x, y): ask(f"/tiles/ortho/1/{x}/{y}.png")[1]["Content-Type"] for x in (0, 1) for y in (0, 1)}
    assert kinds == {(0, 0): "image/png", (1, 0): "image/jpeg", (0, 1): "image/webp", (1, 1): "application/x-protobuf"}
    assert ask("/tiles/ortho/1/1/1")[2] == b"vector"
    status, headers, body = ask("/tiles/ortho/1/1/1", HTTP_ACCEPT_ENCODING="gzip, br")
    assert (status, headers["Content-Encoding"], gzip.decompress(body)) == (200, "gzip", b"vector")
    told = json.loads(ask("/tiles/layers.json")[2])["layers"]
    assert told == [{"id": "ortho", "format": "png", "name": "正射影像", "minzoom": "1", "maxzoom": "1"}]


def test_a_tile_the_browser_has_is_not_sent_again_and_a_file_replaced_is_read_anew(db: None, folder: Path) -> None:
    mbtiles_file(folder, "ortho", {(0, 0, 0): PNG})
    _status, headers, body = ask("/tiles/ortho/0/0/0")
    assert body == PNG
    assert ask("/tiles/ortho/0/0/0", HTTP_IF_NONE_MATCH=headers["ETag"])[::2] == (304, b"")
    assert ask("/tiles/ortho/0/0/0", method="HEAD")[2] == b""
    (folder / "ortho.mbtiles").unlink()
    assert ask("/tiles/ortho/0/0/0")[0] == 404
    mbtiles_file(folder, "ortho", {(0, 0, 0): PNG + b"new"})
    assert ask("/tiles/ortho/0/0/0", HTTP_IF_NONE_MATCH=headers["ETag"])[2] == PNG + b"new"


@pytest.mark.parametrize(
    "path",
    ["ortho/0/0/1", "ortho/0/1/0", "ortho/23/0/0", "ortho/1/0/0", "none/0/0/0", "../ortho/0/0/0", "ortho/0/0",
     "ortho/0/0/0/../x", "..%2fortho/0/0/0", "ortho.mbtiles/0/0/0", "broken/0/0/0", "ortho/-1/0/0", "ortho/9999/0/0"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(db: None, folder: Path, path: str) -> None:
    mbtiles_file(folder, "ortho", {(0, 0, 0): PNG})
    (folder / "broken.mbtiles").write_bytes(b"no database at all")
    assert ask(f"/tiles/{path}")[0] == 404


def test_a_tile_past_the_limit_is_not_sent_and_nothing_is_written(
    db: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mbtiles, "MOST_BYTES", 100)
    mbtiles_file(folder, "ortho", {(0, 0, 0): PNG + b"x" * 200})
    assert ask("/tiles/ortho/0/0/0")[0] == 404
    assert ask("/tiles/ortho/0/0/0", method="POST")[0] == 405


# ---- our vector layers


def tile_at(lon: float, lat: float, zoom: int = 15) -> str:
    column, row = tile(lon, lat)
    return f"{zoom}/{column >> (18 - zoom)}/{row >> (18 - zoom)}"


def test_grids_of_the_readers_streets_lie_where_they_are(world: World, folder: Path) -> None:
    where = tile_at(*world.point_in("a"))
    mine, other = token(world.street.pk), token(world.other_street.pk + 1000)
    status, _headers, body = ask(f"/tiles/grids/{where}", f"t={mine}")
    assert status == 200
    codes = {one["properties"]["code"] for one in mapbox_vector_tile.decode(body)["grids"]["features"]}
    assert world.grids["a"].code15 in codes
    assert ask(f"/tiles/grids/{where}", f"t={other}")[::2] == (204, b"")


def test_the_basemap_is_thinned_out_far_away_and_made_anew_when_the_map_changes(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jiequ.web.tiles.vector.LOOK_SECONDS", -1.0)
    lon, lat = world.point_in("a")
    ring = [[lon, lat], [lon + 0.001, lat], [lon + 0.001, lat + 0.001], [lon, lat + 0.001], [lon, lat]]
    near, far = tile_at(lon, lat), tile_at(lon, lat, 10)
    MapFeature.objects.create(street=world.street, kind="building", geometry={"type": "Polygon", "coordinates": [ring]})
    _status, headers, body = ask(f"/tiles/basemap/{near}")
    kinds = [one["properties"]["kind"] for one in mapbox_vector_tile.decode(body)["basemap"]["features"]]
    assert "building" in kinds
    far_body = ask(f"/tiles/basemap/{far}")[2]
    assert b"building" not in far_body
    assert ask(f"/tiles/basemap/{near}", HTTP_IF_NONE_MATCH=headers["ETag"])[0] == 304
    road = {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.002, lat]]}
    MapFeature.objects.create(street=world.street, kind="trunk", name="大道", geometry=road)
    MapVersion.objects.update_or_create(street=world.street, defaults={"token": "another", "changed_at": datetime.now(UTC)})
    status, _headers, body = ask(f"/tiles/basemap/{near}", HTTP_IF_NONE_MATCH=headers["ETag"])
    assert status == 200
    assert "大道".encode() in body


# ---- the operator's tile services


def layers(tmp_path: Path, **changes: Any) -> list[dict[str, Any]]:
    given = {"id": "tdt", "url": "https://t{s}.example.cn/{z}/{x}/{y}?tk={key}", "system": "cgcs2000", "key": "k1"} | changes
    words = "\n".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in given.items() if value is not None)
    file = tmp_path / "layers.toml"
    file.write_text(f'[[layer]]\nsubdomains = ["0", "1"]\n{words}\n', encoding="utf-8")
    return basemaps.layers_of(str(file))


def test_a_tile_service_is_read_with_key_and_subdomains_and_its_hosts_alone_are_allowed(tmp_path: Path) -> None:
    found = layers(tmp_path, name="天地图", attribution="GS", maxzoom=17)
    assert found[0]["tiles"] == [f"https://t{n}.example.cn/{{z}}/{{x}}/{{y}}?tk=k1" for n in (0, 1)]
    assert basemaps.origins(found) == ["https://t0.example.cn", "https://t1.example.cn"]
    assert basemaps.layers_of("") == []
    assert [layers(tmp_path, system=system)[0]["system"] for system in ("cgcs2000", "gcj02")] == ["cgcs2000", "gcj02"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"system": "bd09"}, "system must be"),
        ({"url": "https://t{s}.example.cn/{key}"}, "{z}"),
        ({"url": "ftp://t{s}.example.cn/{z}/{x}/{y}?{key}"}, "https://"),
        ({"url": "https://a b;{s} script-src *{key}/{z}/{x}/{y}"}, "plain host"),
        ({"key": None}, "key"),
        ({"kind": "vector"}, "raster"),
        ({"id": "Bad Id"}, "id must be"),
        ({"colour": "red"}, "colour"),
        ({"size": "big"}, "size must be a whole number"),
    ],
)
def test_a_service_that_cannot_be_drawn_right_is_refused_with_a_sentence(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=words.replace("{", r"\{")):
        layers(tmp_path, **changes)


def test_map_tiles_are_served_where_a_page_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    options = Namespace(port=8000, tiles_port=None)
    assert tiles_port(options) == 0
    monkeypatch.setenv("JIEQU_TILES_URL", "/tiles/")
    assert tiles_port(options) == 8002
    monkeypatch.setenv("JIEQU_TILES_PORT", "9000")
    assert tiles_port(options) == 9000
    assert tiles_port(Namespace(port=8000, tiles_port=0)) == 0
