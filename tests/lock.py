"""``./run lock``: the hashed locks anew from pyproject.toml and requirements/*.in. No lock names an index or a path."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "core": ["pyproject.toml"],
    "imagery": ["pyproject.toml", "--extra", "imagery"],
    "test": ["pyproject.toml", "--extra", "imagery", "--extra", "test"],
    "build": ["requirements/build.in"],
    "uv": ["requirements/uv.in"],
}
HELD = {"imagery": "core", "test": "imagery"}
"""By lock: the one it holds, whose pins it keeps."""
QUIET_ABOUT_ORIGIN = ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"]


def main(options: argparse.Namespace) -> int:
    """Compile all five; what is pinned stays pinned unless ``--upgrade``."""
    uv = shutil.which("uv", path=os.pathsep.join([os.environ["PATH"], str(ROOT / ".uv" / "bin")]))
    for name, source in SOURCES.items():
        command = [str(uv), "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", "3.11"]
        upgrade = ["--upgrade"] if options.upgrade else []
        target = ["--output-file", f"requirements/{name}.lock"]
        constraint = ["--constraint", f"requirements/{HELD[name]}.lock"] if name in HELD else []
        status = subprocess.run([*command, *QUIET_ABOUT_ORIGIN, *upgrade, *source, *constraint, *target], cwd=ROOT)
        if status.returncode:
            return status.returncode
    return 0
