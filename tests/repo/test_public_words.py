"""Every place where words leave to strangers masks them first: the places are named here, and one more is found."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEAVING = (
    "jiequ/cases/services/telling.py",
    "jiequ/cases/queries/told.py",
    "jiequ/cases/api/outside.py",
    "jiequ/doors/open311/queries/requests.py",
    "jiequ/doors/open311/services/telling.py",
    "jiequ/doors/hotline/services/letters.py",
)
"""Where a case's reply, or what a reporter wrote, is handed to somebody outside."""

INSIDE = (
    "jiequ/cases/api/present.py",  # programs of the street's own staff, scoped and signed in
    "jiequ/cases/models/",
    "jiequ/cases/services/handling.py",  # writes it
    "jiequ/cases/services/moving.py",
)
MASKS = {"public", "_shown"}


def bare_replies(source: str) -> Iterator[int]:
    """Lines on which ``….case.reply`` or ``case.reply`` is read outside a call that masks."""
    tree = ast.parse(source)
    covered = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MASKS
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        is_reply = isinstance(node, ast.Attribute) and node.attr == "reply" and isinstance(node.ctx, ast.Load)
        if is_reply and id(node) not in covered and ast.unparse(node.value).rsplit(".", 1)[-1] == "case":
            yield node.lineno


def test_no_reply_of_a_case_is_read_without_being_masked() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in sorted((ROOT / "jiequ").rglob("*.py"))
        if not path.relative_to(ROOT).as_posix().startswith(INSIDE) and (lines := list(bare_replies(path.read_text())))
    }
    assert found == {}, "hand it out by cases.public_words.public, or say above why it stays inside"


def test_each_place_that_tells_strangers_masks() -> None:
    for name in LEAVING:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "public(" in text, name


def test_a_reply_that_is_handed_out_bare_would_be_found() -> None:
    assert list(bare_replies("x = {'reply': mirror.case.reply}")) == [1]
    assert list(bare_replies("x = public(case.reply, keep=(case.number,))")) == []
