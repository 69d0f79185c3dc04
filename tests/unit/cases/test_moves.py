"""Every state × move × role cell of docs/moves.md, which is written by hand, against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jiequ.cases.flow import ANY, MOVES, OPEN, Grant, Scope, State, allows, moves_for, step_of
from jiequ.people.rules import Role

TABLE = Path(__file__).resolve().parents[3] / "docs" / "moves.md"
ROW = re.compile(r"^\| (\w+) \| \S+ \| (.+?) \| (.+?) \| (.+?) \| .+? \|$", re.MULTILINE)


def _states(text: str) -> frozenset[State] | None:
    named = {"*open*": OPEN, "*any*": ANY, "–": frozenset()}
    return named[text] if text in named else frozenset(State(s.strip()) for s in text.split(","))


def _grants(text: str) -> frozenset[Grant]:
    pairs = (part.strip().split("@") for part in text.split(","))
    return frozenset(Grant(Role(role), Scope(scope)) for role, scope in pairs)


def _documented() -> dict[str, tuple[frozenset[State] | None, str, frozenset[Grant]]]:
    rows = [row for row in ROW.findall(TABLE.read_text(encoding="utf-8")) if row[0] != "move"]
    return {name: (_states(sources), target, _grants(who)) for name, sources, target, who in rows}


DOCUMENTED = _documented()


def test_the_document_and_the_code_know_the_same_moves() -> None:
    assert set(DOCUMENTED) == set(MOVES)
    assert len(DOCUMENTED) >= 40


def test_every_state_move_role_cell_is_as_written_by_hand() -> None:
    tried, wrong = 0, []
    for name, (sources, _target, grants) in DOCUMENTED.items():
        for state in [None, *State]:
            for role in Role:
                for scope in Scope:
                    grant = Grant(role, scope)
                    creates = sources == frozenset()
                    expected = grant in grants and (state is None if creates else state in (sources or ()))
                    tried += 1
                    if allows(MOVES[name], state, {grant}) != expected:
                        wrong.append((name, state, role, scope))
    assert tried == len(MOVES) * (len(State) + 1) * len(Role) * len(Scope)
    assert wrong == []


def test_a_wrong_cell_would_be_found() -> None:
    """The broken twin: a table with one role too many differs from the document."""
    name = "force_close"
    spoilt = DOCUMENTED[name][2] | {Grant(Role.HANDLER, Scope.STREET)}
    assert spoilt != MOVES[name].grants == DOCUMENTED[name][2]


@pytest.mark.parametrize("name", sorted(MOVES))
def test_a_move_ends_where_the_document_says(name: str) -> None:
    target = DOCUMENTED[name][1]
    move = MOVES[name]
    if target == "=":
        assert move.target is None
    elif "," in target or move.back:
        assert move.target is None
        assert move.back or move.creates  # as it was before the merge; as it came from another system
    else:
        assert move.target == target


def test_unmerge_goes_back_only_to_states_a_merge_starts_from() -> None:
    row = re.search(r"^\| unmerge \|.*?\| merged \| (.+?) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert row
    assert _states(row.group(1)) == MOVES["merge"].sources


def test_who_receives_a_return_may_correct_and_dispatch_but_not_push_forward() -> None:
    everybody = frozenset(Grant(role, scope) for role in Role for scope in Scope)
    leaving = {m.name for m in moves_for(State.RETURNED, everybody) if m.target is not None}
    assert leaving == {"dispatch", "merge", "cancel", "force_close"}


def test_an_ended_case_is_left_only_by_reopening_or_unmerging() -> None:
    everybody = frozenset(Grant(role, scope) for role in Role for scope in Scope)
    for state in (State.CLOSED, State.REJECTED, State.CANCELLED, State.MERGED):
        leaving = {m.name for m in moves_for(state, everybody) if m.target is not None or m.back}
        assert leaving == {State.CLOSED: {"reopen"}, State.MERGED: {"unmerge"}}.get(state, set())


def test_every_state_belongs_to_one_of_the_eight_verbs() -> None:
    assert {step_of(state) for state in State} <= {"discover", "accept", "dispatch", "handle", "feed_back"}
    assert step_of(State.CLOSED, is_rated=True) == "rate"
