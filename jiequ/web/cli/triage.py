"""``./run triage train|evaluate|predict``: the suggestions from the command line, with progress and a readable report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.core import clock
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.triage import queries, words
from jiequ.triage.models import Cause, Kind, Learning, Version
from jiequ.triage.services import Ask, learning, suggest_type
from jiequ.triage.services.suggesting import names_of_types
from jiequ.web.cli.terminal import speak

WIDTH = 30
FIGURES = {
    "macro_f1": gettext_lazy("各类平均 F1"),
    "accuracy": gettext_lazy("准确率"),
    "calibration_error": gettext_lazy("把握与实际的偏差"),
    "top1": gettext_lazy("第一个就对"),
    "top3": gettext_lazy("前三个里有"),
    "n": gettext_lazy("检验用的次数"),
}


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where nothing could be learnt or nothing is there to show."""
    speak()
    if options.what == "predict":
        return _predict(options.words)
    return _train() if options.what == "train" else _evaluate()


def _train() -> int:
    """Learn in this process's child, now; a run that a worker holds is left to it."""
    at = clock.now()
    try:
        run = learning.ask(cause=Cause.COMMAND, at=at, is_queued=False)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    try:
        settle = learning.work(run.pk, at=at, tell=_bar)
    except (RuntimeError, KeyboardInterrupt) as fault:
        learning.give_up(run.pk, at=clock.now())
        print(_("没有学成：%(fault)s") % {"fault": fault}, file=sys.stderr)
        return 1
    if settle is not None:
        with writing():
            settle()
    print("\r" + " " * (WIDTH + 40), end="\r")
    return _told(Learning.objects.get(pk=run.pk))


def _bar(stage: str, share: float) -> None:
    done, said = round(WIDTH * share), words.STAGES.get(stage, stage)
    print(
        f"\r[{'#' * done}{'.' * (WIDTH - done)}] {100 * share:3.0f} %  {said}      ",
        end="",
        flush=True,
    )


def _told(run: Learning) -> int:
    if "why" in run.outcome:
        print(words.WHY.get(run.outcome["why"], run.outcome["why"]))
        return 1
    print(_("学了 %(n)s 件案件") % {"n": run.examples})
    for kind, made in sorted(run.outcome.items()):
        version = Version.objects.get(kind=kind, number=made["number"])
        _card(version)
    return 0


def _card(version: Version) -> None:
    label = words.STANDINGS[version.standing][0]
    why = words.WHY.get(version.why, version.why)
    facts = {"kind": words.KINDS[version.kind], "n": version.number, "label": label, "why": why}
    print("\n" + _("%(kind)s 第 %(n)s 版 · %(label)s · %(why)s") % facts)
    card = version.card
    for name, said in FIGURES.items():
        if card.get(name) is not None:
            print(f"  {card[name]:<8}{said}")
    for row in card.get("coverage", []):
        print(f"  {_('回答')} {row['coverage']:>5.0%}  {_('其中对')} {row['accuracy']:.1%}")
    names = names_of_types()
    if card.get("per_type"):
        print(f"  {'F1':<5}  {_('案件')}  {_('事件类型')}")
    for row in sorted(card.get("per_type", []), key=lambda one: -one.get("n", 0)):
        print(f"  {row['f1']:.3f}  {row.get('n', 0):>5}  {names.get(row['code']) or words.type_name(row['code'])}")


def _evaluate() -> int:
    """The cards of what is in use and how the last four weeks went, predict first and learn then."""
    used = queries.champions()
    for version in used.values():
        _card(version)
    for score in queries.scores(clock.now()):
        if score.taught:
            facts = {
                "kind": words.KINDS[score.kind],
                "n": score.taught,
                "first": f"{score.first_right / score.taught:.1%}",
                "three": f"{score.three_right / score.taught:.1%}",
            }
            print("\n" + _("%(kind)s 近四周 %(n)s 次确认：第一个就对 %(first)s，前三个里有 %(three)s") % facts)
    for kind in Kind:
        weeks = queries.weeks(kind)[:4]
        if weeks:
            print(f"\n{words.KINDS[kind]}  " + _("每周：确认数、第一个就对、前三个里有，! 为预警"))
        for week in weeks:
            mark = " !" if week.is_alarm else ""
            print(f"  {week.monday}  {week.taught:>5}  {week.first_right:>5}  {week.three_right:>5}{mark}")
    if not used:
        print(_("还没有学过本区的案件。"))
    return 0 if used else 1


def _predict(given: list[str]) -> int:
    """What would be suggested for a sentence, or for each line of standard input. Nothing is stored."""
    names = names_of_types()
    lines: Iterable[str] = [" ".join(given)] if given else sys.stdin
    for line in lines:
        advice = suggest_type(Ask(line.strip(), at=clock.now()))
        told = [f"{names.get(one.code) or words.type_name(one.code)} {one.confidence:.0%}" for one in advice.choices]
        urgent = f"  [{_('可能紧急')}: {'、'.join(advice.urgent)}]" if advice.urgent else ""
        print(f"{'  |  '.join(told) or '—'}{urgent}")
        for one in advice.choices[:1] if given else ():
            for reason in one.reasons:
                print("  " + words.reason_words(reason, lambda code: names.get(code, code)))
    return 0
