"""An import killed by kill -9 at random moments and run again ends where one that was left alone does."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from jiequ.cases.import_map import ImportMap, order_of, read_map
from jiequ.cases.models import Case
from jiequ.cases.services.importing import Importer, Row
from jiequ.core.models import AuditEntry
from tests import database, orders
from tests.actors import NOW, make_world
from tests.casework import make_condition
from tests.support.processes import fork

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS, BATCH, KILLS = 600, 20, 12
Store = Callable[[Importer, list[Row]], Any]


def rows(given: ImportMap) -> list[Row]:
    """Known and unknown words, two years, open ones among them."""
    told = [
        orders.row(
            n,
            小类="垃圾" if n % 5 else "噪声",
            单位="环卫所" if n % 7 else "环保局",
            办结="2026-02-12 08:00:00" if n % 11 else "",
            按时="是" if n % 11 else "",
            时间=f"{2025 + n % 2}-02-0{1 + n % 9} 08:00:00",
        )
        for n in range(ORDERS)
    ]
    return [Row(number, order_of(given, row)) for number, row in enumerate(told)]


def world() -> None:
    database.reset()
    make_world()
    make_condition()


def run(store: Store, *, pause: float = 0.0, tell: Callable[[bytes], None] = lambda _ready: None) -> None:
    given = read_map(orders.MAP)
    importer, every = Importer(given, at=NOW), rows(given)
    tell(b".")
    for first in range(0, ORDERS, BATCH):
        store(importer, every[first : first + BATCH])
        time.sleep(pause)


def under_kills(store: Store) -> int:
    """Start, kill at some moment, start again …; the last run is left alone. How many were killed at work."""
    rng, killed = random.Random(5), 0
    for _turn in range(KILLS):
        child = fork(lambda tell: run(store, pause=0.003, tell=tell))
        os.read(child.pipe, 1)  # at work now, however slow the machine
        time.sleep(rng.uniform(0.02, 0.25))
        child.kill()
        killed += Case.objects.count() < ORDERS
    run(store)
    return killed


def whole(importer: Importer, batch: list[Row]) -> None:
    importer.store(batch)


def in_pieces(importer: Importer, batch: list[Row]) -> None:
    """The broken twin: cases first, what belongs to them later."""
    _outcome, fresh, _known = importer._sorted(batch)
    made = importer._made(fresh, _outcome)
    importer._file_waiting(made)
    importer._number(made)
    for part in (importer._write_cases, importer._write_rest) if made else ():
        part(made)
        time.sleep(0.05)  # on a fast machine no kill would meet the gap


def test_an_interrupted_import_goes_on_and_ends_like_one_in_one_go() -> None:
    world()
    run(whole)
    alone, audited = orders.stored(), AuditEntry.objects.filter(action="case.imported").count()
    assert len(alone) == audited == ORDERS
    world()
    assert under_kills(whole) >= 1
    assert orders.stored() == alone
    assert AuditEntry.objects.filter(action="case.imported").count() == ORDERS


def test_the_broken_twin_that_stores_in_pieces_leaves_halves() -> None:
    world()
    under_kills(in_pieces)
    assert Case.objects.count() != ORDERS or Case.objects.filter(reports=None).exists()
