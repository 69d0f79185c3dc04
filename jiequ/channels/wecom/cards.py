"""A card as WeCom draws it, from what is to be said and what may be tapped. Pure: words in, the body of an API call out.

Lengths are what the official page recommends (title 26, sub-title 112, at most six rows and buttons, ten options): longer ones
are cut here, so that no card is refused or drawn badly for a long name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TITLE, SUB_TITLE, ROW_NAME, ROW_VALUE, BUTTON, OPTION = 26, 112, 5, 26, 10, 10
MOST_ROWS, MOST_BUTTONS, MOST_OPTIONS = 6, 6, 10
BLUE, GREY = 1, 2
OPENS_A_PAGE = 1


@dataclass(frozen=True, slots=True)
class Button:
    """A button: ``key`` comes back when it is tapped; with ``url`` it opens that page instead and nothing comes back."""

    key: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A list to choose one of, above the buttons. ``options``: (id, text)."""

    key: str
    title: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a card says: a title, a sentence, rows of (name, value), the page it opens, and a word on what just happened."""

    title: str
    sentence: str
    url: str
    rows: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any], *, note: str = "") -> Said:
        """From the dict that a row keeps; ``note`` in the place of the one that was there."""
        rows = tuple((str(name), str(value)) for name, value in kept.get("rows", ()))
        return cls(str(kept.get("title", "")), str(kept.get("sentence", "")), str(kept.get("url", "")), rows, note)


def plain(said: Said) -> dict[str, Any]:
    """A card without buttons: tapped anywhere it opens its page."""
    return {"card_type": "text_notice", **_body(said)}


def with_buttons(said: Said, buttons: Sequence[Button], question: Question | None, *, task_id: str) -> dict[str, Any]:
    """A card whose buttons come back as ``template_card_event`` with ``task_id``; the first button is the blue one."""
    card = {"card_type": "button_interaction", **_body(said), "task_id": task_id}
    if question is not None and question.options:
        options = [{"id": key, "text": cut(text, OPTION)} for key, text in question.options[:MOST_OPTIONS]]
        title = cut(question.title, TITLE)
        card["button_selection"] = {"question_key": question.key, "title": title, "option_list": options}
    card["button_list"] = [_button(one, BLUE if n == 0 else GREY) for n, one in enumerate(buttons[:MOST_BUTTONS])]
    return card


def _body(said: Said) -> dict[str, Any]:
    body: dict[str, Any] = {"main_title": {"title": cut(said.title, TITLE)}}
    if said.sentence or said.note:
        body["sub_title_text"] = cut("\n".join(filter(None, (said.note, said.sentence))), SUB_TITLE)
    rows = [{"keyname": cut(name, ROW_NAME), "value": cut(value, ROW_VALUE)} for name, value in said.rows[:MOST_ROWS]]
    if rows:
        body["horizontal_content_list"] = rows
    body["card_action"] = {"type": OPENS_A_PAGE, "url": said.url}
    return body


def _button(one: Button, style: int) -> dict[str, Any]:
    if one.url:
        return {"type": OPENS_A_PAGE, "text": cut(one.text, BUTTON), "style": style, "url": one.url}
    return {"text": cut(one.text, BUTTON), "style": style, "key": one.key}


def greyed(words: str) -> dict[str, Any]:
    """What ``update_template_card`` takes to put words in place of the buttons."""
    return {"button": {"replace_name": cut(words, TITLE)}}


def redrawn(card: dict[str, Any]) -> dict[str, Any]:
    """What it takes to put another card in the place of this one."""
    return {"template_card": card}


def cut(text: str, most: int) -> str:
    """``text`` on at most ``most`` characters, with a mark where something is missing."""
    return text if len(text) <= most else text[: most - 1] + "…"
