"""At the desk: how long a suggestion takes, and what a web worker weighs with the triage in use.

A part of ``./run bench triage``. A child process stands for a web worker: it sets Django up as one does, loads a model (fitted
here from ``CASES`` invented reports, as many as a district's), fills the memory of 300 fresh corrections, and answers invented
reports, one by one. Checked first: the answers are the types that the reports were invented for. Without the database's part.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.triage import at_most, row

CASES, ASKED, FRESH, DISPATCHES = 7300, 400, 300, 7000
WORKER_MB, SUGGESTION_MS = 175, 50
SEED = 8


def main() -> None:
    """Fit, then measure in a process of its own."""
    from jiequ.triage.engine import files, generator
    from jiequ.triage.engine.learning import train

    with TemporaryDirectory() as folder:
        rows = generator.examples(CASES // len(generator.matters()), seed=SEED)
        model = train(rows, generator.types(), district="bench", at="2026-11-27", seed=SEED).model
        files.save(model, Path(folder) / "model.npz")
        command = [sys.executable, "-m", "bench.triage_desk", folder]
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        told = subprocess.run(command, env=os.environ | threads, check=True, capture_output=True, text=True).stdout.splitlines()
    figures = dict(line.split(" ", 1) for line in told if line.startswith("=")) if told else {}
    if float(figures["=right"]) < 0.9:
        sys.exit(f"the suggestions are wrong: {figures['=right']} of the invented reports")
    row("first right of what it was asked (invented)", figures["=right"])
    for name, what in (("=type", "a type, with its reasons and marks"), ("=lead", "a department")):
        p50, p95 = (float(part) for part in figures[name].split())
        at_most(f"{what}, p95 (p50 {p50:.1f} ms)", p95, SUGGESTION_MS, 1, " ms")
    at_most(f"a web worker's memory with it (before: {figures['=before']} MB)", float(figures["=after"]), WORKER_MB, 0, " MB")


def worker(folder: Path) -> None:
    """What a web worker does; figures go to standard output."""
    before = ready()
    from jiequ.triage.engine import files, generator
    from jiequ.triage.engine.advice import advise, weigher_for
    from jiequ.triage.engine.dispatch import Dispatcher
    from jiequ.triage.engine.matter import Matter
    from jiequ.triage.engine.memory import Memory, Row
    from jiequ.triage.engine.urgent import starter_words

    model, urgent = files.load(folder / "model.npz", district="bench"), starter_words()
    fresh = list(generator.generate(FRESH, seed=SEED + 1))
    rows = [Row(str(n), one.report.words, one.code, is_correction=True) for n, one in enumerate(fresh)]
    memory = Memory.of(rows, weigher_for(model))
    asked = list(generator.generate(ASKED, seed=SEED + 2))
    told, times = [], []
    for one in asked:
        began = time.perf_counter()
        told.append(advise(one.report, model=model, memory=memory, urgent=urgent))
        times.append(1000 * (time.perf_counter() - began))
    right = np.mean([each.suggestions[0].code == one.code for each, one in zip(told, asked, strict=True)])
    dispatcher, departments = Dispatcher("bench"), [f"d{n}" for n in range(40)]
    leads = []
    for n in range(DISPATCHES + ASKED):
        one = asked[n % ASKED]
        matter = Matter(one.code, "440198001", f"44019800100{n % 9}", "resident", groups=(one.code[:-2],), hour=n % 24)
        if n >= DISPATCHES:
            began = time.perf_counter()
            dispatcher.suggest(matter, day=n / 20, allowed=departments)
            leads.append(1000 * (time.perf_counter() - began))
        dispatcher.learn(matter, departments[hash_of(one.code) % 40], day=n / 20)
    said = {
        "right": f"{right:.3f}",
        "type": spread(times),
        "lead": spread(leads),
        "before": f"{before:.0f}",
        "after": f"{mb():.0f}",
    }
    for name, value in said.items():
        print(f"={name} {value}")


def hash_of(code: str) -> int:
    """The same in every run."""
    return sum(map(ord, code))


def spread(times: list[float]) -> str:
    """p50 and p95 in milliseconds."""
    return f"{np.percentile(times, 50):.3f} {np.percentile(times, 95):.3f}"


def ready() -> float:
    """Django with every app and address, as a web worker has them, and one page answered; its memory then, in MB."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
    import django

    django.setup()
    from django.core.handlers.wsgi import WSGIHandler
    from django.urls import get_resolver

    WSGIHandler()
    _ = get_resolver().url_patterns
    return mb()


def mb() -> float:
    """What this process held at its highest, in MB: VmHWM, which begins anew with the program (ru_maxrss does not)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    worker(Path(sys.argv[1]))
