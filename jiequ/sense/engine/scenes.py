"""Seeded pairs of aerial scenes with what changed between two dates: ground truth that no licence forbids.

A pair has new buildings, gone ones, added floors and roof sheds as its labels; seasons, cars, shadows, greenhouses, trellises,
crops, earth being moved, new roads and new trees change too and are not labels. numpy and OpenCV only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from jiequ.sense.engine import scene_camera as camera
from jiequ.sense.engine import scene_ground as ground
from jiequ.sense.engine import scene_roofs as roofs
from jiequ.sense.engine.scene_parts import Box, Floats, Light, Scene, Tree, floats, ints, light_of
from jiequ.sense.engine.scene_plan import lay_out

Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]
MARGIN = 8  # pixels drawn around a pair, so that drift never shows an edge


@dataclass(frozen=True, slots=True)
class Pair:
    """Two dates of one place, uint8 (size, size, 3) RGB, and masks (size, size): what is new, what is gone, roofs at each date.

    ``knows_roofs`` is False where a real photo lies beneath, whose own buildings nobody has drawn.
    """

    before: Bytes
    after: Bytes
    new: Bools
    gone: Bools
    roofs_before: Bools
    roofs_after: Bools
    gsd: float
    knows_roofs: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    image: Floats
    roof: Floats


def pair(
    seed: int, *, size: int = 256, gsd: float | None = None, photos: Sequence[Bytes] = (), kind: str | None = None
) -> Pair:
    """The pair of this seed. ``gsd`` in metres per pixel (None: .25–.7); ``photos``: RGB frames to use as ground, sometimes."""
    rng = np.random.default_rng([seed, 71])
    metres = gsd or float(np.exp(rng.uniform(np.log(0.25), np.log(0.7))))
    scene = lay_out(rng, size + 2 * MARGIN, metres, kind)
    if len(photos) and rng.random() < 0.25:
        _on_photo(scene, photos[int(rng.integers(len(photos)))], rng)
    before, after = _two_dates(scene, rng)
    return _shoot(before, after, rng, size)


def _on_photo(scene: Scene, photo: Bytes, rng: np.random.Generator) -> None:
    """A real frame for the ground: only some new buildings stand on it."""
    side = min(int(scene.size * rng.uniform(1.0, 2.5)), min(photo.shape[:2]))
    y, x = int(rng.integers(photo.shape[0] - side + 1)), int(rng.integers(photo.shape[1] - side + 1))
    scene.photo = cv2.resize(photo[y : y + side, x : x + side], (scene.size, scene.size), interpolation=cv2.INTER_AREA)
    scene.regions, scene.roads = [], []
    kept = rng.random() * 0.6
    scene.boxes = [b for b in scene.boxes if np.random.default_rng(b.building * 7 + 1).random() < kept]
    scene.trees, scene.cars = [t for t in scene.trees if rng.random() < 0.1], [c for c in scene.cars if rng.random() < 0.3]


def _two_dates(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Scene]:
    """What stood before and after. Modes: nothing built, some built, a whole quarter built on vacant land."""
    mode = rng.choice(["still", "infill", "quarter"], p=[0.2, 0.45, 0.35])
    numbers = sorted({b.building for b in scene.boxes})
    share = {"still": 0.0, "infill": rng.uniform(0.05, 0.6), "quarter": 1.0}[mode]
    built = {n for n in numbers if rng.random() < share}
    if mode == "quarter" and rng.random() < 0.4:
        built = _one_side(scene, rng)
    before = replace(scene, boxes=[b for b in scene.boxes if b.building not in built])
    after = replace(scene, boxes=list(scene.boxes))
    if mode == "quarter" and scene.photo is None:
        before = _vacant(before, rng) if rng.random() < 0.75 else before
    _clear_trees(before, after, built, rng)
    _raise_and_shed(before, after, built, rng)
    _nuisance(before, after, rng)
    return before, after


def _one_side(scene: Scene, rng: np.random.Generator) -> set[int]:
    turn, at = rng.uniform(0, 2 * np.pi), rng.normal(0, scene.size / 6)
    middle = scene.size / 2
    return {b.building for b in scene.boxes if (b.x - middle) * np.cos(turn) + (b.y - middle) * np.sin(turn) > at}


def _vacant(scene: Scene, rng: np.random.Generator) -> Scene:
    """The same place before anybody came: fields, scrub or desert, at most first roads and trees of its own."""
    other = lay_out(rng, scene.size, scene.gsd, "farms")
    boxes = scene.boxes
    keep_roads = rng.random()
    roads = [replace(r, material=str(rng.choice(["soil", r.material]))) for r in scene.roads if rng.random() < keep_roads]
    bare = str(rng.choice(["soil", "sand", "scrub", "grass", "crop", "gravel"]))
    regions = [ground.region(rng, scene, bare, np.ones((scene.size, scene.size), np.float32))]
    if rng.random() < 0.5:
        regions += [r for r in other.regions if rng.random() < 0.6]
    trees = [t for t in other.trees if rng.random() < rng.choice([0.0, 0.5, 1.0])]
    return replace(scene, regions=regions, roads=[r for r in roads if r.width > 5], boxes=boxes, trees=trees, cars=[])


def _clear_trees(before: Scene, after: Scene, built: set[int], rng: np.random.Generator) -> None:
    """Some trees stood where houses are now; some grew since."""
    grown = [t for t in after.trees if rng.random() < 0.85]
    felled = []
    for box in after.boxes:
        if box.building in built and rng.random() < 0.25:
            x, y = (np.array([box.x, box.y]) + rng.normal(0, 4, 2)).tolist()
            felled.append(Tree(x, y, float(rng.gamma(5, 0.6)), int(rng.integers(2**31)), float(rng.normal(0, 0.7))))
    before.trees = [replace(t, radius=t.radius * rng.uniform(0.7, 1.05)) for t in before.trees if rng.random() < 0.9] + felled
    after.trees = grown


def _raise_and_shed(before: Scene, after: Scene, built: set[int], rng: np.random.Generator) -> None:
    """Added floors and roof sheds: boxes on standing flat roofs, new at the second date or there at both."""
    for box in list(after.boxes):
        if box.roof != "flat" or box.length < 7 or rng.random() > 0.14:
            continue
        part = rng.uniform(0.3, 0.85, 2)
        place = rng.uniform(-0.5, 0.5, 2) * (1 - part) * (box.length, box.width) / after.gsd
        turn = np.array([[np.cos(box.angle), -np.sin(box.angle)], [np.sin(box.angle), np.cos(box.angle)]])
        x, y = np.array([box.x, box.y]) + turn @ place
        roof = str(rng.choice(["tin", "flat"], p=[0.75, 0.25]))
        number = 100_000 + box.building
        sides = sorted((float(box.length * part[0]), float(box.width * part[1])), reverse=True)
        angle = box.angle if box.length * part[0] >= box.width * part[1] else box.angle + np.pi / 2
        shed = Box(float(x), float(y), sides[0], sides[1], float(angle), box.height + float(rng.uniform(2.2, 3.6)), roof,
                   roofs.colour_for(rng, roof), number, int(rng.integers(2**31)), box.height)  # fmt: skip
        after.boxes.append(shed)
        if box.building not in built and rng.random() < 0.5:
            before.boxes.append(shed)


def _nuisance(before: Scene, after: Scene, rng: np.random.Generator) -> None:
    """Changes that are none: other cars, tents and greenhouses, patches of moved earth, repainted ground."""
    for scene in (before, after):
        scene.cars = [c for c in scene.cars if rng.random() < 0.6]
        for _ in range(rng.poisson(0.35)):
            kind = str(rng.choice(["greenhouse", "trellis"]))
            scene.boxes = scene.boxes + _strips(scene, kind, rng)
        if scene.photo is None and rng.random() < 0.45:
            cover = np.clip(
                (ground.noise(rng, scene.size, scene.size / 3, 2) - rng.uniform(0.3, 1.5)) * rng.uniform(2, 10), 0, 1
            )
            material = str(rng.choice(["soil", "sand", "grass", "concrete", "gravel", "water"]))
            scene.regions = [*scene.regions, ground.region(rng, scene, material, cover)]


def _strips(scene: Scene, kind: str, rng: np.random.Generator) -> list[Box]:
    """A few greenhouses or trellises side by side."""
    x, y = rng.uniform(0, scene.size, 2)
    angle, length, width = rng.uniform(0, np.pi), rng.uniform(8, 40), rng.uniform(4, 8)
    colour = roofs.colour_for(rng, kind)
    steps = [(width + 1) * k / scene.gsd for k in range(rng.integers(1, 5))]
    return [
        Box(float(x - np.sin(angle) * s), float(y + np.cos(angle) * s), float(length), float(width), float(angle), 2.5, kind,
            colour, -1, int(rng.integers(2**31)), is_building=False)
        for s in steps
    ]  # fmt: skip


def draw(scene: Scene, light: Light, rng: np.random.Generator) -> Drawn:
    """One date: ground, roads, shadows, cars, trees, buildings from low to high."""
    image = ground.paint_ground(scene, light, rng)
    for road in scene.roads:
        ground.paint_road(image, road, scene.gsd, light, rng)
    levels = {level: np.zeros((scene.size, scene.size), np.float32) for level in (0.0, 4.0, 8.0, 14.0)}
    for box in scene.boxes:
        for level, mask in levels.items():
            if box.height > level + (1.5 if level else 0):
                roofs.shadow_of(mask, box, light, scene.gsd, level)
    for tree in scene.trees:
        ground.tree_shadow(levels[0.0], tree, light, scene.gsd)
    for car in scene.cars:
        ground.paint_car(image, car, light, scene.gsd)
    _darken(image, levels[0.0], light)
    roof = np.zeros((scene.size, scene.size), np.float32)
    hue = _leaf(light, rng)
    for tree in scene.trees:
        ground.paint_tree(image, tree, light, scene.gsd, hue)
    wall = floats(rng.uniform(110, 215) + rng.normal(0, 10, 3))
    for box in sorted(scene.boxes, key=lambda b: b.height):
        roofs.paint_walls(image, box, light, scene.gsd, wall * floats(0.8 + 0.4 * (box.building * 0.618 % 1)))
        roofs.paint_roof(image, roof, box, light, scene.gsd)
        _shade_roof(image, box, levels, light, scene.gsd)
    return Drawn(image, roof)


def _leaf(light: Light, rng: np.random.Generator) -> Floats:
    lush, dry = np.array([58, 80, 48]), np.array([104, 96, 78])
    return floats((lush * (1 - light.season) + dry * light.season) * rng.normal(1, 0.15))


def _darken(image: Floats, mask: Floats, light: Light) -> None:
    soft = np.minimum(cv2.GaussianBlur(mask, (0, 0), 0.6), 1) * light.darkness
    image *= 1 - soft[..., None] * floats([1.0, 0.97, 0.9])


def _shade_roof(image: Floats, box: Box, levels: dict[float, Floats], light: Light, gsd: float) -> None:
    """Shadows of what is higher, on this roof."""
    level = next((at for at in levels if at >= box.height), None)
    if level is None:
        return
    corners = box.corners(gsd) + np.array(light.lean) * box.height
    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int) + 1
    x0, y0, x1, y1 = max(low[0], 0), max(low[1], 0), min(high[0], len(image)), min(high[1], len(image))
    if x1 > x0 and y1 > y0 and levels[level][y0:y1, x0:x1].any():
        inside = np.zeros((y1 - y0, x1 - x0), np.float32)
        cv2.fillConvexPoly(inside, ints(np.round((corners - (x0, y0)) * 8)), 1.0, cv2.LINE_AA, 3)
        image[y0:y1, x0:x1] *= 1 - (inside * levels[level][y0:y1, x0:x1] * light.darkness * 0.9)[..., None]


def _shoot(before: Scene, after: Scene, rng: np.random.Generator, size: int) -> Pair:
    """Both dates through their own sun and camera, and the masks that belong to them."""
    one, two = light_of(rng, before.gsd), light_of(rng, before.gsd)
    same_camera = rng.random() < 0.6
    if same_camera:
        two = replace(two, lean=(one.lean[0] + rng.normal(0, 0.05), one.lean[1] + rng.normal(0, 0.05)))
    first, second = draw(before, one, rng), draw(after, two, rng)
    old, fresh = _labels(before, one), _labels(after, two)
    gone, new = old[0] > 0, fresh[0] > 0
    standing_before, standing_after = {b.building for b in before.boxes}, {b.building for b in after.boxes}
    new = np.isin(fresh[0], [n for n in standing_after - standing_before if n > 0]) & new
    gone = np.isin(old[0], [n for n in standing_before - standing_after if n > 0]) & gone
    if after.rows:
        wide = max(3, round(4.5 / after.gsd)) | 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
        standing = (fresh[0] > 0) & ~new
        new = (cv2.morphologyEx(new.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0) & ~standing
    maps = camera.drift(before.size, rng)
    image = cv2.remap(first.image, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    inner = slice(MARGIN, MARGIN + size)
    look = [camera.expose(camera.develop(floats(part), rng), rng)[inner, inner] for part in (image, second.image)]
    return Pair(look[0], look[1], new[inner, inner], gone[inner, inner], old[0][inner, inner] > 0, fresh[0][inner, inner] > 0,
                before.gsd, before.photo is None)  # fmt: skip


def _labels(scene: Scene, light: Light) -> tuple[NDArray[np.int32], Scene]:
    """The number of the building whose roof is seen at each pixel, 0 where none is."""
    found = np.zeros((scene.size, scene.size), np.int32)
    for box in sorted(scene.boxes, key=lambda b: b.height):
        corners = box.corners(scene.gsd) + np.array(light.lean) * box.height
        cv2.fillConvexPoly(found, ints(np.round(corners * 8)), box.building if box.is_building else 0, shift=3)
    return found, scene
