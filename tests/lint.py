"""``./run lint``: format, lint, types and floors, each by its own tool."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


def checks(fix: bool = False) -> dict[str, list[str]]:
    """The name of each check and its command."""
    return {
        "ruff check": ["ruff", "check", "--quiet", "--output-format=concise", *(["--fix"] if fix else [])],
        "ruff format": ["ruff", "format", *(["--quiet"] if fix else ["--check", "--output-format=concise"])],
        "floors": ["lint-imports", "--no-logo"],
        "mypy": ["mypy", "--no-error-summary"],
    }


def main(options: argparse.Namespace) -> int:
    """Run all; the exit status is 1 if one found something."""
    failed = failures(fix=options.fix)
    print("lint: " + ("nothing found" if not failed else "found by " + ", ".join(failed)))
    return 1 if failed else 0


def failures(fix: bool = False) -> list[str]:
    """Run all and print what they found; the names of those that found something."""
    failed = []
    for name, (program, *words) in checks(fix).items():
        done = subprocess.run([BIN / program, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            failed.append(name)
            print(f"--- {name}\n{done.stdout.rstrip()}", flush=True)
    return failed
