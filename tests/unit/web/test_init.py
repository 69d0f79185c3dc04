"""The first workbook: everything in it is stored, or nothing, and every fault is named by sheet, row and column."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiequ.cases.models import EventType
from jiequ.core.models import AuditEntry, District, Street
from jiequ.people.models import Department, Person, Post
from jiequ.web.cli import init, roster
from jiequ.web.cli.workbook import write_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "roster.xlsx"
    write_example(file, roster.SHEETS, roster.examples())
    return file


def change(file: Path, do: Callable[[Any], None]) -> Path:
    book = openpyxl.load_workbook(file)
    do(book)
    book.save(file)
    return file


def run(file: Path, check: bool = False) -> int:
    return init.main(argparse.Namespace(settings=None, code=None, example=None, workbook=str(file), check=check))


def test_the_example_is_a_workbook_that_loads(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(book) == 0
    assert Street.objects.get().prefix == "SL"
    assert District.objects.get().code6 == "990106"
    assert Department.objects.filter(street=None).exists()
    assert EventType.objects.exists()
    assert set(Post.objects.filter(person__username="zhang.san").values_list("role", flat=True)) == {"acceptor", "dispatcher"}
    administrators = Post.objects.filter(role__endswith="_admin").values_list("person_id", flat=True)
    assert len(set(administrators)) == 3
    assert capsys.readouterr().out.count("一次性重置码") == 3
    assert AuditEntry.objects.filter(action="street.created").exists()


def test_running_it_again_adds_nothing_and_more_rows_add_those(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(book) == 0
    before = Person.objects.count(), Post.objects.count(), Department.objects.count()
    assert run(book) == 0
    assert (Person.objects.count(), Post.objects.count(), Department.objects.count()) == before
    change(book, lambda b: b["人员"].append(["wang.wu", "王五", 13900000013, 990106001, "网格员", None]))
    assert run(book) == 0
    assert Person.objects.get(username="wang.wu").phone == "13900000013"
    assert Person.objects.count() == before[0] + 1


def test_every_fault_is_named_and_nothing_is_stored(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def spoil(b: Any) -> None:
        b["街道"]["C2"] = "99010"
        b["人员"]["E3"] = "厂长"
        b["人员"]["B4"] = None
        b["管理员"]["D2"] = "12"

    assert run(change(book, spoil)) == 1
    told = capsys.readouterr().err
    assert "工作表“人员”第 3 行“岗位”" in told
    assert "工作表“人员”第 4 行“姓名”：没有填" in told
    change(book, lambda b: (b["人员"].delete_rows(3, 2), None)[1])
    assert run(book) == 1
    told = capsys.readouterr().err
    assert "工作表“街道”第 2 行“代码（9 位）”" in told
    assert "工作表“管理员”第 2 行“手机”：请填写 11 位手机号码" in told
    assert not any(model.objects.exists() for model in (District, Street, Department, Person, AuditEntry))


def test_a_check_stores_nothing(book: Path) -> None:
    assert run(book, check=True) == 0
    assert not Person.objects.exists()
    assert not Street.objects.exists()


def test_two_persons_with_one_phone_are_told_by_row(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(book, lambda b: b["人员"].append(["wang.wu", "王五", "13900000012", "990106001", "网格员", None]))
    assert run(book) == 1
    assert "第 5 行“手机”" in capsys.readouterr().err
    assert not Person.objects.exists()


def test_without_three_administrators_nothing_begins(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(book, lambda b: b["管理员"].delete_rows(3))
    assert run(book) == 1
    assert "还缺安全管理员" in capsys.readouterr().err
    assert not Person.objects.exists()


def test_a_missing_sheet_and_a_missing_column_are_named(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def spoil(b: Any) -> None:
        del b["街道"]
        b["人员"].delete_cols(1)

    assert run(change(book, spoil)) == 1
    told = capsys.readouterr().err
    assert "工作表“街道”：工作簿里没有这张表" in told
    assert "工作表“人员”第 1 行“用户名”：缺少这一列" in told


def test_a_file_that_is_no_workbook_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"not a workbook")
    assert run(tmp_path / "x.xlsx") == 1
    assert "不是能读的 XLSX" in capsys.readouterr().err


def test_a_settings_file_has_fresh_secrets_and_is_never_overwritten(tmp_path: Path) -> None:
    one, two = tmp_path / "one.env", tmp_path / "two.env"
    for file in (one, two):
        assert init.main(argparse.Namespace(settings=str(file))) == 0
    assert one.stat().st_mode & 0o077 == 0
    secrets = [{line for line in file.read_text().splitlines() if "KEY=" in line} for file in (one, two)]
    assert not secrets[0] & secrets[1]
    assert init.main(argparse.Namespace(settings=str(one))) == 1


def test_an_administrator_who_lost_everything_gets_a_code_on_the_server(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(book) == 0
    capsys.readouterr()
    assert init.main(argparse.Namespace(settings=None, code="admin1")) == 0
    assert "一次性重置码" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action="person.reset_code_made").count() == 4
    assert init.main(argparse.Namespace(settings=None, code="nobody")) == 1
