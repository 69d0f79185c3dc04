"""The pyramid behind the map's clusters equals a recount after whatever happened (issue 3, proofs).

The short form: 4 walks of 45 tries beside self-handled, split and refused cases. The long one (10,000 moves) is
``./run bench map``.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import translation

from jiequ.cases import services
from jiequ.cases.jobs import recount_rollups
from jiequ.cases.models import Case, Rollup
from jiequ.cases.pyramid import ZOOMS, cells, corner
from jiequ.cases.services import rollups, undoing
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.jobs import work_once
from jiequ.grid.rules import q18, tile
from jiequ.web.cli import check
from tests.actors import NOW
from tests.casework import Casework, make_condition
from tests.statements import statements_of
from tests.walks import Walk

WALKS, STEPS = 4, 45


def wrong() -> int:
    return sum(one.wrong for one in rollups.recount(repair=False))


def count(group: str, zoom: int = 16) -> int:
    return sum(Rollup.objects.filter(zoom=zoom, state_group=group).values_list("count", flat=True))


def written(act: Callable[[], Any]) -> list[str]:
    return [sql for sql in statements_of(act) if "cases_rollup" in sql]


def test_rollups_equal_a_recount_after_random_walks(work: Casework) -> None:
    for seed in range(WALKS):
        with transaction.atomic():
            walk = Walk(work, seed)
            for _ in range(STEPS):
                walk.step()
                assert wrong() == 0, walk.done[-1]
            assert len(walk.done) > STEPS / 4
            transaction.set_rollback(True)


def test_the_broken_twin_that_forgets_an_undo_is_found(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    case = work.fresh(work.accepted(), "lin")
    event = services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)
    monkeypatch.setattr(undoing.rollups, "moved", lambda *_: None)
    services.undo(event.pk, by=work.actor("lin"), at=NOW)
    assert wrong() > 0


def test_every_way_a_case_comes_into_being_is_counted(work: Casework) -> None:
    work.sampled()
    first = work.fresh(work.reported().case, "lin")
    services.split(first, words="另一件", by=work.actor("lin"), at=NOW)
    assert (count("ended"), count("waiting"), count("work")) == (1, 2, 0)
    assert {zoom: count("waiting", zoom) for zoom in ZOOMS} == dict.fromkeys(ZOOMS, 2)
    assert wrong() == 0


def test_a_case_that_is_moved_on_the_map_is_counted_where_it_lies_now(work: Casework) -> None:
    case = work.fresh(work.reported(place=work.place("a")).case, "lin")
    services.correct(case, place=work.place("b"), by=work.actor("lin"), at=NOW)
    there = Case.objects.values_list("q18", flat=True).get(pk=case.pk)
    assert there == q18(*work.world.point_in("b"))
    assert wrong() == 0
    assert count("waiting") == 1


def test_a_move_within_its_group_writes_no_rollup_and_any_other_one_statement(work: Casework) -> None:
    by = work.actor("lin")
    assert len(written(work.reported)) == 1
    case = work.fresh(work.accepted(), "lin")
    assert len(written(lambda: services.dispatch(case, lead_id=work.sanitation, by=by, at=NOW))) == 1
    same = work.fresh(case, "huang")
    assert written(lambda: services.acknowledge(same, by=work.actor("huang"), at=NOW)) == []


def test_many_cases_moved_in_one_transaction_are_one_statement(work: Casework) -> None:
    cases = [work.fresh(work.accepted(), "lin") for _ in range(5)]

    def dispatch_all() -> None:
        with writing():
            for case in cases:
                services.dispatch(case, lead_id=work.sanitation, by=work.actor("lin"), at=NOW)

    assert len(written(dispatch_all)) == 1
    assert wrong() == 0


def test_a_refused_part_of_a_transaction_is_not_counted(work: Casework) -> None:
    with writing():
        kept = work.reported().case
        with pytest.raises(Refusal):
            report_and_refuse(work)
    assert list(Case.objects.all()) == [kept]
    assert count("waiting") == 1
    assert wrong() == 0


def report_and_refuse(work: Casework) -> None:
    with writing():
        work.reported()
        raise Refusal("no", "不行")


def test_types_of_one_class_share_a_row_and_a_new_type_moves_a_case_to_its_class(work: Casework) -> None:
    other, far = make_condition("0199"), make_condition("0501")
    case = work.fresh(work.accepted(), "lin")
    services.correct(case, condition_id=other.pk, by=work.actor("lin"), at=NOW)
    assert set(Rollup.objects.exclude(count=0).values_list("type_group", flat=True)) == {"e01"}
    services.correct(work.fresh(case, "lin"), condition_id=far.pk, by=work.actor("lin"), at=NOW)
    assert set(Rollup.objects.exclude(count=0).values_list("type_group", flat=True)) == {"e05"}
    assert wrong() == 0


def test_an_importer_counts_a_batch_in_one_statement(work: Casework) -> None:
    made = [work.accepted() for _ in range(3)]
    Rollup.objects.all().delete()
    assert len(written(lambda: services.count_in(made))) == 1
    assert wrong() == 0


def test_a_recount_mends_what_went_wrong_and_clears_what_counts_nothing(work: Casework) -> None:
    work.accepted()
    Rollup.objects.filter(zoom=14, count=1).update(count=7)
    Rollup.objects.filter(zoom=12).delete()
    Rollup.objects.create(
        street=work.world.street, zoom=16, tile=1, state_group="work", type_group="", count=3, east=0, south=0
    )
    found = rollups.recount(repair=True)
    assert sum(one.wrong for one in found) == 3
    assert wrong() == 0
    assert set(Rollup.objects.values_list("zoom", "count")) == {(zoom, 1) for zoom in ZOOMS}


def test_the_nightly_job_and_the_command_find_and_mend_a_count_that_went_wrong(
    work: Casework, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    work.accepted()
    Rollup.objects.filter(zoom=10).update(count=5)
    assert check_rollups(repair=False) == 1
    assert "--repair" in capsys.readouterr().err
    recount_rollups(at=NOW)
    while work_once(at=NOW):
        pass
    assert "differed from a recount" in caplog.text
    assert check_rollups(repair=False) == 0
    Rollup.objects.filter(zoom=10).update(count=5)
    assert check_rollups(repair=True) == 1
    assert check_rollups(repair=True) == 0


def check_rollups(*, repair: bool) -> int:
    with translation.override("en"):  # the command speaks the terminal's language and leaves it so
        return check.main(Namespace(what="rollups", repair=repair))


@pytest.mark.parametrize(("lon", "lat"), [(113.5, 23.18), (-179.99, -60.0), (0.0001, 0.0001)])
def test_a_cell_knows_its_corner_and_where_in_it_the_place_lies(lon: float, lat: float) -> None:
    column, row = tile(lon, lat)
    for cell in cells(q18(lon, lat)):
        side = 1 << (18 - cell.zoom)
        left, top = corner(cell.tile)
        assert (left * side + cell.east, top * side + cell.south) == (column, row)
