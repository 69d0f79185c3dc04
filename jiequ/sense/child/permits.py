"""A file of permits or masks is read into plain rows, faulty ones with their fault. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jiequ.grid.rules import CoordinateSystem, to_canonical
from jiequ.sense.engine.shapes import Unusable
from jiequ.sense.permit_files import Unreadable, rows_of

Tell = Callable[[dict[str, Any]], None]


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """The rows as plain data. Raises Unusable for a file that is none of the kinds we read."""
    system = CoordinateSystem(request["system"])
    is_ours = system in (CoordinateSystem.CGCS2000, CoordinateSystem.WGS84)
    move = None if is_ours else lambda x, y: to_canonical(x, y, system)
    try:
        rows = rows_of(Path(request["file"]), request["name"], kind=request["kind"], move=move)
    except Unreadable as fault:
        raise Unusable(str(fault)) from None
    return {"rows": [row.as_data() for row in rows]}
