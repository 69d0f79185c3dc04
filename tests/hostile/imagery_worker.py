"""A process that takes in every file of a folder as the ingest job's child does, and says what became of each and what it cost.

``python -m tests.hostile.imagery_worker FOLDER STORE ours|naive``: ``naive`` is the broken twin (open and read, as scripts do).
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from jiequ.sense.engine.shapes import Unusable


def ours(file: Path, store: Path) -> dict[str, Any]:
    """By the child's own way, into a store."""
    from jiequ.sense.child import taking
    from jiequ.sense.engine.kmz import read_kmz

    work = store.with_name("work") / file.name
    work.mkdir(parents=True, exist_ok=True)
    asked: dict[str, Any] = {
        "file": str(file), "work": str(work), "kind": None, "item_id": "1-1", "flight": "", "aircraft": "", "taken_at": None,
        "zone": "Asia/Shanghai", "flown_on": "2026-11-01", "place": {"kind": "folder", "root": str(store)},
        "image_key": f"1/{file.stem}/image.tif", "item_key": f"1/{file.stem}/item.json",
    }  # fmt: skip
    try:
        if file.suffix in (".kml", ".kmz"):
            return {"said": "taken", "notes": [], "polygons": len(read_kmz(file))}
        return {"said": "taken", "notes": taking.do(asked, lambda _: None)["asset"]["notes"]}
    except Unusable as refused:
        return {"said": refused.code, "facts": {name: repr(value) for name, value in refused.facts.items()}}
    except Exception as crash:
        return {"said": f"crash: {crash!r}"[:300]}


def naive(file: Path, store: Path) -> dict[str, Any]:
    """Open and read all of it."""
    import rasterio

    try:
        with rasterio.open(file) as raster:
            raster.read()
    except Exception as error:
        return {"said": type(error).__name__}
    return {"said": "taken", "notes": []}


def peak_mb() -> float:
    """The most this process held; Linux counts VmHWM anew for each process."""
    told = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(told.split()[1]) / 1024


def main() -> None:
    """Print one JSON object: answers by file name, and megabytes at the peak before and after."""
    warnings.simplefilter("ignore")
    folder, store = Path(sys.argv[1]), Path(sys.argv[2])
    take = ours if sys.argv[3] == "ours" else naive
    files = sorted(folder.iterdir())
    answers = {files[0].name: take(files[0], store)}  # an honest one, for what libraries take once
    before, peaks = peak_mb(), {}
    for file in files[1:]:
        answers[file.name] = take(file, store)
        peaks[file.name] = round(peak_mb() - before)
    print(json.dumps({"answers": answers, "rise_mb": peak_mb() - before, "peaks": peaks}))


if __name__ == "__main__":
    main()
