"""The user guide (docs/guide) inside the product: Markdown to HTML, without any HTML of its own.

A wheel carries the folder as ``jiequ/web/guide``; a checkout reads it where it is written (``settings.GUIDE_FOLDER``).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from jiequ.people.rules import ADMIN_ROLES, Role

INDEX = "README"
COMMON = "common"
OWN_PAGES: dict[str, frozenset[Role]] = {
    "desk": frozenset({Role.ACCEPTOR, Role.DUTY_LEADER, Role.DISPATCHER}),
    "leader": frozenset({Role.LEADER}),
    "supervisor": frozenset({Role.SUPERVISOR}),
    "department": frozenset({Role.HANDLER, Role.DEPARTMENT_LEAD}),
    "officer": frozenset({Role.OFFICER}),
    "grid-worker": frozenset({Role.GRID_WORKER}),
    "pilot": frozenset({Role.PILOT}),
    "analyst": frozenset({Role.ANALYST}),
    "bureau": frozenset({Role.BUREAU}),
    "admin": ADMIN_ROLES,
    "resident": frozenset({Role.RESIDENT}),
    "integrator": frozenset(),
}
"""Which page is written for whom; the first that fits is a reader's own. Integrators have no account of their own."""

PHONE_DENSITY = 2
"""Pictures named phone-… have two pixels for each pixel of the page."""
PHONE_THUMB, DESK_THUMB = 120, 240  # pixels across


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the guide: its first heading, and the rest as HTML."""

    name: str
    title: str
    html: SafeString


def own_page(roles: frozenset[Role]) -> str:
    """The page of somebody with these roles; what is for everybody where there is none."""
    return next((name for name, meant in OWN_PAGES.items() if meant & roles), COMMON)


@cache
def names() -> frozenset[str]:
    """Every page there is, in Chinese; the English note is for readers of the repository."""
    return frozenset(file.stem for file in folder().glob("*.md") if "." not in file.stem)


def folder() -> Path:
    """Where the guide lies in this installation."""
    return Path(settings.GUIDE_FOLDER)


@cache
def page(name: str) -> Page:
    """A page by its file's name. KeyError if there is none."""
    if name not in names():
        raise KeyError(name)
    return _made(name, (folder() / f"{name}.md").read_text(encoding="utf-8"))


def _made(name: str, text: str) -> Page:
    reader = _reader()
    tokens = reader.parse(text)
    title = tokens[1].content if tokens and tokens[0].tag == "h1" else name
    shown = [token for part in _parts(tokens[3:]) for token in _with_figures(reader, part)]
    return Page(name, title, mark_safe(reader.renderer.render(shown, reader.options, {})))


def _reader() -> MarkdownIt:
    """Markdown with tables and without HTML: what is written between angle brackets is shown as it stands."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.add_render_rule("image", _image)
    reader.add_render_rule("link_open", _link)
    reader.add_render_rule("heading_open", _heading)
    return reader


def _parts(tokens: list[Token]) -> Iterator[list[Token]]:
    """The tokens, each whole table by itself."""
    part: list[Token] = []
    for token in tokens:
        if token.type == "table_open" and part:
            yield part
            part = []
        part.append(token)
        if token.type == "table_close":
            yield part
            part = []
    if part:
        yield part


def _with_figures(reader: MarkdownIt, part: list[Token]) -> list[Token]:
    """A table of pictures becomes figures: the heading of a column is the caption, the picture below it the picture."""
    cells = [token for token in part if token.type == "inline"]
    pictures = [cell for cell in cells if any(child.type == "image" for child in cell.children or [])]
    if part[0].type != "table_open" or not pictures:
        return part
    captions = cells[: len(cells) - len(pictures)]
    rows = [
        (
            "of-phone" if "](pictures/phone-" in picture.content else "of-desk",
            _inline(reader, picture),
            _inline(reader, caption),
        )
        for picture, caption in zip(pictures, captions, strict=True)
    ]
    figures = format_html_join("", '<figure class="{}">{}<figcaption>{}</figcaption></figure>', rows)
    return [Token("html_block", "", 0, content=format_html('<div class="guide-pictures" tabindex="0">{}</div>', figures))]


def _inline(reader: MarkdownIt, cell: Token) -> SafeString:
    return mark_safe(reader.renderer.render([cell], reader.options, {}))


def _image(_renderer: Any, tokens: list[Token], at: int, _options: Any, _env: Any) -> str:
    """A picture that opens: where there is room it stands there whole, on a phone as a thumbnail of some 3 KB."""
    name = Path(str(tokens[at].attrs["src"])).name
    width, height = _size(folder() / "pictures" / name)
    if name.startswith("phone-"):
        width, height = width // PHONE_DENSITY, height // PHONE_DENSITY
    across = thumb_width(name)
    return format_html(
        '<a href="{0}"><picture><source media="(min-width: 48rem)" srcset="{0}" width="{1}" height="{2}">'
        '<img src="{3}" alt="{4}" width="{5}" height="{6}" loading="lazy"></picture></a>',
        static(f"guide/{name}"), width, height, static(f"guide-thumbs/{thumb_of(name)}"), tokens[at].content,
        across, round(across * height / width),
    )  # fmt: skip


def thumb_of(name: str) -> str:
    """The thumbnail of a picture, in the folder ``thumbs`` beside the pictures."""
    return f"{Path(name).stem}.webp"


def thumb_width(name: str) -> int:
    """How wide a thumbnail is, in pixels."""
    return PHONE_THUMB if name.startswith("phone-") else DESK_THUMB


def _size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels, from its first bytes."""
    with picture.open("rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:])
    return width, height


def _link(_renderer: Any, tokens: list[Token], at: int, _options: Any, _env: Any) -> str:
    """Pages of the guide link to each other only, and to nothing that an installation does not have."""
    name, mark, place = str(tokens[at].attrs["href"]).partition("#")
    address = reverse("web:help_page", args=[name.removesuffix(".md")]) if name else ""
    return format_html('<a href="{}">', address + mark + place)


def _heading(_renderer: Any, tokens: list[Token], at: int, _options: Any, _env: Any) -> str:
    return format_html('<{} id="{}">', tokens[at].tag, anchor(tokens[at + 1].content))


def anchor(heading: str) -> str:
    """The name by which a heading is linked, as code hosts make it: letters and digits, spaces as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
