"""The user guide says what the product shows: its words, its keys, its pictures, its pages (docs/guide)."""

from __future__ import annotations

import io
import re
import struct
from functools import cache
from pathlib import Path

import pytest
from django.utils import translation
from PIL import Image, ImageChops, ImageStat

from jiequ.cases import policy, words
from jiequ.cases.views.present import KEYS
from jiequ.people.rules import Role
from jiequ.web import guide
from tests.e2e.guide import thumb
from tests.repo import messages

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "guide"
PICTURES = FOLDER / "pictures"
LIMIT_BYTES = 3_000_000
MOST_THUMB_BYTES = 5_000
FAR = 0.5  # grey steps of 256, on average
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
HAN = re.compile(r"[\u4e00-\u9fff]")
CITED = re.compile(r"「([^「」]+)」|\*\*([^*]+)\*\*")


def pages() -> dict[str, str]:
    """Every page of the guide by its name."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.md"))}


def named_pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(pictures/([^)]+)\)", text)


@cache
def shown() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """What the product can show: texts as they stand, and those with places for values as patterns."""
    texts = {text.msgid for text in messages.texts()} | {text.plural for text in messages.texts() if text.plural}
    for table in (policy.REJECT_REASONS, policy.RETURN_REASONS, policy.CANCEL_REASONS, policy.FORCE_REASONS):
        texts |= {chinese for chinese, _english in table.values()}
    open_ones = [text for text in texts if PLACEHOLDER.search(text) and HAN.search(PLACEHOLDER.sub("", text))]
    patterns = (re.compile(".+".join(re.escape(part) for part in PLACEHOLDER.split(text))) for text in open_ones)
    return frozenset(texts), tuple(patterns)


def is_shown(cited: str) -> bool:
    texts, patterns = shown()
    return cited in texts or any(pattern.fullmatch(cited) for pattern in patterns)


@pytest.mark.parametrize("name", pages())
def test_every_word_the_guide_cites_from_the_screen_is_on_a_screen(name: str) -> None:
    cited = {one or other for one, other in CITED.findall(pages()[name])}
    assert not sorted(word for word in cited if not is_shown(word))


def test_a_word_that_no_screen_has_is_found() -> None:
    assert is_shown("立案")
    assert is_shown("派给 水务")
    assert not is_shown("马上搞定")


def test_every_picture_the_guide_names_exists_and_every_picture_is_named() -> None:
    named = {picture for text in pages().values() for picture in named_pictures(text)}
    assert named == {file.name for file in PICTURES.iterdir()}


def test_the_pictures_are_small_and_of_the_two_sizes() -> None:
    assert sum(file.stat().st_size for file in PICTURES.iterdir()) < LIMIT_BYTES
    for file in PICTURES.iterdir():
        width, _height = struct.unpack(">II", file.read_bytes()[16:24])
        assert width <= (720 if file.name.startswith("phone-") else 1440), file.name
        assert file.name.startswith(("phone-", "desk-")), file.name


def test_the_pages_link_only_to_each_other_and_to_headings_that_exist() -> None:
    texts = {name: text for name, text in pages().items() if "." not in name}
    headings = {name: {guide.anchor(h) for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)} for name, text in texts.items()}
    dead = []
    for name, text in texts.items():
        for target in re.findall(r"(?<!!)\[[^\]]+\]\(([^)]+)\)", text):
            page, _mark, place = target.partition("#")
            known = headings.get(page.removesuffix(".md") if page else name)
            if known is None or (place and place not in known):
                dead.append(f"{name}: {target}")
    assert not dead


def test_every_page_is_in_the_index_and_every_role_has_one() -> None:
    index = pages()[guide.INDEX]
    names = {name for name in pages() if "." not in name} - {guide.INDEX}
    assert names == {name for name in names if f"]({name}.md)" in index}
    assert names == {*guide.OWN_PAGES, guide.COMMON}
    without = {role for role in Role if guide.own_page(frozenset({role})) == guide.COMMON}
    assert without == {Role.SYSTEM}


def test_the_letters_of_the_desk_are_those_of_the_code() -> None:
    told = dict(re.findall(r"^\| `(\w)` \| ([^|]+) \|$", pages()["desk"], re.MULTILINE))
    with translation.override("zh-hans"):
        letters = {letter: {str(words.MOVES[move]) for move in KEYS if KEYS[move] == letter} for letter in KEYS.values()}
    assert letters.keys() == told.keys() - {"n", "o"}
    for letter, meant in letters.items():
        assert all(word in told[letter] for word in meant), f"{letter}: {told[letter]}, not {meant}"


def test_every_picture_has_a_small_thumbnail_of_itself() -> None:
    thumbs = FOLDER / "thumbs"
    assert {guide.thumb_of(file.name) for file in PICTURES.iterdir()} == {file.name for file in thumbs.iterdir()}
    for picture in PICTURES.iterdir():
        small = thumbs / guide.thumb_of(picture.name)
        assert small.stat().st_size <= MOST_THUMB_BYTES, small.name
        assert is_thumb_of(small, picture), f"{small.name} shows something else: python -m tests.e2e.guide makes both"


def test_another_pictures_thumbnail_is_told() -> None:
    assert not is_thumb_of(FOLDER / "thumbs" / "desk-map.webp", PICTURES / "desk-grid.png")
    assert not is_thumb_of(FOLDER / "thumbs" / "phone-case.webp", PICTURES / "phone-confirm.png")


def is_thumb_of(small: Path, picture: Path) -> bool:
    """True if the thumbnail is the picture made small; another release of the codec may round a little otherwise."""
    kept, made = Image.open(small).convert("L"), Image.open(io.BytesIO(thumb(picture))).convert("L")
    return kept.size == made.size and ImageStat.Stat(ImageChops.difference(kept, made)).mean[0] < FAR
