"""Templates whose constant parts are worked out once a language instead of at each rendering.

Half of a page's nodes say the same each time: translations of fixed texts, addresses of fixed routes and files, icons. When a
template is loaded, each run of such nodes becomes one ``Constant``. What a template means does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, TypeVar

from django.template import Context, Template
from django.template.base import FilterExpression, Node, NodeList, TextNode, TokenType, Variable
from django.template.defaulttags import AutoEscapeControlNode, IfNode, URLNode
from django.template.library import SimpleNode
from django.template.loaders import base, cached
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix
from django.utils.safestring import SafeString
from django.utils.translation import get_language

Tag = TypeVar("Tag", bound=Callable[..., Any])
_MARK = "says_the_same_for_the_same"


def constant(tag: Tag) -> Tag:
    """Declares a simple tag that for the same arguments and language always says the same."""
    setattr(tag, _MARK, True)
    return tag


class _Folds(base.Loader):
    """Folds a template before anybody else sees it."""

    def get_template(self, template_name: str, skip: Any = None) -> Template:
        template = super().get_template(template_name, skip)
        _fold(template.nodelist)
        return template


class Loader(cached.Loader, _Folds):
    """Django's cached loader over folded templates."""


class Constant(Node):
    """Nodes that stand side by side and depend on nothing but the language and where the site is mounted."""

    child_nodelists = ()

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = tuple(nodes)
        self._texts: dict[tuple[str | None, str], SafeString] = {}
        self.token, self.origin = self._nodes[0].token, self._nodes[0].origin

    def render(self, context: Context) -> SafeString:
        """The text, worked out at its first use in each language."""
        key = (get_language(), get_script_prefix())
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = SafeString("".join(str(node.render_annotated(context)) for node in self._nodes))
        return text

    render_annotated = render


def _fold(nodes: NodeList) -> None:
    """Fold a list of nodes and all lists within, in place."""
    for node in nodes:
        if not isinstance(node, AutoEscapeControlNode):
            for within in _lists_in(node):
                _fold(within)
    folded: list[Node] = []
    for is_constant, run in groupby(nodes, _is_constant):
        group = list(run)
        is_worth_it = is_constant and not all(isinstance(node, TextNode) for node in group)
        folded += [Constant(group)] if is_worth_it else group
    nodes[:] = folded


def _lists_in(node: Node) -> list[NodeList]:
    if isinstance(node, IfNode):
        return [nodes for _condition, nodes in node.conditions_nodelists]
    return [nodes for name in node.child_nodelists if (nodes := getattr(node, name, None)) is not None]


def _is_constant(node: Node) -> bool:
    judge = _JUDGES.get(type(node))
    return judge is not None and judge(node)


def _is_constant_translation(node: Any) -> bool:
    said = node.filter_expression
    is_plain = isinstance(said.var, Variable) and said.var.lookups is None and not said.filters
    return is_plain and not node.asvar and not node.message_context


def _is_constant_block(node: Any) -> bool:
    has_parts = node.extra_context or node.plural or node.countervar or node.asvar or node.message_context
    return not has_parts and all(token.token_type == TokenType.TEXT for token in node.singular)


def _is_constant_tag(node: Any) -> bool:
    if not hasattr(node.func, _MARK) or node.takes_context or node.target_var:
        return False
    return all(_is_fixed(value) for value in (*node.args, *node.kwargs.values()))


def _is_fixed(value: FilterExpression) -> bool:
    return not isinstance(value.var, Variable) and not value.filters


_JUDGES: dict[type[Node], Callable[[Any], bool]] = {
    TextNode: lambda _node: True,
    TranslateNode: _is_constant_translation,
    BlockTranslateNode: _is_constant_block,
    StaticNode: lambda node: node.varname is None and _is_fixed(node.path),
    URLNode: lambda node: not (node.asvar or node.args or node.kwargs) and _is_fixed(node.view_name),
    SimpleNode: _is_constant_tag,
}
