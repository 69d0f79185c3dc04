"""Photos of the demonstration: small scenes drawn from a seed, each before and after. Nothing is copied from anywhere."""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from jiequ.core import pictures

WIDTH, HEIGHT = 1200, 900
KINDS = ("river", "rubbish", "road", "building", "light", "green")
_cleaned: dict[tuple[str, bool, int], pictures.Clean] = {}


def scene(kind: str, *, is_after: bool, number: int) -> pictures.Clean:
    """A drawn photo, taken through the one door like everybody else's."""
    key = (kind, is_after, number)
    if key not in _cleaned:
        _cleaned[key] = pictures.clean(io.BytesIO(drawn(kind, is_after=is_after, number=number)))
    return _cleaned[key]


def drawn(kind: str, *, is_after: bool, number: int) -> bytes:
    rng = Random(f"{kind}{number}")
    image = Image.new("RGB", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(image)
    _sky(pen, rng)
    {"river": _river, "rubbish": _rubbish, "road": _road, "building": _building, "light": _light, "green": _green}[kind](
        pen, rng, is_after
    )
    grain = Image.effect_noise((WIDTH, HEIGHT), 18).convert("RGB")
    image = Image.blend(image.filter(ImageFilter.GaussianBlur(1.2)), grain, 0.08)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=86)
    return out.getvalue()


def _sky(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    for y in range(HEIGHT // 2):
        shade = y / (HEIGHT / 2)
        pen.line([(0, y), (WIDTH, y)], fill=(int(150 + 70 * shade), int(180 + 45 * shade), int(205 + 25 * shade)))
    for _ in range(9):
        x, w, h = rng.randrange(-80, WIDTH), rng.randrange(90, 220), rng.randrange(120, 330)
        shade = rng.randrange(120, 190)
        pen.rectangle([x, HEIGHT // 2 - h, x + w, HEIGHT // 2], fill=(shade, shade - 6, shade - 14))
        for wy in range(HEIGHT // 2 - h + 16, HEIGHT // 2 - 16, 34):
            for wx in range(x + 12, x + w - 18, 30):
                pen.rectangle([wx, wy, wx + 14, wy + 18], fill=(shade - 50, shade - 40, shade - 25))


def _ground(pen: ImageDraw.ImageDraw, colour: tuple[int, int, int]) -> None:
    pen.rectangle([0, HEIGHT // 2, WIDTH, HEIGHT], fill=colour)


def _blobs(
    pen: ImageDraw.ImageDraw,
    rng: Random,
    count: int,
    box: tuple[int, int, int, int],
    colours: list[tuple[int, int, int]],
    size: tuple[int, int],
) -> None:
    for _ in range(count):
        x, y = rng.randrange(box[0], box[2]), rng.randrange(box[1], box[3])
        w = rng.randrange(*size)
        pen.ellipse([x, y, x + w, y + int(w * rng.uniform(0.4, 0.8))], fill=rng.choice(colours))


def _river(pen: ImageDraw.ImageDraw, rng: Random, is_after: bool) -> None:
    _ground(pen, (128, 138, 104))
    pen.polygon([(330, HEIGHT // 2), (860, HEIGHT // 2), (1150, HEIGHT), (40, HEIGHT)], fill=(86, 116, 122))
    for y in range(HEIGHT // 2 + 20, HEIGHT, 26):
        pen.line([(330 - (y - 450) // 2, y), (880 + (y - 450) // 2, y + 6)], fill=(106, 136, 142), width=3)
    if not is_after:
        greens = [(74, 108, 52), (92, 128, 60), (60, 92, 44), (120, 142, 84), (186, 182, 170)]
        _blobs(pen, rng, 520, (170, HEIGHT // 2 + 60, 980, HEIGHT - 60), greens, (24, 74))
        _blobs(pen, rng, 26, (280, 560, 900, 840), [(214, 210, 200), (180, 90, 70), (70, 110, 170)], (26, 60))


def _rubbish(pen: ImageDraw.ImageDraw, rng: Random, is_after: bool) -> None:
    _ground(pen, (150, 146, 140))
    for x in range(0, WIDTH, 120):
        pen.line([(x, HEIGHT // 2), (int(x * 1.6 - 340), HEIGHT)], fill=(132, 128, 122), width=3)
    if not is_after:
        bags = [(38, 40, 44), (208, 206, 200), (164, 60, 52), (54, 92, 150), (198, 170, 90)]
        _blobs(pen, rng, 150, (300, 540, 860, 800), bags, (40, 130))
    else:
        pen.rectangle([760, 470, 900, 640], fill=(70, 110, 86))
        pen.rectangle([750, 455, 910, 485], fill=(54, 90, 70))


def _road(pen: ImageDraw.ImageDraw, rng: Random, is_after: bool) -> None:
    _ground(pen, (96, 98, 102))
    for y in range(480, HEIGHT, 90):
        pen.polygon([(588, y), (612, y), (618, y + 48), (582, y + 48)], fill=(222, 220, 206))
    hole = [(430, 640), (560, 610), (720, 640), (760, 720), (640, 770), (470, 750)]
    pen.polygon(hole, fill=(112, 112, 114) if is_after else (52, 46, 42))
    if not is_after:
        _blobs(pen, rng, 40, (430, 620, 760, 780), [(70, 64, 58), (90, 84, 78)], (14, 44))


def _building(pen: ImageDraw.ImageDraw, rng: Random, is_after: bool) -> None:
    _ground(pen, (140, 136, 126))
    pen.rectangle([280, 250, 940, 780], fill=(204, 196, 182))
    for y in range(300, 740, 110):
        for x in range(330, 900, 120):
            pen.rectangle([x, y, x + 64, y + 72], fill=(116, 132, 146))
    if not is_after:
        pen.polygon([(300, 250), (620, 170), (920, 250)], fill=(64, 108, 168))
        for x in range(320, 910, 40):
            pen.line([(x, 250), (x, 190)], fill=(150, 154, 160), width=6)


def _light(pen: ImageDraw.ImageDraw, rng: Random, is_after: bool) -> None:
    _ground(pen, (70, 74, 84))
    pen.rectangle([0, 0, WIDTH, HEIGHT // 2], fill=(34, 42, 62))
    pen.rectangle([590, 200, 606, 820], fill=(120, 122, 126))
    pen.line([(598, 210), (720, 230)], fill=(120, 122, 126), width=12)
    if is_after:
        pen.polygon([(720, 236), (520, 820), (960, 820)], fill=(196, 180, 120))
    pen.ellipse([690, 220, 760, 256], fill=(250, 236, 170) if is_after else (60, 62, 66))


def _green(pen: ImageDraw.ImageDraw, rng: Random, is_after: bool) -> None:
    _ground(pen, (104, 140, 84))
    _blobs(pen, rng, 60, (0, 420, WIDTH, 560), [(66, 104, 54), (82, 122, 62)], (60, 160))
    if not is_after:
        pen.polygon([(240, 700), (900, 600), (920, 650), (260, 760)], fill=(96, 74, 52))
        _blobs(pen, rng, 120, (420, 560, 900, 700), [(74, 108, 56), (94, 130, 66)], (30, 90))
