"""Triage: what a report is, who handles it, whether it is known; on real texts beside the project, with a seed.

``./run bench triage [what|start|desk|who|known]`` (all). The texts under ../shared/data/real are read in place; without
them nothing is measured. Tuned on the grouped folds and development sets only. Each part checks its answers before it counts.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

PARTS = ("what", "start", "desk", "who", "known")
REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"


def row(what: str, found: str, wanted: str = "", is_met: bool | None = None) -> None:
    """One line: the figure, what was asked for, and whether that is met."""
    mark = {True: "met", False: "NOT MET", None: ""}[is_met]
    print(f"{what:<62} {found:>22}   {wanted:<26} {mark}", flush=True)


def at_least(what: str, found: float, wanted: float, digits: int = 4) -> None:
    """A figure that must not be below ``wanted``."""
    row(what, f"{found:.{digits}f}", f">= {wanted:g}", round(found, digits) >= wanted)


def at_most(what: str, found: float, wanted: float, digits: int = 4, unit: str = "") -> None:
    """A figure that must not be above ``wanted``."""
    row(what, f"{found:.{digits}f}{unit}", f"<= {wanted:g}{unit}", round(found, digits) <= wanted)


def main() -> int:
    """Each part that is asked for and there; 2 if one is unknown."""
    asked = sys.argv[1:] or list(PARTS)
    if not set(asked) <= set(PARTS):
        print(f"There is no part {asked}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print(f"{os.cpu_count()} cores (load {os.getloadavg()[0]:.1f}), {platform.machine()}, Python {platform.python_version()}")
    if not REAL.is_dir():
        print("../shared/data/real is absent: every figure here is one on real texts")
        return 0
    for part in asked:
        print(f"-- {part}")
        sys.argv = [f"./run bench triage_{part}"]  # a part reads options of its own when it is run alone
        importlib.import_module(f"bench.triage_{part}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
