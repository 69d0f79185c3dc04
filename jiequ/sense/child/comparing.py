"""Two dates are compared by the engine, in this process and its pool; what is done stands in the work folder, by hash."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jiequ.sense import places
from jiequ.sense.cutting import cut
from jiequ.sense.engine.results import outcome_to_json
from jiequ.sense.engine.shapes import Kind, Outcome, Sources, Unusable

Tell = Callable[[dict[str, Any]], None]
NICENESS = 10  # the pages come first


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Where the outcome lies and its hash; the outcome itself is read by whoever asked. Raises Unusable."""
    from jiequ.sense.engine.compare import compare

    give_way()
    work = Path(request["work"])
    work.mkdir(parents=True, exist_ok=True)
    with _alone(work), ExitStack() as fetched:
        before, after = (_sources(request[date], request["place"], fetched) for date in ("before", "after"))
        outcome = compare(
            before, after, work=work, area=request["area"], runner=request["runner"], processes=request["processes"],
            weights=Path(request["weights"]) if request["weights"] else None,
            progress=lambda stage, done, of: tell({"stage": stage, "done": done, "of": of}),
        )  # fmt: skip
    return _told(work, outcome, request["cut"])


def _told(work: Path, outcome: Outcome, area: dict[str, Any] | None) -> dict[str, Any]:
    """Where the outcome lies, cut to the area that was drawn if one was, and its hash."""
    place = work / "outcome.json"
    if area is not None:
        place = work / "outcome-area.json"
        place.write_text(outcome_to_json(cut(outcome, area)), "utf-8")
    return {"outcome": str(place), "sha256": hashlib.sha256(place.read_bytes()).hexdigest()}


def _sources(keys: dict[str, str], place: dict[str, Any], fetched: ExitStack) -> Sources:
    """The files of one date on this machine; a file that is gone is the comparison's fault, not the engine's."""
    store = places.store_of(place)
    found: dict[str, Path] = {}
    for kind, key in keys.items():
        try:
            found[kind] = fetched.enter_context(store.local(key))
        except KeyError:
            raise Unusable("file_gone") from None
    return Sources(found.get(Kind.ORTHO), found.get(Kind.DSM), found.get(Kind.SNAPSHOT))


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """One process works in a folder; another that was started for the same waits, and then finds the work done."""
    with (work / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def give_way() -> None:
    """The pages come first."""
    if os.nice(0) < NICENESS:
        os.nice(NICENESS - os.nice(0))
