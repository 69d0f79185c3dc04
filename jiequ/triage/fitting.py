"""The process that fits: it reads what there is to learn from as JSON lines, fits, writes two model files, and is gone.

A process of its own, so that what scikit-learn needs is given back when it ends; without Django and without the database, so
that the words that come through its pipe are stored nowhere. ``python -m jiequ.triage.fitting FOLDER`` is started by
``services.learning`` only. Whoever started it dies: so does it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .codes import groups_of
from .minds import Dispatcher, EventType, Example, Matter, Report, contest, load, save, start_model, support_for

LAST_SHARE = 0.3
"""A dispatcher's figures are those of the newest rows: what it said before it learned each of them."""
LEAST_FRESH = 50
ORPHANED = 3


@dataclass(slots=True)
class Lessons:
    """Everything that came through the pipe."""

    head: dict[str, Any] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    dispatches: list[dict[str, Any]] = field(default_factory=list)


def read(lines: Iterable[str]) -> Lessons:
    """All lines up to the end mark. Raises EOFError if the pipe broke before it: half a ledger is no ledger."""
    found = Lessons()
    for line in lines:
        part = json.loads(line)
        if "case" in part:
            found.examples.append(_example(part["case"]))
        elif "dispatch" in part:
            found.dispatches.append(part["dispatch"])
        elif "end" in part:
            return found
        else:
            found.head = part
    raise EOFError("the rows ended before their end")


def _example(row: dict[str, Any]) -> Example:
    report = Report(words=row["words"], source=row["source"], place=row["place"], hour=row["hour"])
    return Example(
        key=str(row["ref"]), report=report, code=row["code"], at=row["at"], is_correction=row["correction"], by=row["by"]
    )


def matter_of(row: dict[str, Any]) -> Matter:
    """A dispatch as the engine sees it."""
    return Matter(
        type=row["type"],
        street=row["street"],
        grid=row["place"],
        source=row["source"],
        groups=groups_of(row["type"]),
        hour=row["hour"],
        text=row["words"],
    )


# -- types ------------------------------------------------------------------------------------------------------------


def fit_types(found: Lessons, folder: Path, tell: Any) -> dict[str, Any]:
    """The contest between the type model in use (at first the start model) and a fresh one: who won, why, the winner's file."""
    head = found.head
    types = [EventType(code, tuple(path), hints) for code, path, hints in head["types"]]
    district = head["district"]
    champion = load(Path(head["champion"]), district=district) if head["champion"] else start_model(types, district=district)
    outcome = contest(
        champion,
        found.examples,
        types,
        district=district,
        at=head["at"],
        seed=head["seed"],
        support=support_for(found.examples, types),
        progress=tell,
    )
    if outcome.winner == "challenger" and outcome.model is not None:
        save(outcome.model, folder / "type.half")
    corrections = sum(one.is_correction for one in found.examples)
    return {
        "is_better": outcome.winner == "challenger" and outcome.model is not None,
        "why": "first" if outcome.why == "better" and not champion.cases else outcome.why,
        "card": outcome.card | {"figures": outcome.figures},
        "examples": len(found.examples),
        "corrections": corrections,
    }


# -- departments ------------------------------------------------------------------------------------------------------


def replay(rows: Iterable[dict[str, Any]], dispatcher: Dispatcher, count_from: int = 0) -> Iterator[tuple[int, bool]]:
    """Learn each row in turn; for each dispatch from ``count_from`` on, where its department had stood before (0: nowhere)."""
    for number, row in enumerate(rows):
        matter = matter_of(row)
        if row["return"]:
            dispatcher.learn_return(matter, row["department"], day=row["day"])
            continue
        if number >= count_from:
            said = [one.code for one in dispatcher.suggest(matter, day=row["day"], allowed=None)]
            yield (said.index(row["department"]) + 1 if row["department"] in said else 0), True
        dispatcher.learn(matter, row["department"], day=row["day"])


def shares(places: list[int]) -> dict[str, Any]:
    """How often the first, and one of the first three, was right."""
    n = len(places)
    return {
        "n": n,
        "top1": round(sum(place == 1 for place in places) / n, 4) if n else None,
        "top3": round(sum(0 < place <= 3 for place in places) / n, 4) if n else None,
    }


def fit_departments(found: Lessons, folder: Path, tell: Any) -> dict[str, Any]:
    """Who handles what, learned anew from the whole record in the order of time."""
    rows, head = found.dispatches, found.head
    dispatcher = Dispatcher(head["district"])
    counted_from = int(len(rows) * (1 - LAST_SHARE))
    places = [place for place, _ in replay(rows, dispatcher, counted_from)]
    tell("departments", 0.9)
    (folder / "department.half").write_text(json.dumps(dispatcher.to_data(), ensure_ascii=False), encoding="utf-8")
    returns = sum(row["return"] for row in rows)
    card = shares(places) | {"returns": returns, "departments": len({row["department"] for row in rows})}
    card |= {"first_at": rows[0]["at"], "last_at": rows[-1]["at"]} if rows else {}
    is_better, why = _against_champion(found, places)
    return {
        "is_better": is_better,
        "why": why,
        "card": card,
        "examples": len(rows) - returns,
        "corrections": returns,
    }


def _against_champion(found: Lessons, places: list[int]) -> tuple[bool, str]:
    """The fresh dispatcher is taken unless the one in use did clearly better on the newest rows, each learning as it goes."""
    head, rows = found.head, found.dispatches
    if not head["champion_department"]:
        return True, "first"
    data = json.loads(Path(head["champion_department"]).read_text(encoding="utf-8"))
    champion = Dispatcher.from_data(data, district=head["district"])
    fresh = [row for row in rows if row["at"] >= head["fresh_since"]]
    theirs = [place for place, _ in replay(fresh, champion)]
    ours = places[-len(theirs) :] if theirs else []
    if len(theirs) < LEAST_FRESH or len(ours) < len(theirs):
        return True, "renewed"
    gap = (sum(p == 1 for p in theirs) - sum(p == 1 for p in ours)) / len(theirs)
    return (False, "no_better") if gap > 0.02 else (True, "renewed")


# -- the process ------------------------------------------------------------------------------------------------------


def main(folder: Path, lines: IO[str], out: IO[str]) -> int:
    """Read, fit, write, tell: one JSON line a step, the last of them ``{"done": …}``."""
    parent = os.getppid()

    def say(part: dict[str, Any]) -> None:
        if os.getppid() != parent:
            os._exit(ORPHANED)
        print(json.dumps(part, ensure_ascii=False), file=out, flush=True)

    def tell(stage: str, share: float) -> None:
        say({"stage": stage, "share": round(share, 3)})

    found = read(lines)
    done: dict[str, Any] = {}
    tell("types", 0.05)
    if found.examples:
        done["type"] = fit_types(found, folder, lambda stage, share: tell(stage, 0.05 + 0.75 * share))
    if found.dispatches:
        done["department"] = fit_departments(found, folder, tell)
    say({"done": done})
    return 0


if __name__ == "__main__":
    os.nice(10)
    sys.exit(main(Path(sys.argv[1]), sys.stdin, sys.stdout))
