"""``./run lint``: format, lint, types and floors, each by its own tool."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LONG_FILE, LONG_FUNCTION = 500, 70


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
    for words in advice():
        print("to think about: " + words)
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


def advice() -> list[str]:
    """Files and functions longer than a person reads in one go: no fault, a question."""
    found = []
    for file in sorted(path for folder in ("jiequ", "emulator", "tests", "bench") for path in (ROOT / folder).rglob("*.py")):
        text, name = file.read_text(encoding="utf-8"), file.relative_to(ROOT)
        if text.count("\n") > LONG_FILE and "migrations" not in file.parts:
            found.append(f"{name} has {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONG_FUNCTION:
                    found.append(f"{name}: {node.name} has {length} lines")
    return found
