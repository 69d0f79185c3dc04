"""Two invented flights over a monitoring point of the demonstration: rendered here, where imagery libraries are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jiequ.sense.engine.flights import FlightSite, render

from .comparing import give_way

Tell = Callable[[dict[str, Any]], None]


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """The four files, and what is true of them."""
    give_way()
    site = FlightSite(request["code"], request["lon"], request["lat"])
    flown = render(site, Path(request["folder"]), seed=request["seed"], stories=request["stories"])
    names = [f"{date}_{kind}" for date in ("before", "after") for kind in ("ortho", "dsm")]
    return {"files": {name: str(getattr(flown, name)) for name in names}, "truth": [asdict(one) for one in flown.truth]}
