"""The eye: what it finds, what it costs, how large a pair it takes.

``./run bench sense [dsm|net|cost|learn|pair|cog] [options]``.

Without a part: dsm, net and cost. ``learn`` needs TORCH_PYTHON; ``pair --size 20000`` takes an hour and the whole machine,
``cog --gb 1`` some minutes and 3 GB of disk. Options go to the part that is named. Nothing is learnt from what is measured on.
"""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.triage import at_least, row

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "sense"
PARTS = {"dsm": "sense_dsm", "net": "sense_net", "cost": "sense_cost", "pair": "sense_pair", "cog": "sense_cog", "learn": ""}
USUAL = ("dsm", "net", "cost")


def learn(options: list[str]) -> None:
    """After ten tiles of verdicts, in the Python that has torch."""
    python = os.environ.get("TORCH_PYTHON", "")
    if not Path(python).is_file() or not DATA.is_dir():
        row("after ten tiles of verdicts", "needs TORCH_PYTHON and data")
        return
    with tempfile.TemporaryDirectory() as work:
        command = [python, "-m", "bench.sense_learn", "--data", str(DATA), "--work", work, *options]
        told = subprocess.run(command, cwd=Path(__file__).resolve().parents[1], check=True, stdout=subprocess.PIPE, text=True)
    print(told.stdout, end="")
    words = told.stdout.splitlines()[-1].split()
    at_least("after ten tiles, pixel F1", float(words[words.index("f1") + 1]), 0.75, 3)
    at_least("after ten tiles, objects", float(words[words.index("objects") + 1]), 0.85, 3)


def main() -> int:
    """The part that is named with its options, or the usual ones; 2 if it is unknown."""
    asked = sys.argv[1:2] or list(USUAL)
    if not set(asked) <= set(PARTS):
        print(f"There is no part {asked[0]}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    options = sys.argv[2:]
    print(f"{os.cpu_count()} cores (load {os.getloadavg()[0]:.1f}), {platform.machine()}, Python {platform.python_version()}")
    for part in asked:
        print(f"-- {part}")
        sys.argv = [f"./run bench sense {part}", *options]
        if part == "learn":
            learn(options)
        else:
            importlib.import_module(f"bench.{PARTS[part]}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
