"""Pages of other apps that concern one case: whoever owns them says so here, and the case's page links to them."""

from __future__ import annotations

from collections.abc import Callable

from jiequ.people.rules import Actor

from .models import Case

Links = Callable[[Case, Actor], list[tuple[str, str]]]
"""The words and the address of each page that this actor may open for this case. It asks no database."""
_asked: list[Links] = []


def register_links(links: Links) -> None:
    """Ask it for each case that is shown."""
    if links not in _asked:
        _asked.append(links)


def links_beside(case: Case, actor: Actor) -> list[tuple[str, str]]:
    """Every page beside this case, in the order of registration."""
    return [link for links in _asked for link in links(case, actor)]
