"""A folded template says what it said before, in both languages; what depends on the page is not folded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template, engines
from django.template.base import Node
from django.template.loaders.app_directories import get_app_template_dirs
from django.utils.safestring import SafeString
from django.utils.translation import override

from jiequ.web import folding
from jiequ.web.folding import Constant
from jiequ.web.templatetags.ui import badge

SAYS = """{% load i18n static ui %}<a href="{% url 'cases:list' %}">{% translate "案件" %}</a>{% static "web/icons.svg" %}
{% icon "plus" %}{% badge _("紧急") "stop" %}{% light "red" %}{% blocktranslate %}没有这样的案件{% endblocktranslate %}
{% if shown %}<b>{% translate "筛选" %}</b>{% else %}{% icon "search" %}{% endif %}
{% for one in many %}{{ one }}{% icon "cross" %}{% badge one "go" %}{% endfor %}
{% translate "案件" as kept %}{{ kept }}{% url 'cases:case' number as address %}{{ address }}{% url 'cases:case' number %}
{% light colour %}{% icon name %}{% static path %}{% translate said %}{% moment at %}
{% blocktranslate with n=many|length %}{{ n }} 件{% endblocktranslate %}
{% autoescape off %}{% translate "筛选" %}{{ raw }}{% endautoescape %}"""
PAGE: dict[str, Any] = {
    "shown": True, "many": ["<一>", "二"], "number": "LG-2026-000001", "colour": "yellow", "name": "star",
    "path": "web/icon.svg", "said": "案件", "at": None, "raw": "<i>",
}  # fmt: skip


def _plain() -> Template:
    return Template(SAYS)


def _folded() -> Template:
    template = Template(SAYS)
    folding._fold(template.nodelist)
    return template


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("shown", [True, False])
def test_it_says_the_same(language: str, shown: bool) -> None:
    folded = _folded()
    with override("en" if language == "zh-hans" else "zh-hans"):
        folded.render(Context(PAGE))  # what was kept for the other language is not shown in this one
    with override(language):
        said = _plain().render(Context(PAGE | {"shown": shown}))
        assert folded.render(Context(PAGE | {"shown": shown})) == said
        assert folded.render(Context(PAGE | {"shown": shown})) == said


def test_what_is_constant_is_one_node_and_the_rest_stays() -> None:
    nodes = _folded().nodelist
    assert isinstance(nodes[1], Constant)
    assert sum(isinstance(node, Constant) for node in nodes) < sum(not isinstance(node, Constant) for node in nodes)
    for other in (
        PAGE | {"colour": "red"},
        PAGE | {"name": "bell"},
        PAGE | {"number": "LG-2026-000002"},
        PAGE | {"said": "地图"},
    ):
        assert _folded().render(Context(other)) != _folded().render(Context(PAGE))


def test_every_template_of_the_house_is_folded_and_holds_constants() -> None:
    loader = engines["django"].engine.template_loaders[0]  # type: ignore[attr-defined]
    assert isinstance(loader, folding.Loader)
    found = 0
    for folder in get_app_template_dirs("templates"):
        if "jiequ" not in Path(folder).parts:
            continue
        for file in Path(folder).rglob("*.html"):
            template = loader.get_template(str(file.relative_to(folder)))
            found += _constants(template.nodelist)
    assert found > 500


def _constants(nodes: Any) -> int:
    count = 0
    for node in nodes:
        assert isinstance(node, Node)
        count += isinstance(node, Constant) or sum(_constants(within) for within in folding._lists_in(node))
    return count


@pytest.mark.parametrize("marked_first", [True, False])
def test_a_badge_of_marked_up_text_lends_its_marks_to_no_plain_one(marked_first: bool) -> None:
    text = f"<i>{marked_first}</i>"
    for word in (SafeString(text), text) if marked_first else (text, SafeString(text)):
        assert ("&lt;i&gt;" in badge(word)) == (type(word) is str)
