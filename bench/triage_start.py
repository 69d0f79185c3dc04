"""What a fresh district begins with: the start model against names alone, on sentences it was not made of.

A part of ``./run bench triage``. Asked are the demonstration's own sentences (short; written before the generator's, by one
house) and those real messages that have a department read out of their reply (long; weak labels; four departments, 206 of
them). Then the same with labels: one sentence of each of the demonstration's matters confirmed twenty times, the others asked.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from bench.triage import REAL, at_most, row
from jiequ.cases import catalogue
from jiequ.triage.engine import files, generator, start
from jiequ.triage.engine.calibrate import macro_f1
from jiequ.triage.engine.learning import train
from jiequ.triage.engine.model import TextModel, nameless
from jiequ.triage.engine.types import EventType, Example, Report

COPIES = 20
DEPARTMENTS = {
    "交警公安": "0411 9402",
    "城管": "0110 0111 0112 0114 0129 0136 0196 0201 0203 0206 0207 0401 0405 0406 0410 9101 9102 9103",
    "水利": "9201 9202 9203 9206 9207 9208 0501 0506",
    "环保": "0120 0304 9204 9205 0128",
}


def main() -> None:
    """All rows of this part."""
    types = tuple(_type(each) for each in catalogue.entries())
    rebuilt = hashlib.sha256(files.to_bytes(start.build())).hexdigest()
    is_same = rebuilt == start.SUM.read_text(encoding="ascii").split()[0]
    row("the shipped file is what the generator gives here", "yes" if is_same else "other bytes, other numpy?")
    at_most("the shipped file", start.MODEL.stat().st_size / 1e6, 1, 2, " MB")
    named, begun = nameless(types, district="d"), start.start_model(types, district="d")
    said = demo_sentences()
    _short(named, begun, said)
    _real(named, begun)
    _labelled(types, said)


def _type(entry: catalogue.Entry) -> EventType:
    """As the ledger hands it down: its names, and those of its filing conditions."""
    draft = entry.draft
    hints = dict.fromkeys(one.name_zh for one in draft.conditions if one.name_zh != draft.name_zh)
    return EventType(f"{entry.kind}:{entry.code}", (draft.major_zh, draft.name_zh), "，".join(hints))


def demo_sentences() -> list[Example]:
    """The demonstration's, each with its type."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
    django.setup()
    from jiequ.web.demo.texts import SUBJECTS

    return [Example(str(n), Report(words), f"event:{one.code}") for one in SUBJECTS for n, words in enumerate(one.words)]


def right(model: TextModel, rows: Sequence[Example], first: int = 1) -> float:
    """How often the truth is among the ``first`` answers."""
    shares = model.probabilities([one.report for one in rows])
    best = np.argsort(-shares, axis=1)[:, :first]
    return float(np.mean([one.code in {model.codes[n] for n in places} for one, places in zip(rows, best, strict=True)]))


def _short(named: TextModel, begun: TextModel, said: Sequence[Example]) -> None:
    if right(begun, generated := generator.examples(2, seed=99)) < 0.8:
        sys.exit(f"the start model does not know its own {len(generated)} sentences")
    for name, model in (("names alone", named), ("start model", begun)):
        row(
            f"{len(said)} sentences of the demonstration, first / three, {name}",
            f"{right(model, said):.3f} / {right(model, said, 3):.3f}",
        )


def _real(named: TextModel, begun: TextModel) -> None:
    of = {f"event:{code}": name for name, codes in DEPARTMENTS.items() for code in codes.split()}
    csv.field_size_limit(10**8)
    with (REAL / "text" / "department_weak_train.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [each for each in csv.DictReader(file) if each["dept"] in DEPARTMENTS]
    truth = [each["dept"] for each in rows]
    for name, model in (("names alone", named), ("start model", begun)):
        shares = model.probabilities([Report(each["detail"], each["subject"]) for each in rows], among=set(of))
        answers = [of[model.codes[n]] for n in shares.argmax(axis=1)]
        row(
            f"{len(rows)} real messages, 4 departments (weak), macro-F1, {name}",
            f"{macro_f1(list(DEPARTMENTS), truth, answers):.3f}",
        )


def _labelled(types: Sequence[EventType], said: Sequence[Example]) -> None:
    places = [generator.invented_place(Random(n)) for n in range(COPIES)]
    taught = [
        replace(one, key=f"{one.code}-{n}", report=Report(f"{places[n]}，{one.report.words}"), at="2026-11-01")
        for one in said
        if one.key == "0"
        for n in range(COPIES)
    ]
    asked = [one for one in said if one.key != "0"]
    invented = start.support_for(taught, types)
    row(f"   the {len(asked)} other sentences, start model", f"{right(start.start_model(types, district='d'), asked):.3f}")
    for name, support in (("cases alone", ()), ("cases and invented ones", invented)):
        model = train(taught, types, district="d", at="2026-11-27", support=support).model
        row(f"{len(taught)} cases taught, {len(asked)} other sentences, first right, {name}", f"{right(model, asked):.3f}")


if __name__ == "__main__":
    main()
