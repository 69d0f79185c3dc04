"""Invented reports, as residents write them: for the start model, for rare types, for the demonstration and for tests.

The sentences are our own (``data/matters.txt``): for each type of the starter catalogue, and for what is not the street's, some
cores with parts that change, and what follows from them; around them openings, places, times and endings. The same seed gives
the same reports.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from jiequ.triage.engine.types import EventType, Example, Report

DATA = Path(__file__).resolve().parent / "data" / "matters.txt"
SPEECH = ("opening", "place", "when", "tail")
FOLLOWS = "+"
CHOICE = re.compile(r"\{([^{}]*)\}")

LIKELY = {"opening": 0.35, "place": 0.7, "when": 0.3, "follows": 0.5, "tail": 0.45}
"""How often each part is said (our own proposal: reports are short, half of them a single clause)."""

SYLLABLES = "云溪竹桂荷柳枫桐榕松梅兰青白金银石沙湖塘岭坪湾洲港桥井田园丰和兴安宁康乐福瑞祥明华德仁义信新东南西北"
KINDS = ("路", "街", "巷", "大道", "花园", "新村", "社区", "工业区", "市场", "小区", "桥", "公园", "村")
KNOWN = ("菜市场", "地铁站", "公交站", "小学", "幼儿园", "医院", "村口", "停车场", "广场", "老街", "工业园", "加油站")


@dataclass(frozen=True, slots=True)
class Matter:
    """One type: its code and name, the cores its reports are made of, and what follows from them."""

    code: str
    name: str
    cores: tuple[str, ...]
    follows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """An invented report. ``core``: which of its type's cores it was made of; who is judged on it must not have seen that."""

    report: Report
    code: str
    core: int


@cache
def matters() -> tuple[Matter, ...]:
    """Every type that reports are invented for, and ``other``, in the file's order."""
    return tuple(Matter(*head, *lines) for head, lines in _sections() if head[0] not in SPEECH)


@cache
def _speech() -> dict[str, tuple[str, ...]]:
    return {head[0]: lines[0] for head, lines in _sections() if head[0] in SPEECH}


def _sections() -> Iterator[tuple[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]]]:
    """(code, name), (cores, what follows) of each part of the file."""
    for part in DATA.read_text(encoding="utf-8").split("\n= ")[1:]:
        head, *lines = [line.strip() for line in part.splitlines() if line.strip()]
        code, _, name = head.partition(" ")
        cores = tuple(line for line in lines if not line.startswith(FOLLOWS))
        follows = tuple(line.removeprefix(FOLLOWS).strip() for line in lines if line.startswith(FOLLOWS))
        yield (code, name), (cores, follows)


def types() -> tuple[EventType, ...]:
    """The starter catalogue's types that reports are invented for."""
    return tuple(EventType(one.code, (one.name,)) for one in matters() if one.name)


def generate(n: int, *, seed: int, places: Sequence[str] = (), codes: Collection[str] | None = None) -> Iterator[Generated]:
    """``n`` reports, the types in turn. ``places``: names to use (invented ones where there are none)."""
    chance = Random(seed)
    told = [one for one in matters() if codes is None or one.code in codes]
    for number in range(n if told else 0):
        yield said(told[number % len(told)], chance, places)


def said(matter: Matter, chance: Random, places: Sequence[str] = ()) -> Generated:
    """One report of a matter."""
    core = chance.randrange(len(matter.cores))
    body = filled(matter.cores[core], chance)
    if matter.follows and chance.random() < LIKELY["follows"]:
        body += "，" + filled(chance.choice(matter.follows), chance)
    before = "".join(_part(name, chance, places) for name in ("opening", "when", "place"))
    words = before + body + _part("tail", chance, places) + chance.choice(("", "。", "。", "！", "？？"))
    return Generated(Report(words.strip("，")), matter.code, core)


def say(code: str, chance: Random, places: Sequence[str] = ()) -> str:
    """The words of one report of a type of the starter catalogue. Raises KeyError for another code."""
    return said({one.code: one for one in matters()}[code], chance, places).report.words


def _part(name: str, chance: Random, places: Sequence[str]) -> str:
    if chance.random() >= LIKELY[name]:
        return ""
    return filled(chance.choice(_speech()[name]), chance).replace(
        "@", chance.choice(places) if places else invented_place(chance)
    )


def filled(pattern: str, chance: Random) -> str:
    """A pattern with one of each choice."""
    return CHOICE.sub(lambda match: chance.choice(match[1].split("|")), pattern)


def invented_place(chance: Random) -> str:
    """A name of nowhere, or a kind of place that is everywhere."""
    if chance.random() < 0.3:
        return chance.choice(KNOWN)
    number = f"{chance.randrange(1, 200)}号" if chance.random() < 0.2 else ""
    return "".join(chance.sample(SYLLABLES, 2)) + chance.choice(KINDS) + number


def examples(each: int, *, seed: int, codes: Collection[str] | None = None) -> list[Example]:
    """``each`` invented reports of every type, as the trainer takes them."""
    told = [one for one in matters() if codes is None or one.code in codes]
    rows = generate(each * len(told), seed=seed, codes=codes)
    return [Example(f"invented-{n}", one.report, one.code) for n, one in enumerate(rows)]
