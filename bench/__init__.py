"""Benchmarks, one a file: ``./run bench NAME [options]``. Each checks that the answer is right before the time counts."""

from __future__ import annotations

import argparse
import ast
import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main(options: argparse.Namespace) -> int:
    """Run one by name, or list them; what follows the name goes to the benchmark."""
    known = names()
    if not options.rest:
        for name, words in known.items():
            print(f"{name:<16} {words}")
        return 0
    name, *rest = options.rest
    if name not in known:
        print(f"There is no benchmark {name!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    sys.argv = [f"./run bench {name}", *rest]
    runpy.run_module(f"bench.{name}", run_name="__main__", alter_sys=False)
    return 0


def names() -> dict[str, str]:
    """Each benchmark that can be run and the first sentence of what it says of itself."""
    found = {}
    for file in sorted(FOLDER.glob("[a-z]*.py")):
        text = file.read_text(encoding="utf-8")
        if "__main__" in text:
            found[file.stem] = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    return found
