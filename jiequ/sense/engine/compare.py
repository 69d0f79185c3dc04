"""Two dates in, polygons out: the stages in their order, each resumed where a killed run left it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import rasterio

from jiequ.sense.engine import joining, units
from jiequ.sense.engine.areas import area_m2
from jiequ.sense.engine.field import Field
from jiequ.sense.engine.folder import sweep, write_whole
from jiequ.sense.engine.grid import Window, tiles, to_data
from jiequ.sense.engine.joining import Joint, Tiles
from jiequ.sense.engine.parameters import Parameters
from jiequ.sense.engine.plan import ENGINE, Input, Plan, Side, common_grid, fingerprint, outline, snapshot_grid, stretch_of
from jiequ.sense.engine.rasters import ENVIRONMENT, FAULTS
from jiequ.sense.engine.results import outcome_from_json, outcome_to_json
from jiequ.sense.engine.runner import Progress, Unit, crew
from jiequ.sense.engine.shapes import Blind, Geometry, Outcome, Sources, Unusable
from jiequ.sense.engine.stages import (
    Hands,
    PictureWhole,
    SurfaceWhole,
    picture_field,
    picture_whole,
    surface_field,
    surface_whole,
)
from jiequ.sense.engine.vector import on_ground

LEAST_PICTURE_M = 0.2
LEAST_SURFACE_M = 0.25
PIECE = 1 << 20
DONE = "outcome.json"
STRIP_TILES = 6  # so many tiles beside each other, then the next row of them: their blocks fit into GDAL's cache
Note = dict[str, Any]


def compare(
    before: Sources,
    after: Sources,
    *,
    work: Path,
    area: Geometry | None = None,
    parameters: Parameters = Parameters(),  # noqa: B008  (frozen)
    weights: Path | None = None,
    runner: str = "pool",
    processes: int = 0,
    progress: Progress | None = None,
) -> Outcome:
    """Compare two dates of a place.

    ``work``: this comparison's own folder; what is done stands there, and a second call goes on. ``area``: GeoJSON in WGS-84,
    the part to compare (None: what both dates show). ``runner``: "pool" (``processes`` of them, 0: one a core) or the
    address of a Dask scheduler. ``progress(stage, done, of)`` is told of each unit. Raises Unusable.
    """
    work.mkdir(parents=True, exist_ok=True)
    sweep(work)
    units.forget()
    try:
        with rasterio.Env(**ENVIRONMENT), crew(runner, processes) as hands:
            if not (work / DONE).is_file():
                hands.begin()
            plan, notes = planned(before, after, area, parameters, weights, progress)
            return _resumed(plan, notes, Hands(hands, work, progress))
    except FAULTS as broken:
        raise Unusable("unreadable", what=type(broken).__name__) from broken
    finally:
        units.forget()


def _resumed(plan: Plan, notes: list[Note], hands: Hands) -> Outcome:
    place = hands.folder / DONE
    key = fingerprint(plan)
    if place.is_file():
        found = outcome_from_json(place.read_bytes())
        if found.provenance["key"] == key:
            return found
    written = outcome_to_json(_compared(plan, notes, key, hands)).encode()
    write_whole(place, written)
    return outcome_from_json(written)


def planned(
    before: Sources,
    after: Sources,
    area: Geometry | None,
    parameters: Parameters,
    weights: Path | None,
    progress: Progress | None,
) -> tuple[Plan, list[Note]]:
    """What will be compared with what, and what cannot be and why."""
    model, gsd, notes = _model(weights)
    hashed = _Hashed(
        [one for source in (before, after) for one in (source.ortho, source.dsm, source.snapshot) if one], progress
    )
    picture = surface = None
    free = before.snapshot is not None and after.snapshot is not None
    if free and before.snapshot and after.snapshot:
        grid = snapshot_grid(before.snapshot, after.snapshot)
        picture = Side(hashed(before.snapshot), hashed(after.snapshot), grid, False)
    elif before.ortho and after.ortho:
        grid = common_grid(before.ortho, after.ortho, parameters.resolution_m, max(LEAST_PICTURE_M, gsd), area)
        picture = Side(hashed(before.ortho), hashed(after.ortho), grid, False)
        picture = replace(picture, stretches=(stretch_of(before.ortho), stretch_of(after.ortho)))
    if not free and before.dsm and after.dsm:
        grid = common_grid(before.dsm, after.dsm, parameters.dsm_resolution_m, LEAST_SURFACE_M, area)
        surface = Side(hashed(before.dsm), hashed(after.dsm), grid, True)
    if picture is None and surface is None:
        raise Unusable("nothing_in_common")
    if surface is None and not free:  # a camera has none
        notes.append({"code": "no_surface_model"})
    return Plan(picture, surface, free, model, str(weights) if weights else "", parameters), notes


def _model(weights: Path | None) -> tuple[str, float, list[Note]]:
    """(id of the net, metres a pixel that it works at, notes); without a net the surface goes on alone and says so."""
    try:
        net = import_module("jiequ.sense.engine.net")
    except ImportError:
        return "", 0.0, [{"code": "net_missing", "why": "not_installed"}]
    try:
        found = net.open_net(weights, threads=1)
    except net.WeightsError as missing:
        return "", 0.0, [{"code": "net_missing", "why": missing.code}]
    return found.model_id, found.gsd_m, []


class _Hashed:
    """The inputs by their paths, each hashed once."""

    def __init__(self, paths: Sequence[Path], progress: Progress | None) -> None:
        self._known: dict[Path, Input] = {}
        for number, path in enumerate(paths, 1):
            self._known[path] = Input(path, sha256_of(path))
            if progress is not None:
                progress("hash", number, len(paths))

    def __call__(self, path: Path) -> Input:
        return self._known[path]


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes. Unusable: unreadable."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                found.update(piece)
    except OSError as broken:
        raise Unusable("unreadable", what=type(broken).__name__) from broken
    return found.hexdigest()


def _compared(plan: Plan, notes: list[Note], key: str, hands: Hands) -> Outcome:
    blind: list[Blind] = []
    surface = _surface(plan, notes, blind, hands) if plan.surface else None
    whole = picture_whole(plan.picture, plan.free, hands) if plan.picture else None
    picture = _picture(plan, whole, notes, blind, hands) if plan.picture and whole else None
    joint = Joint(plan, surface, (picture, whole) if picture and whole else None, plan.picture, whole).joined()
    found = sorted(joining.findings(joint, joining.candidates(joint), hands), key=lambda finding: finding.key)
    blind += joining.blind_places(joint)
    parts = [part[0] for part in (joint.surface, joint.picture) if part]
    seen = max((_seen_m2(part) for part in parts), default=0.0)
    told = {**_provenance(plan, surface[1] if surface else None, whole), "key": key}
    return Outcome(tuple(found), tuple(blind), tuple(notes), told, seen, sum(len(part.places) for part in parts))


def _surface(plan: Plan, notes: list[Note], blind: list[Blind], hands: Hands) -> tuple[Tiles, SurfaceWhole] | None:
    side = plan.surface
    assert side is not None
    whole = surface_whole(side, hands)
    if whole is None:
        notes.append({"code": "surface_not_registered"})
        blind.append(joining.all_blind(side.grid, "not_registered", "dsm"))
        return None
    seen = surface_field(side, whole, plan.parameters, hands)

    def given(window: Window) -> tuple[Any, ...]:
        return side, whole.lie, seen.around(window), window, plan.parameters

    return _tiles(side, plan.parameters, "surface", units.surface_tile, given, hands), whole


def _picture(plan: Plan, whole: PictureWhole, notes: list[Note], blind: list[Blind], hands: Hands) -> Tiles | None:
    side = plan.picture
    assert side is not None
    if not whole.overall.found:
        notes.append({"code": "no_common_features"})
    if not plan.model:
        if plan.surface is None:
            blind.append(joining.all_blind(side.grid, "no_detector", "net"))
        return None
    seen: Field = picture_field(side, whole, plan.parameters, hands)

    def given(window: Window) -> tuple[Any, ...]:
        part = seen.around(window)
        return side, whole.overall, part, whole.tone, window, plan.weights, plan.model, plan.parameters

    return _tiles(side, plan.parameters, "picture", units.picture_tile, given, hands)


def _tiles(
    side: Side,
    parameters: Parameters,
    stage: str,
    work: Callable[..., bytes],
    given: Callable[[Window], tuple[Any, ...]],
    hands: Hands,
) -> Tiles:
    wide = STRIP_TILES * parameters.tile_px
    windows = sorted(tiles(side.grid, parameters.tile_px, parameters.offset_px), key=lambda one: (one.column // wide, one))
    return Tiles(side, hands.places([Unit(stage, work, given(window)) for window in windows]), windows)


def _seen_m2(part: Tiles) -> float:
    grid = part.side.grid
    whole = area_m2(on_ground(outline(grid), grid), grid.crs)
    return round(whole * part.seen_px() / (grid.width * grid.height), 1)


def _provenance(plan: Plan, surface: SurfaceWhole | None, picture: PictureWhole | None) -> dict[str, Any]:
    told: dict[str, Any] = {"engine": ENGINE, "model": plan.model, "parameters": asdict(plan.parameters)}
    for name, side in (("ortho", plan.picture), ("dsm", plan.surface)):
        if side is not None:
            told[name] = {"before": side.earlier.sha256, "after": side.later.sha256, "grid": to_data(side.grid)}
    if surface is not None:
        told["surface_registration"] = {name: round(number, 5) for name, number in asdict(surface.lie).items()}
    if picture is not None:
        matrix = [[round(number, 6) for number in row] for row in picture.overall.matrix]
        told["picture_registration"] = {"matrix": matrix, "agreeing": picture.overall.agreeing, "of": picture.overall.of}
    return told
