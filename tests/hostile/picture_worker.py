"""A process that puts every file of a folder through the door, as a web worker would, and says what became of it.

``python -m tests.hostile.picture_worker FOLDER door|naive``: ``naive`` is the broken twin (open and save, as most sites do).
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from pathlib import Path


def through_the_door(file: Path) -> list[object]:
    """["cleaned", sha256, width, height] or ["refused", code, sentence]."""
    from jiequ.core import pictures
    from jiequ.core.errors import Refusal

    try:
        with file.open("rb") as stream:
            clean = pictures.clean(stream)
    except Refusal as refusal:
        return ["refused", refusal.code, str(refusal)]
    return ["cleaned", clean.sha256, clean.width, clean.height]


def naive(file: Path) -> list[object]:
    """What a plain Pillow upload does."""
    from PIL import Image

    warnings.simplefilter("ignore")
    try:
        with Image.open(file) as image:
            image.convert("RGB").resize((320, 240)).save(file.with_suffix(".out"), "JPEG")
    except Exception as error:
        return ["refused", type(error).__name__, ""]
    return ["cleaned", "", 0, 0]


def main() -> None:
    """Print one JSON object: answers by file name, and peak memory of this process and of its children in MB.

    Linux counts what a parent held at the fork as the child's own ru_maxrss; VmHWM begins anew.
    """
    import django

    django.setup()
    what = through_the_door if sys.argv[2] == "door" else naive
    files = sorted(Path(sys.argv[1]).iterdir())
    answers = {file.name: what(file) for file in files}
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    peak = {"own": int(own.split()[1]) / 1024, "children": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}
    print(json.dumps({"answers": answers, "peak_mb": peak}))


if __name__ == "__main__":
    main()
