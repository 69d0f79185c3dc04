"""Files: whole ones only, each once, away from where it was read; a bad row stops no other; a torn file is left alone."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiequ.cases.models import Case
from jiequ.core.models import Job
from jiequ.doors.hotline import jobs
from jiequ.doors.hotline.models import Order, Source, Visit
from jiequ.doors.hotline.services import folders, forgetting
from tests.actors import NOW
from tests.casework import Casework
from tests.support.hotline import MAP, Hotline

pytestmark = pytest.mark.django_db

PLAIN_MAP = MAP.replace("caller.name", "来电人").replace("caller.phone", "联系电话")


@pytest.fixture
def folder(work: Casework, there: Hotline, settings: Any) -> Path:
    """The source's folder, with a map for flat files."""
    Source.objects.update(takes_files=True, map_text=PLAIN_MAP)
    found = Path(settings.HOTLINE_FOLDER) / "gz"
    (found / "in").mkdir(parents=True)
    return found


def order(work: Casework, there: Hotline, number: str, **changes: Any) -> dict[str, str]:
    """An order with nothing inside another."""
    given = there.order(work.world, number, **changes)
    caller = given.pop("caller")
    return {name: str(value) for name, value in given.items()} | {
        "所属社区": "",
        "来电人": caller["name"],
        "联系电话": caller["phone"],
    }


def lay(folder: Path, name: str, rows: list[dict[str, str]], *, quiet: bool = True) -> Path:
    """A file of rows, by the ending of its name; ``quiet``: written a minute ago."""
    file = folder / "in" / name
    if file.suffix == ".csv":
        with file.open("w", encoding="gb18030", newline="") as text:
            writer = csv.DictWriter(text, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    elif file.suffix == ".xlsx":
        book = openpyxl.Workbook()
        book.active.append(list(rows[0]))
        for row in rows:
            book.active.append(list(row.values()))
        book.save(file)
    else:
        file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    if quiet:
        age(file)
    return file


def age(file: Path, seconds: float = 60) -> None:
    os.utime(file, (time.time() - seconds, time.time() - seconds))


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))


def take() -> list[folders.Taken]:
    return folders.take_folder(Source.objects.select_related("system__street").get(), at=NOW)


@pytest.mark.parametrize("name", ["orders.csv", "orders.xlsx", "orders.json"])
def test_a_good_file_is_taken_whole_and_moved(work: Casework, there: Hotline, folder: Path, name: str) -> None:
    lay(folder, name, [order(work, there, f"F-{n}") for n in range(3)])
    jobs.watch(at=NOW)
    job = Job.objects.get(kind=jobs.TAKE)
    jobs.take(**job.args, at=NOW)
    assert sorted(Order.objects.values_list("number", "state")) == [("F-0", "taken"), ("F-1", "taken"), ("F-2", "taken")]
    assert (names(folder / "in"), names(folder / "working"), names(folder / "rejects")) == ([], [], [])
    assert names(folder / "taken") == [f"20260304T020000-{name}"]
    jobs.watch(at=NOW)
    assert Job.objects.filter(kind=jobs.TAKE).count() == 1  # nothing lies there: no second job
    assert take() == []


def test_bad_rows_go_to_a_rejects_file_with_their_reasons(work: Casework, there: Hotline, folder: Path) -> None:
    rows = [order(work, there, "F-1"), order(work, there, "F-2", 来电时间="昨天"), order(work, there, "F-3", 诉求内容="=1+1")]
    rows[1]["诉求内容"] = "=HYPERLINK(1)"
    lay(folder, "orders.csv", rows)
    (done,) = take()
    assert done.counts == {"new": 2, "refused": 1}
    with (folder / "rejects" / "20260304T020000-orders.csv.csv").open(encoding="utf-8-sig") as text:
        (reject,) = csv.DictReader(text)
    assert (reject["行"], "看不懂的时间" in reject["原因"], reject["工单编号"]) == ("3", True, "F-2")
    assert reject["诉求内容"] == "'=HYPERLINK(1)"
    assert names(folder / "taken") == ["20260304T020000-orders.csv"]


def test_a_file_that_cannot_be_read_goes_away_with_why(work: Casework, there: Hotline, folder: Path) -> None:
    lay(folder, "wrong.csv", [{"编号": "1"}])
    (folder / "in" / "broken.xlsx").write_bytes(b"PK no zip")
    age(folder / "in" / "broken.xlsx")
    take()
    assert names(folder / "in") == names(folder / "taken") == []
    assert len(names(folder / "rejects")) == 4
    assert "工单编号" in (folder / "rejects" / "20260304T020000-wrong.csv.reason.txt").read_text(encoding="utf-8")


def test_a_file_that_is_still_written_is_left_alone(work: Casework, there: Hotline, folder: Path) -> None:
    """Fresh; of a name for halves; a JSON that ends in the middle."""
    lay(folder, "fresh.csv", [order(work, there, "F-1")], quiet=False)
    lay(folder, "half.csv", [order(work, there, "F-2")]).rename(folder / "in" / "half.csv.part")
    torn = folder / "in" / "torn.json"
    torn.write_text(
        json.dumps([order(work, there, "F-3"), order(work, there, "F-4")], ensure_ascii=False)[:-40], encoding="utf-8"
    )
    age(torn)
    assert take() == []
    assert names(folder / "in") == ["fresh.csv", "half.csv.part", "torn.json"]
    assert not Order.objects.exists()
    age(torn, 700)
    (done,) = take()  # ten minutes later it is what it is: the good order is taken, the rest is told
    assert done.counts == {"new": 1, "refused": 1}


def test_a_reader_that_died_leaves_nothing_behind_and_nothing_twice(work: Casework, there: Hotline, folder: Path) -> None:
    """Its file lies in ``working``, half of its orders stored."""
    rows = [order(work, there, f"F-{n}") for n in range(4)]
    lay(folder, "first.csv", rows[:2])
    take()
    lay(folder, "whole.csv", rows).rename(folder / "working" / "whole.csv")
    (done,) = take()
    assert done.counts == {"known": 2, "new": 2}
    assert Case.objects.count() == 4
    assert names(folder / "working") == []


def test_two_readers_do_not_take_one_folder(work: Casework, there: Hotline, folder: Path) -> None:
    lay(folder, "orders.csv", [order(work, there, "F-1")])
    with folders._lock(folder) as is_ours:
        assert is_ours
        assert take() == []
    assert len(take()) == 1


def test_answers_and_call_backs_come_as_files_too(work: Casework, there: Hotline, folder: Path) -> None:
    lay(folder, "a.csv", [order(work, there, "F-1")])
    take()
    lay(folder, "visits-1.csv", [{"visit": "V-1", "number": "F-1", "solved": "是", "satisfaction": "满意"},
                                 {"visit": "V-2", "number": "F-9", "solved": "是", "satisfaction": "满意"}])  # fmt: skip
    (done,) = take()
    assert (done.counts, Visit.objects.get().satisfaction) == ({"new": 1, "refused": 1}, 4)


def test_files_and_contents_are_forgotten_when_their_time_is_over(work: Casework, there: Hotline, folder: Path) -> None:
    lay(folder, "a.csv", [order(work, there, "F-1")])
    take()
    forgetting.forget(at=NOW)
    assert Order.objects.exclude(content_sealed="").exists()
    age(folder / "taken" / "20260304T020000-a.csv", (time.time() - NOW.timestamp()) + 31 * 86400)
    forgetting.forget(at=NOW + forgetting.CONTENT * 1.1)
    assert not Order.objects.exclude(content_sealed="").exists()
    assert names(folder / "taken") == []
    assert Case.objects.count() == 1
