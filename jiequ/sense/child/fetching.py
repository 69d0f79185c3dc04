"""A small file of a store elsewhere is fetched for a page: no web worker loads what speaks to such a store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jiequ.sense import places
from jiequ.sense.engine.shapes import Unusable

Tell = Callable[[dict[str, Any]], None]


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Where the copy lies. Raises Unusable ``file_gone``."""
    try:
        with places.store_of(request["place"]).local(request["key"]) as file:
            return {"path": str(file)}
    except KeyError:
        raise Unusable("file_gone") from None
