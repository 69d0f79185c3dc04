"""The design tokens can be read: computed from the stylesheets themselves, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "jiequ/web/static/web/css"
TEXT, SHAPE = 4.5, 3.0
GROUNDS = ("page", "surface", "sunk", "raised")
WORDS = ("ink", "ink-2", "ink-3", "brand", "link", "info", "green", "yellow", "red")
WORDS_ON_THEIR_GROUND = [
    ("on-brand", "brand"),
    ("on-brand", "brand-press"),
    ("on-red", "red"),
    ("brand", "brand-soft"),
    ("link", "brand-soft"),
    ("ink", "brand-soft"),
    ("ink-3", "brand-soft"),
    ("info", "info-soft"),
    ("ink", "info-soft"),
    ("green", "green-soft"),
    ("ink", "green-soft"),
    ("yellow", "yellow-soft"),
    ("ink", "yellow-soft"),
    ("ink-3", "yellow-soft"),
    ("red", "red-soft"),
    ("ink", "red-soft"),
    ("ink-2", "grey-soft"),
    ("ink-3", "grey-soft"),
    ("on-toast", "toast"),
    ("on-toast-act", "toast"),
]
SHAPES = ("green-shape", "yellow-shape", "red-shape", "grey-shape", "line-strong", "focus")
RAIL = {"#0b3b46": ("#dcebee", "#cfe3e7", "#b9d3d9", "#ffffff", "#ffd071")}


def tokens(*files: str) -> dict[str, str]:
    """The colours of the files, later ones over earlier ones."""
    found: dict[str, str] = {}
    for file in files:
        found.update(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6});", (CSS / file).read_text(encoding="utf-8")))
    return found


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def too_pale(colours: dict[str, str]) -> list[str]:
    """Every pair below its limit, with its figure."""
    pairs = [(word, ground, TEXT) for word in WORDS for ground in GROUNDS]
    pairs += [(word, ground, TEXT) for word, ground in WORDS_ON_THEIR_GROUND]
    pairs += [(shape, ground, SHAPE) for shape in SHAPES for ground in ("page", "surface", "sunk")]
    figures = [(word, ground, contrast(colours[word], colours[ground]), least) for word, ground, least in pairs]
    return [f"{word} on {ground}: {figure:.2f}" for word, ground, figure, least in figures if figure < least]


@pytest.mark.parametrize("files", [("tokens.css",), ("tokens.css", "dark.css")], ids=["day", "night"])
def test_every_word_stands_out_from_its_ground_and_every_shape_is_seen(files: tuple[str, ...]) -> None:
    assert too_pale(tokens(*files)) == []


def test_the_rail_of_the_desk_can_be_read() -> None:
    assert all(contrast(ground, word) >= TEXT for ground, words in RAIL.items() for word in words)
    css = (CSS / "desk.css").read_text(encoding="utf-8")
    assert all(colour in css for ground, words in RAIL.items() for colour in (ground, *words) if colour != "#ffffff")


def test_the_computation_finds_weuis_green_too_pale() -> None:
    assert contrast("#07c160", "#ffffff") == pytest.approx(2.4, abs=0.15)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert too_pale(tokens("tokens.css") | {"ink-3": "#9aa5a9"})


def test_night_names_every_colour_that_day_names_or_shares_it_knowingly() -> None:
    assert set(tokens("tokens.css")) - set(tokens("dark.css")) == set()
