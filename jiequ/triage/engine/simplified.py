"""Traditional characters that residents' reports use, and their simplified forms; one for one, written by hand.

Not complete on purpose: rare characters stay as they are, and a wrong pair would be worse than a missing one. Characters
with two simplified forms by meaning follow the commoner one in reports.
"""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).resolve().parent / "data"

SIMPLIFIED: dict[int, str] = {ord(pair[0]): pair[1] for pair in (DATA / "simplified.txt").read_text(encoding="utf-8").split()}
"""For ``str.translate``."""
