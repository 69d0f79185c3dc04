"""The ground of a synthetic scene: soil, grass, fields, asphalt, water, scrub; and roads, trees and cars on it."""

from __future__ import annotations

import cv2
import numpy as np

from jiequ.sense.engine.scene_parts import Car, Floats, Light, Region, Road, Scene, Tree, floats, ints

# (colours when lush, colours when dry, how strong the grain is): one of each is drawn for a date
MATERIALS: dict[str, tuple[list[tuple[int, int, int]], list[tuple[int, int, int]], float]] = {
    "soil": ([(128, 104, 80), (110, 86, 66), (150, 126, 98)], [(160, 136, 108), (140, 112, 86), (172, 150, 126)], 9),
    "sand": ([(186, 168, 140), (170, 150, 124)], [(204, 188, 160), (178, 166, 148), (190, 178, 158)], 6),
    "grass": ([(84, 102, 58), (96, 112, 70), (70, 92, 56)], [(150, 134, 98), (128, 118, 86), (140, 130, 104)], 10),
    "scrub": ([(98, 104, 72), (84, 92, 64)], [(136, 120, 96), (118, 106, 90)], 16),
    "crop": ([(88, 116, 60), (112, 130, 70)], [(176, 154, 104), (150, 126, 92)], 8),
    "concrete": ([(176, 174, 168), (160, 158, 152)], [(190, 186, 178), (168, 164, 156)], 6),
    "asphalt": ([(104, 104, 106), (120, 118, 116), (90, 90, 94)], [(128, 126, 122), (112, 110, 108)], 5),
    "gravel": ([(150, 144, 134), (136, 130, 122)], [(168, 160, 148), (150, 144, 136)], 10),
    "water": ([(52, 72, 72), (70, 88, 78)], [(60, 76, 84), (84, 92, 84)], 3),
}


def noise(rng: np.random.Generator, size: int, scale: float, octaves: int = 3) -> Floats:
    """Smooth random ground, about mean 0 and deviation 1; ``scale`` is the widest wave in pixels. Shape (size, size)."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = max(2, round(size / max(scale / 2**octave, 1)))
        if cells >= size:
            total += 0.55**octave * rng.standard_normal((size, size), dtype=np.float32)
            break
        coarse = rng.standard_normal((cells + 1, cells + 1), dtype=np.float32)
        total += 0.55**octave * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return total / max(float(total.std()), 1e-3)


def grain(rng: np.random.Generator, size: int, material: str, gsd: float) -> Floats:
    """The texture of a material at this resolution, mean 0 and deviation about 1."""
    fine = noise(rng, size, 3 / gsd, 3) * 0.75 + noise(rng, size, 40 / gsd, 2) * 0.6
    if material == "crop":
        y, x = np.mgrid[0:size, 0:size].astype(np.float32)
        turn, period = rng.uniform(0, np.pi), rng.uniform(1.2, 4) / gsd
        fine = 0.6 * fine + 0.9 * np.sin(2 * np.pi * (x * np.cos(turn) + y * np.sin(turn)) / max(period, 2.5)).astype(
            np.float32
        )
    if material == "scrub":
        fine -= 2.2 * np.clip(noise(rng, size, rng.uniform(4, 10) / gsd, 2) - 0.7, 0, 1.3)
    if material in ("soil", "sand"):
        fine += 0.8 * _tracks(rng, size)
    return np.asarray(fine, np.float32)


def _tracks(rng: np.random.Generator, size: int) -> Floats:
    """Lines that wheels leave on bare ground."""
    lines = np.zeros((size, size), np.float32)
    for _ in range(rng.integers(0, 8)):
        start, turn, bend = rng.uniform(0, size, 2), rng.uniform(0, 2 * np.pi), rng.normal(0, 0.004)
        steps = np.arange(0, size, 8)
        way = start + np.stack([np.cumsum(np.cos(turn + bend * steps)), np.cumsum(np.sin(turn + bend * steps))], 1) * 8
        cv2.polylines(lines, [ints(way)], False, float(rng.normal(0, 1.5)), int(rng.integers(1, 4)), cv2.LINE_AA)
    return lines


def colour_of(rng: np.random.Generator, material: str, season: float) -> Floats:
    """The colour of a material on a date, shape (3,)."""
    lush, dry, _ = MATERIALS[material]
    one, two = floats(lush[rng.integers(len(lush))]), floats(dry[rng.integers(len(dry))])
    mixed = one * (1 - season) + two * season
    return np.asarray((mixed * 0.75 + mixed.mean() * 0.25) * rng.normal(1, 0.1) + rng.normal(0, 4, 3), np.float32)


def paint_ground(scene: Scene, light: Light, rng: np.random.Generator) -> Floats:
    """The bare ground on a date, shape (size, size, 3)."""
    if scene.photo is not None:
        return np.asarray(scene.photo, np.float32).copy()
    image = np.zeros((scene.size, scene.size, 3), np.float32)
    fresh = noise(rng, scene.size, 6 / scene.gsd, 2)
    for region in scene.regions:
        strength = MATERIALS[region.material][2] * rng.uniform(0.7, 1.5)
        texture = (region.grain * 0.9 + fresh * 0.4 + rng.standard_normal(fresh.shape, dtype=np.float32) * 0.35) * strength
        layer = colour_of(rng, region.material, light.season) + texture[..., None]
        image += (layer - image) * region.cover[..., None]
    image *= 1 + 0.03 * noise(rng, scene.size, scene.size / 2, 2)[..., None]
    return image


def region(rng: np.random.Generator, scene: Scene, material: str, cover: Floats) -> Region:
    return Region(cover, material, grain(rng, scene.size, material, scene.gsd))


def paint_road(image: Floats, road: Road, gsd: float, light: Light, rng: np.random.Generator) -> None:
    """Draw one road with its kerb, wear and marks onto ``image``."""
    line, wide = [ints(road.line * 8)], max(1, round(road.width / gsd))
    colour = colour_of(rng, road.material, light.season)
    if rng.random() < 0.5:
        kerb = tuple(map(float, np.clip(colour * rng.uniform(1.05, 1.4), 0, 255)))
        cv2.polylines(image, line, False, kerb, wide + max(1, round(1.2 / gsd)), cv2.LINE_AA, 3)
    cv2.polylines(image, line, False, tuple(map(float, colour)), wide, cv2.LINE_AA, 3)
    worn = tuple(map(float, colour * rng.uniform(0.9, 1.08)))
    cv2.polylines(image, line, False, worn, max(1, wide // 3), cv2.LINE_AA, 3)
    if road.has_marks and gsd < 0.6:
        cv2.polylines(image, line, False, tuple(map(float, np.clip(colour * 1.35, 0, 255))), 1, cv2.LINE_AA, 3)


def tree_shadow(mask: Floats, tree: Tree, light: Light, gsd: float) -> None:
    radius = tree.radius / gsd
    place = (tree.x + light.shadow[0] * tree.radius * 1.1, tree.y + light.shadow[1] * tree.radius * 1.1)
    cv2.circle(mask, _fixed(place), int(radius * 8), 1.0, -1, cv2.LINE_AA, 3)


def paint_tree(image: Floats, tree: Tree, light: Light, gsd: float, hue: Floats) -> None:
    """One crown: a rough disc, bright to the sun, speckled; bare ones are thin in the dry season."""
    rng = np.random.default_rng(tree.seed)
    radius = max(1.5, tree.radius / gsd)
    reach = int(np.ceil(radius * 1.25))
    left, top = round(tree.x) - reach, round(tree.y) - reach
    window = _inside(image, left, top, 2 * reach + 1)
    if window is None:
        return
    (y0, y1, x0, x1) = window
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    dx, dy = (x - tree.x) / radius, (y - tree.y) / radius
    rough = rng.standard_normal(dx.shape, dtype=np.float32)
    if radius > 5:
        rough = rough * 0.5 + cv2.GaussianBlur(rough, (0, 0), radius / 5) * radius / 5 * 1.6
    alpha = np.clip((1.0 - np.hypot(dx, dy) + 0.13 * rough) * radius * 0.7, 0, 1) * (1 - 0.45 * light.season * (tree.tone > 0))
    length = max(float(np.hypot(*light.shadow)), 1e-3)
    sunny = -(dx * light.shadow[0] + dy * light.shadow[1]) / length
    colour = hue * (1 + 0.1 * tree.tone) * (0.92 + 0.28 * sunny + 0.17 * rough)[..., None]
    patch = image[y0:y1, x0:x1]
    patch += (colour - patch) * alpha[..., None]


def paint_car(image: Floats, car: Car, light: Light, gsd: float) -> None:
    along, across = np.array([np.cos(car.angle), np.sin(car.angle)]), np.array([-np.sin(car.angle), np.cos(car.angle)])
    half, wide = along * car.length / 2 / gsd, across * 0.95 / gsd
    middle = np.array([car.x, car.y])
    shape = np.stack([middle + half + wide, middle + half - wide, middle - half - wide, middle - half + wide])
    shadow = ints((shape + np.array(light.shadow) * 1.3) * 8)
    ground = image[int(np.clip(car.y, 0, len(image) - 1)), int(np.clip(car.x, 0, len(image) - 1))]
    cv2.fillConvexPoly(image, shadow, tuple(map(float, ground * 0.6)), cv2.LINE_AA, 3)
    cv2.fillConvexPoly(image, ints(shape * 8), car.colour, cv2.LINE_AA, 3)
    glass = ints((middle + (shape - middle) * np.array(0.45)) * 8)
    cv2.fillConvexPoly(image, glass, tuple(0.55 * c + 15 for c in car.colour), cv2.LINE_AA, 3)


def _fixed(place: tuple[float, float]) -> tuple[int, int]:
    return (int(place[0] * 8), int(place[1] * 8))


def _inside(image: Floats, left: int, top: int, side: int) -> tuple[int, int, int, int] | None:
    y0, y1, x0, x1 = max(top, 0), min(top + side, image.shape[0]), max(left, 0), min(left + side, image.shape[1])
    return (y0, y1, x0, x1) if y1 > y0 and x1 > x0 else None
