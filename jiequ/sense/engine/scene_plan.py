"""Where things stand in a synthetic scene: suburbs, rows of houses, villages, halls, slabs, villas, farms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

from jiequ.sense.engine import scene_ground as ground
from jiequ.sense.engine.scene_parts import Box, Car, Colour, Floats, Road, Scene, Tree, floats, ints
from jiequ.sense.engine.scene_roofs import colour_for

CAR_COLOURS: list[Colour] = [
    (225, 225, 225),
    (200, 200, 205),
    (40, 42, 46),
    (90, 92, 96),
    (150, 40, 40),
    (50, 70, 120),
    (180, 170, 150),
]


class Planner:
    """A scene being laid out: keeps what is taken, so that nothing stands in anything else."""

    def __init__(self, rng: np.random.Generator, size: int, gsd: float) -> None:
        self.rng, self.scene, self.taken, self.buildings = rng, Scene(size, gsd), np.zeros((size, size), np.uint8), 0

    def stand(self, parts: list[tuple[float, float, float, float]], place: Any, angle: float, **look: Any) -> bool:
        """Put a building of ``parts`` (along, across, length, width in metres) at pixel ``place``; False if that is taken."""
        (x, y), gsd, cosine, sine = place, self.scene.gsd, np.cos(angle), np.sin(angle)
        number, boxes = self.buildings + 1, []
        for along, across, length, width in parts:
            middle = (x + (along * cosine - across * sine) / gsd, y + (along * sine + across * cosine) / gsd)
            turned = angle if length >= width else angle + np.pi / 2
            sides = (max(length, width), min(length, width))
            boxes.append(Box(*middle, *sides, turned, building=number, seed=int(self.rng.integers(2**31)), **look))
        if any(self._is_taken(box) for box in boxes):
            return False
        for box in boxes:
            cv2.fillConvexPoly(self.taken, ints(box.corners(gsd)), 1)
        self.buildings = number
        self.scene.boxes += boxes
        return True

    def road(self, line: Floats, width: float, material: str) -> None:
        self.scene.roads.append(Road(np.asarray(line, np.float64), width, material, bool(self.rng.random() < 0.5)))
        cv2.polylines(self.taken, [ints(line)], False, 1, max(1, round((width + 2) / self.scene.gsd)))

    def _is_taken(self, box: Box) -> bool:
        corners = box.corners(self.scene.gsd) * 1.0
        low, high = np.floor(corners.min(0)).astype(int) - 1, np.ceil(corners.max(0)).astype(int) + 2
        size = self.scene.size
        if (high < 0).any() or (low >= size).any():
            return True
        x0, y0, x1, y1 = max(low[0], 0), max(low[1], 0), min(high[0], size), min(high[1], size)
        if x1 <= x0 or y1 <= y0:
            return True
        shape = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillConvexPoly(shape, ints(corners - (x0, y0)), 1)
        return bool((self.taken[y0:y1, x0:x1] & shape).sum() > 0.04 * max(shape.sum(), 1))


def street_lines(planner: Planner, spacing: float) -> Iterator[tuple[Floats, float]]:
    """Centre lines of more or less parallel streets, bent alike, with their heading; ``spacing`` in metres."""
    rng, size, gsd = planner.rng, planner.scene.size, planner.scene.gsd
    heading, bend = rng.uniform(0, np.pi), rng.normal(0, 0.006) * gsd if rng.random() < 0.5 else 0.0
    across = np.array([-np.sin(heading), np.cos(heading)])
    shift = rng.uniform(0, spacing) / gsd
    reach = int(size / (spacing / gsd)) + 1
    for number in range(-reach, reach + 1):
        start = np.array([size / 2, size / 2]) + across * (number * spacing / gsd + shift)
        steps = np.arange(-size, size, 4.0)
        turn = heading + bend * steps
        line = np.stack([np.cumsum(np.cos(turn)) * 4, np.cumsum(np.sin(turn)) * 4], 1)
        line += start - line[len(line) // 2]
        if ((line > -30) & (line < size + 30)).all(1).any():
            yield floats(line), heading


def along(line: Floats, step: float, offset: float) -> Iterator[tuple[float, float, float]]:
    """(x, y, heading) every ``step`` pixels beside a line, ``offset`` pixels to its side."""
    way = np.diff(line, axis=0)
    travelled = np.concatenate([[0], np.cumsum(np.hypot(way[:, 0], way[:, 1]))])
    at = 0.0
    while at < travelled[-1]:
        i = min(int(np.searchsorted(travelled, at, "right")) - 1, len(way) - 1)
        heading = float(np.arctan2(way[i, 1], way[i, 0]))
        x, y = line[i] + way[i] * ((at - travelled[i]) / max(travelled[i + 1] - travelled[i], 1e-6))
        yield float(x - np.sin(heading) * offset), float(y + np.cos(heading) * offset), heading
        at += step


def _house(rng: np.random.Generator, length: float, width: float) -> list[tuple[float, float, float, float]]:
    """A main body, often with one or two wings."""
    parts = [(0.0, 0.0, length, width)]
    for _ in range(rng.choice([0, 1, 2], p=[0.35, 0.45, 0.2])):
        wing = (length * rng.uniform(0.3, 0.5), width * rng.uniform(0.35, 0.7))
        side = rng.choice([-1, 1])
        parts.append(
            (side * (length - wing[0]) / 2 * rng.uniform(0.5, 1), rng.choice([-1, 1]) * (width + wing[1]) / 2 * 0.8, *wing)
        )
    return parts


def suburb(planner: Planner) -> None:
    """Detached houses along streets, one kind of roof, driveways, fences, young or old trees."""
    rng, gsd = planner.rng, planner.scene.gsd
    depth = rng.uniform(9, 15)
    lines = [line for line, _ in street_lines(planner, rng.uniform(48, 72))]
    for line in lines:
        planner.road(line, rng.uniform(6, 10), rng.choice(["asphalt", "concrete"]))
    roof = str(rng.choice(["hip", "hip", "gable"]))
    shared, step = colour_for(rng, roof), rng.uniform(14, 21)
    for line in lines:
        for side in (-1, 1):
            for x, y, heading in along(line, step / gsd, side * (depth + rng.uniform(2, 5)) / gsd):
                if rng.random() < 0.93:
                    _suburb_house(planner, x, y, heading, side, step, roof, shared)


def _suburb_house(
    planner: Planner, x: float, y: float, heading: float, side: float, step: float, roof: str, shared: Colour
) -> None:
    rng, gsd = planner.rng, planner.scene.gsd
    size = (min(rng.uniform(10, 17), step - 2.5), rng.uniform(9, 14))
    red, green, blue = np.array(shared) * rng.normal(1, 0.07)
    colour = (float(red), float(green), float(blue)) if rng.random() < 0.8 else colour_for(rng, roof)
    angle = heading + rng.normal(0, 0.04)
    if planner.stand(_house(rng, *size), (x, y), angle, height=rng.uniform(4, 8), roof=roof, colour=colour):
        across = np.array([np.sin(heading), -np.cos(heading)]) * side
        start = np.array([x, y]) + np.array([np.cos(heading), np.sin(heading)]) * rng.uniform(-4, 4) / gsd
        if rng.random() < 0.7:
            planner.scene.roads.append(Road(np.stack([start, start + across * 14 / gsd]), rng.uniform(3, 6), "concrete"))
        back = np.array([x, y]) - across * rng.uniform(12, 20) / gsd
        if rng.random() < 0.5:
            half = np.array([np.cos(heading), np.sin(heading)]) * step / 2 / gsd
            planner.scene.roads.append(Road(np.stack([back - half, back + half]), 0.4, "soil"))


def rows(planner: Planner) -> None:
    """Flat-roofed houses wall to wall along straight or curved streets, two rows back to back."""
    rng, gsd = planner.rng, planner.scene.gsd
    planner.scene.rows = True
    wide, gap = rng.uniform(12, 24), rng.choice([0.0, rng.uniform(1, 5)])
    deep = rng.uniform(12, 22)
    back_to_back = rng.random() < 0.6
    street = rng.uniform(8, 18)
    spacing = (4 if back_to_back else 2) * (deep + 1) + rng.choice([2.0, rng.uniform(2, 30)])
    lines = [line for line, _ in street_lines(planner, spacing + street)]
    for line in lines:
        planner.road(line, street, "asphalt")
    palette = [colour_for(rng, "flat") for _ in range(3)]
    height, skip = rng.uniform(6, 22), rng.uniform(0.02, 0.3)
    lanes = [deep / 2 + street / 2 + 2] + ([deep * 1.5 + street / 2 + 2 + rng.uniform(0, 3)] if back_to_back else [])
    for line in lines:
        for lane in lanes + [-lane for lane in lanes if rng.random() < 0.7]:
            for x, y, heading in along(line, (wide + gap) / gsd, lane / gsd):
                if rng.random() > skip:
                    parts = [(0.0, 0.0, wide, deep)] if rng.random() < 0.7 else _stepped(wide, deep, rng)
                    look = {"height": height * rng.uniform(0.8, 1.2), "roof": "flat", "colour": palette[rng.integers(3)]}
                    planner.stand(parts, (x, y), heading, **look)


def _stepped(wide: float, deep: float, rng: np.random.Generator) -> list[tuple[float, float, float, float]]:
    """A body with a narrower part before it."""
    cut = rng.uniform(0.15, 0.35) * deep
    return [
        (0.0, cut / 2, wide, deep - cut),
        (rng.normal(0, 0.1) * wide, cut / 2 - deep / 2, wide * rng.uniform(0.4, 0.8), cut),
    ]


def village(planner: Planner) -> None:
    """An old village: houses at all distances, tiles, flat roofs and tin beside each other, lanes between."""
    rng, size, gsd = planner.rng, planner.scene.size, planner.scene.gsd
    for line, _ in street_lines(planner, rng.uniform(50, 120)):
        planner.road(line, rng.uniform(3, 6), rng.choice(["concrete", "asphalt", "soil"]))
    heading, density = rng.uniform(0, np.pi), rng.uniform(0.3, 1)
    mixture = rng.dirichlet([1.0, 1.0, 0.7])
    pitch = rng.uniform(11, 17)
    for column in np.arange(0, size * 1.5, pitch / gsd):
        for row in np.arange(0, size * 1.5, pitch * rng.uniform(0.8, 1.2) / gsd):
            x, y = np.array([column, row]) - size * 0.25 + rng.normal(0, 1.5 / gsd, 2)
            turned = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]]) @ (
                np.array([x, y]) - size / 2
            )
            if rng.random() < density:
                roof = str(rng.choice(["gable", "flat", "tin"], p=mixture))
                parts = _house(rng, rng.uniform(8, 14), rng.uniform(6, 10)) if rng.random() < 0.7 else [(0.0, 0.0, 6.0, 4.5)]
                look = {"height": rng.uniform(3, 14), "roof": roof, "colour": colour_for(rng, roof)}
                planner.stand(parts, turned + size / 2, heading + rng.normal(0, 0.06), **look)


def halls(planner: Planner) -> None:
    """Works and warehouses: large halls of metal, paved yards, some offices."""
    rng, size = planner.rng, planner.scene.size
    yard = np.clip(ground.noise(rng, size, size / 2, 2) * 2 + 1, 0, 1)
    planner.scene.regions.append(ground.region(rng, planner.scene, str(rng.choice(["concrete", "gravel", "asphalt"])), yard))
    for line, _ in street_lines(planner, rng.uniform(70, 140)):
        planner.road(line, rng.uniform(7, 12), "asphalt")
    heading = rng.uniform(0, np.pi)
    for _ in range(rng.integers(4, 26)):
        roof = str(rng.choice(["shed", "flat", "tin"], p=[0.65, 0.25, 0.1]))
        long = rng.uniform(14, 70)
        parts = [(0.0, 0.0, long, long * rng.uniform(0.3, 0.8))]
        look = {"height": rng.uniform(4, 12), "roof": roof, "colour": colour_for(rng, roof)}
        planner.stand(parts, rng.uniform(0, size, 2), heading + rng.choice([0, np.pi / 2]), **look)


def slabs(planner: Planner) -> None:
    """Housing estates: long slabs and towers with long shadows, lawns between."""
    rng, size = planner.rng, planner.scene.size
    for line, _ in street_lines(planner, rng.uniform(70, 130)):
        planner.road(line, rng.uniform(6, 14), "asphalt")
    heading, roof = rng.uniform(0, np.pi), str(rng.choice(["flat", "flat", "hip"]))
    colour = colour_for(rng, roof)
    for _ in range(rng.integers(6, 24)):
        long = rng.uniform(18, 55)
        parts = _house(rng, long, rng.uniform(11, 16))
        look = {"height": rng.uniform(12, 45), "roof": roof, "colour": colour}
        planner.stand(parts, rng.uniform(0, size, 2), heading, **look)


def villas(planner: Planner) -> None:
    """Villas of many small parts, white to grey, among trees and hedges."""
    rng, size, gsd = planner.rng, planner.scene.size, planner.scene.gsd
    for line, _ in street_lines(planner, rng.uniform(50, 80)):
        planner.road(line, rng.uniform(5, 9), "asphalt")
        for side in (-1, 1):
            for x, y, heading in along(line, rng.uniform(18, 30) / gsd, side * rng.uniform(15, 20) / gsd):
                length, width = rng.uniform(10, 18), rng.uniform(9, 14)
                parts = [(0.0, 0.0, length, width)]
                for _ in range(rng.integers(1, 4)):
                    at = rng.uniform(-0.6, 0.6, 2) * (length, width)
                    parts.append((at[0], at[1], rng.uniform(4, 9), rng.uniform(4, 8)))
                look = {"height": rng.uniform(5, 11), "roof": "flat", "colour": colour_for(rng, "flat")}
                planner.stand(parts, (x, y), heading + rng.normal(0, 0.15), **look)
    for _ in range(int(60 * (size * gsd / 100) ** 2 / 2)):
        add_tree(planner, *rng.uniform(0, size, 2))


def farms(planner: Planner) -> None:
    """Fields, a few houses and sheds; greenhouses and trellises, which are no buildings."""
    rng, size = planner.rng, planner.scene.size
    fields(planner)
    for _ in range(rng.integers(1, 9)):
        roof = str(rng.choice(["gable", "tin", "flat", "shed"]))
        parts = _house(rng, rng.uniform(8, 22), rng.uniform(6, 11))
        look = {"height": rng.uniform(3, 8), "roof": roof, "colour": colour_for(rng, roof)}
        planner.stand(parts, rng.uniform(0, size, 2), rng.uniform(0, np.pi), **look)


def fields(planner: Planner) -> None:
    """Strips of land, each with its own crop, at one angle."""
    rng, size, gsd = planner.rng, planner.scene.size, planner.scene.gsd
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    turn = rng.uniform(0, np.pi)
    over = x * np.cos(turn) + y * np.sin(turn) + rng.uniform(0, 100)
    strip = np.floor(over * gsd / rng.uniform(15, 50)) + 7 * np.floor(
        (y * np.cos(turn) - x * np.sin(turn)) * gsd / rng.uniform(60, 150)
    )
    for material in ("crop", "soil", "grass"):
        cover = ((strip * 2654435 % 97) / 97 < rng.uniform(0.2, 0.6)).astype(np.float32)
        planner.scene.regions.append(ground.region(rng, planner.scene, material, cv2.GaussianBlur(cover, (0, 0), 0.8)))


def add_tree(planner: Planner, x: float, y: float) -> None:
    rng = planner.rng
    if 0 <= x < planner.scene.size and 0 <= y < planner.scene.size and not planner.taken[int(y), int(x)]:
        planner.scene.trees.append(Tree(x, y, float(rng.gamma(5, 0.5)), int(rng.integers(2**31)), float(rng.normal(0, 0.7))))


def furnish(planner: Planner) -> None:
    """Trees alone, in lines and in woods; cars on roads and in yards."""
    rng, scene, size, gsd = planner.rng, planner.scene, planner.scene.size, planner.scene.gsd
    hectares = (size * gsd / 100) ** 2
    for _ in range(rng.poisson(rng.choice([2, 15, 45]) * hectares)):
        add_tree(planner, *rng.uniform(0, size, 2))
    if rng.random() < 0.35:
        wood = ground.noise(rng, size, size / 2, 2) > rng.uniform(0.4, 1.3)
        for _ in range(int(160 * hectares)):
            x, y = rng.uniform(0, size, 2)
            if wood[int(y), int(x)]:
                add_tree(planner, x, y)
    for road in scene.roads:
        if road.width > 5:
            park(planner, road)
    for _ in range(rng.poisson(0.6)):
        lot(planner)


def park(planner: Planner, road: Road) -> None:
    """Cars that stand or drive along a road; trees beside it."""
    rng, scene, gsd = planner.rng, planner.scene, planner.scene.gsd
    busy = rng.choice([0.0, 0.05, 0.3, 0.7])
    for offset in (-1, 1):
        for x, y, heading in along(floats(road.line), 6.5 / gsd, offset * (road.width / 2 - 1.2) / gsd):
            if rng.random() < busy:
                scene.cars.append(Car(x, y, heading, float(rng.uniform(4, 5.2)), CAR_COLOURS[rng.integers(len(CAR_COLOURS))]))
        if rng.random() < 0.45:
            for x, y, _ in along(floats(road.line), rng.uniform(5, 12) / gsd, offset * (road.width / 2 + 2) / gsd):
                add_tree(planner, x, y)


def lot(planner: Planner) -> None:
    """A car park: rows of cars wherever nothing stands."""
    rng, scene, gsd = planner.rng, planner.scene, planner.scene.gsd
    middle, angle, full = rng.uniform(0, scene.size, 2), rng.uniform(0, np.pi), rng.uniform(0.2, 0.9)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for row in range(int(rng.integers(1, 6))):
        for column in range(int(rng.integers(4, 16))):
            x, y = middle + turn @ np.array([column * 2.7, row * rng.choice([5.5, 11.0])]) / gsd
            if rng.random() < full and 0 <= x < scene.size and 0 <= y < scene.size and not planner.taken[int(y), int(x)]:
                colour = CAR_COLOURS[rng.integers(len(CAR_COLOURS))]
                scene.cars.append(Car(float(x), float(y), angle + np.pi / 2, float(rng.uniform(4, 5)), colour))


LAYOUTS: dict[str, tuple[Callable[[Planner], None], float]] = {
    "suburb": (suburb, 0.24),
    "rows": (rows, 0.22),
    "village": (village, 0.16),
    "halls": (halls, 0.12),
    "slabs": (slabs, 0.08),
    "villas": (villas, 0.12),
    "farms": (farms, 0.06),
}


def lay_out(rng: np.random.Generator, size: int, gsd: float, kind: str | None = None) -> Scene:
    """A place of one kind (see ``LAYOUTS``; None: drawn), with its ground."""
    planner = Planner(rng, size, gsd)
    names = list(LAYOUTS)
    chosen = kind or str(rng.choice(names, p=[weight for _, weight in LAYOUTS.values()]))
    bare_ground(planner)
    LAYOUTS[chosen][0](planner)
    furnish(planner)
    return planner.scene


def bare_ground(planner: Planner) -> None:
    """Two or three materials that run into each other."""
    rng, scene, size = planner.rng, planner.scene, planner.scene.size
    order = list(rng.permutation(["grass", "soil", "concrete", "sand", "gravel", "scrub"]))
    scene.regions.append(ground.region(rng, scene, str(order[0]), np.ones((size, size), np.float32)))
    for material in order[1 : rng.integers(1, 4)]:
        cover = np.clip(ground.noise(rng, size, size / rng.uniform(1, 4), 3) * rng.uniform(2, 14) + rng.normal(0, 1.5), 0, 1)
        scene.regions.append(ground.region(rng, scene, str(material), cover))
