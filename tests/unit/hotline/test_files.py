"""Files: whole ones only, each once, away from where it was read; a bad row stops no other; a torn file is left alone."""

from __future__ import annotations

import csv
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiequ.cases.models import Case
from jiequ.core.models import Job
from jiequ.doors.hotline import jobs
from jiequ.doors.hotline.models import Order, Source, Visit
from jiequ.doors.hotline.services import folders, forgetting
from jiequ.web.cli import hotline as command
from jiequ.web.cli.options import parse
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


@pytest.mark.parametrize(
    "bad",
    ['{"工单编号": "F-9", "诉求内容": "\\ud83d"}', '{"x": ' * 400 + "1" + "}" * 400, "[" * 100_000],
    ids=["half", "deep", "deeper"],
)
def test_a_row_that_no_database_takes_stops_no_other(work: Casework, there: Hotline, folder: Path, bad: str) -> None:
    good = json.dumps(order(work, there, "F-1"), ensure_ascii=False)
    (folder / "in" / "orders.jsonl").write_text(f"{bad}\n{good}\n", encoding="utf-8")
    (folder / "in" / "other.json").write_text(f"[{good.replace('F-1', 'F-2')},{bad}]", encoding="utf-8")
    age(folder / "in" / "orders.jsonl", 700)
    age(folder / "in" / "other.json", 700)
    assert [done.counts for done in take()] == [{"refused": 1, "new": 1}, {"new": 1, "refused": 1}]
    assert names(folder / "working") == []


def test_a_workbook_that_breaks_in_a_row_goes_away_with_why(work: Casework, there: Hotline, folder: Path) -> None:
    whole, torn = lay(folder, "whole.xlsx", [order(work, there, "F-1")]), folder / "in" / "torn.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(torn, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[:-60] if name.endswith("sheet1.xml") else data)
    age(torn)
    assert [bool(done.why) for done in take()] == [True, False]
    assert names(folder / "working") == []


def test_the_command_line_takes_a_folder_or_a_file_and_says_what_came_of_it(
    work: Casework, there: Hotline, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> int:
        return command.main(parse(["hotline", "take", "--source", *words]))

    lay(folder, "orders.csv", [order(work, there, "F-1"), order(work, there, "F-2", 来电时间="昨天")])
    assert run("gz", str(folder)) == 0
    assert "新收 1，已有 0，有改动 0，不收 1" in capsys.readouterr().out
    named = lay(folder, "again.csv", [order(work, there, "F-1")])
    assert run("gz", str(named)) == 0
    assert "已有 1" in capsys.readouterr().out
    for slug, path, why in (("gz", named, "again.csv"), ("nobody", folder, "nobody")):
        assert run(slug, str(path)) == 1
        assert why in capsys.readouterr().err
    Source.objects.update(paused_at=NOW)
    assert run("gz", str(folder)) == 1
    assert "暂停" in capsys.readouterr().err


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
