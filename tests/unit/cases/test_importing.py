"""Orders of another system become cases: once, honestly, and one bad row blocks no other."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count

from jiequ.cases import jobs as case_jobs
from jiequ.cases.models import Case, CaseEvent, EventType, ImportIssue, IssueCase, Report, Reporter, Task
from jiequ.cases.services import importing, rollups, searching
from jiequ.channels.models import Message
from jiequ.core import audit, jobs
from jiequ.core.models import AuditEntry, Counter, Job
from tests import orders as office
from tests.actors import MovableClock, World
from tests.casework import Casework
from tests.orders import Desk, issues, row, stored

pytestmark = pytest.mark.usefixtures("work", "clock")
desk = office.desk


def test_a_historic_order_becomes_a_closed_case_with_one_event_and_nobody_is_told(desk: Desk, work: Casework) -> None:
    assert desk.run([row(1), row(2, 按时="否", x=str(work.world.point_in("a")[0]), y=str(work.world.point_in("a")[1]))]) == 0
    first, second = Case.objects.order_by("pk")
    assert (first.state, first.closing, first.imported_from) == ("closed", "imported", "old")
    assert (first.condition, first.lead_id, first.community_id) == (
        work.condition,
        work.sanitation,
        work.world.communities["east"].pk,
    )
    assert (first.is_late, second.is_late, second.unit_grid) == (False, True, work.world.grid_a)
    assert (first.number, second.number) == ("LG-2026-000001", "LG-2026-000002")
    assert first.ended_at is not None
    assert list(CaseEvent.objects.values_list("move", flat=True)) == ["imported", "imported"]
    assert CaseEvent.objects.filter(case=first).get().facts["ref"] == "W1"
    told = Job.objects.exclude(kind=searching.INDEX_TEXTS).count()
    assert (first.clocks, first.due_at, told, Message.objects.count(), Task.objects.count()) == (
        {},
        None,
        0,
        0,
        0,
    )
    assert desk.rejected() == {}


def test_a_case_says_where_it_came_from_on_its_page(desk: Desk, world: World) -> None:
    desk.run([row(1, 小类="没见过的")])
    page = world.client("lin").get("/cases/LG-2026-000001/").content.decode()
    assert "从其他系统导入" in page
    assert "老系统" in page
    assert "W1" in page
    assert page.count("没见过的") >= 2  # its title too: the type that stands in for it says nothing


def test_the_second_run_changes_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(n) for n in range(5)]
    desk.run(rows)
    before, entries = stored(), AuditEntry.objects.count()
    assert desk.run(rows) == 0
    assert stored() == before
    assert AuditEntry.objects.count() == entries
    assert "新建 0 件，已有 5 件，不收 0 行" in capsys.readouterr().out


def test_a_changed_row_is_listed_and_never_written_over(desk: Desk) -> None:
    desk.run([row(1), row(2)])
    before = stored()
    desk.run([row(1, 内容="改过了"), row(2), row(3)])
    assert [case for case in stored() if case["report"][0] != "W3"] == before
    assert list(desk.rejected()) == ["W1"]
    assert "内容和那时不同" in desk.rejected()["W1"]


def test_a_bad_row_stands_in_the_rejects_with_its_reason_and_blocks_no_other(desk: Desk) -> None:
    bad = {
        "": row("", 单号=""),
        "W1": row(1, 时间="昨天"),
        "W2": row(2, 办结="2026-02-01 00:00:00"),
        "W3": row(3, 街道="没有的街道"),
        "W4": row(4, x="东", y="西"),
        "W5": row(5, 时间="2099-01-01 00:00:00", 办结=""),
        "W6": row(6, x="900", y="900"),
    }
    desk.run([row(10), *bad.values(), row(11)])
    reasons = desk.rejected()
    assert len(reasons) == len(bad)
    for part in ("没有单号", "看不懂的时间", "办结时间早于", "没有对应", "看不懂的坐标", "在将来", "不在地球上"):
        assert any(part in reason for reason in reasons.values()), part
    assert set(Report.objects.values_list("source_ref", flat=True)) == {"W10", "W11"}


def test_a_row_that_the_database_refuses_costs_only_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that fails for one row of the batch: the others are stored one by one."""
    plain = importing.Importer._report

    def spoilt(self: Any, one: Any, reporter_id: int | None) -> tuple[Any, ...]:
        values = plain(self, one, reporter_id)
        return values if one.row.order.number != "W3" else (None, *values[1:])

    monkeypatch.setattr(importing.Importer, "_report", spoilt)
    desk.run([row(n) for n in range(6)])
    assert set(Report.objects.values_list("source_ref", flat=True)) == {"W0", "W1", "W2", "W4", "W5"}
    assert Case.objects.count() == CaseEvent.objects.count() == 5
    assert "数据库不接受" in desk.rejected()["W3"]


def test_rejected_rows_cannot_run_in_a_spreadsheet(desk: Desk) -> None:
    for number, text in enumerate(("=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "-5", "-")):
        desk.run([row(number, 内容=text, 时间="")])
        line = desk.rejects.read_text(encoding="utf-8-sig").splitlines()[-1]
        assert (f"'{text}" in line) == (text not in {"-5", "-"}), line


def test_a_check_stores_nothing_and_counts_the_same(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(1), row(2, 小类="别的"), row(3, 时间="")]
    assert desk.run(rows, "--check") == 0
    assert (Case.objects.count(), ImportIssue.objects.count(), EventType.objects.filter(code="IMPORT").count()) == (0, 0, 0)
    assert "可新建 2 件，已有 0 件，不收 1 行" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-8", "a.csv"), ("utf-8-sig", "b.csv"), ("gb18030", "c.csv"), ("utf-16", "d.csv")]
)
def test_every_encoding_gives_the_same_cases(desk: Desk, encoding: str, name: str) -> None:
    desk.run(desk.write([row(1, 内容="坣口积水")], name=name, encoding=encoding))
    assert Report.objects.get().words == "坣口积水"


def test_csv_xlsx_json_and_json_lines_give_the_same_cases(desk: Desk) -> None:
    import openpyxl

    rows = [row(n, 内容=f"第{n}件") for n in range(4)]
    array, lines, book = desk.folder / "a.json", desk.folder / "a.jsonl", desk.folder / "a.xlsx"
    array.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    lines.write_text("\n".join(json.dumps(one) for one in rows), encoding="utf-8")
    sheet = openpyxl.Workbook()
    for line in (office.HEADINGS, *([one[name] for name in office.HEADINGS] for one in rows)):
        sheet.active.append(line)
    sheet.save(book)
    for file in (array, lines, book, desk.write(rows)):
        assert desk.run(file) == 0
        assert Case.objects.count() == 4, file
    assert desk.rejected() == {}


def test_broken_lines_of_a_file_are_told_and_the_others_are_taken(desk: Desk) -> None:
    lines = desk.folder / "a.jsonl"
    good = [json.dumps(row(n)) for n in range(3)]
    lines.write_text("\n".join([good[0], "{broken", "[1]", good[1], good[2]]), encoding="utf-8")
    desk.run(lines)
    assert Case.objects.count() == 3
    assert list(desk.rejected()) == ["2", "3"]
    ragged = desk.write([row(7)], name="ragged.csv")
    ragged.write_text(ragged.read_text(encoding="utf-8") + "W8,2026-02-10\n", encoding="utf-8")
    desk.run(ragged)
    assert "有 2 格" in desk.rejected()["W8"]


def test_unmapped_words_go_to_the_review_list_and_the_case_keeps_them(desk: Desk, work: Casework) -> None:
    rows = [row(1, 小类="噪声", 单位="环保局"), row(2, 小类="噪声"), row(3, 社区="新社区", 办结="", 按时="")]
    desk.run(rows)
    assert issues() == {("type", "噪声"): 2, ("unit", "环保局"): 1, ("community", "新社区"): 1}
    case = Report.objects.get(source_ref="W1").case
    assert (case.state, case.title, case.lead) == ("closed", "噪声", None)
    assert case.event_type is not None
    assert (case.event_type.code, case.event_type.is_active) == ("IMPORT", False)
    assert CaseEvent.objects.get(case=case).facts["said"] == {
        "sub_type": "噪声", "unit": "环保局", "street": "龙涧街道", "community": "东涌社区", "source": "热线", "on_time": "是",
    }  # fmt: skip


def test_the_map_may_refuse_what_it_does_not_know(desk: Desk) -> None:
    desk.run([row(1, 小类="噪声"), row(2)], toml=office.MAP + '[unmapped]\ntype = "reject"\n')
    assert "“噪声”没有对应" in desk.rejected()["W1"]
    assert Case.objects.count() == 1


def test_open_orders_wait_at_the_desk_or_are_left_out(desk: Desk) -> None:
    rows = [row(1, 办结="", 按时="")]
    desk.run(rows, "--open", "skip")
    assert "还没有办结" in desk.rejected()["W1"]
    desk.run(rows)
    case = Case.objects.get()
    assert (case.state, case.clocks, case.lead) == ("reported", {}, None)
    assert not Job.objects.exclude(kind=searching.INDEX_TEXTS).exists()


def test_open_orders_enter_the_loop_where_that_is_asked_for(desk: Desk, work: Casework) -> None:
    x, y = work.world.point_in("a")
    place = {"办结": "", "按时": "", "x": str(x), "y": str(y), "期限": "2026-03-09 10:00:00"}
    rows = [row(1, **place), row(2, 办结="", 按时=""), row(3, **(place | {"单位": "没有的单位"}))]
    desk.run(rows, "--open", "start-clocks")
    states = dict(Report.objects.values_list("source_ref", "case__state"))
    assert states == {"W1": "dispatched", "W2": "reported", "W3": "accepted"}
    case = Report.objects.get(source_ref="W1").case
    assert (case.lead_id, set(case.clocks)) == (work.sanitation, {"outer", "dispatch", "acknowledge", "handle"})
    assert Message.objects.filter(template="new_task").exists()
    assert "留在待受理" in desk.rejected()["W2"]
    desk.run(rows, "--open", "start-clocks")
    assert Case.objects.count() == 3
    assert CaseEvent.objects.filter(case=case).count() == 3


def test_a_run_that_was_cut_between_storing_and_entering_goes_on(desk: Desk, work: Casework) -> None:
    x, y = work.world.point_in("a")
    rows = [row(1, 办结="", 按时="", x=str(x), y=str(y))]
    desk.run(rows)
    desk.run(rows, "--open", "start-clocks")
    assert Case.objects.get().state == "dispatched"


def test_an_open_case_without_a_clock_goes_round_the_loop(desk: Desk, work: Casework) -> None:
    from jiequ.cases import services

    x, y = work.world.point_in("a")
    desk.run([row(1, 办结="", 按时="", x=str(x), y=str(y))])
    case, lin = Case.objects.get(), work.actor("lin")
    services.ask_verify(work.fresh(case, "lin"), by=lin, at=office_now())
    services.verify(work.fresh(case, "chen"), finding="true", by=work.actor("chen"), at=office_now())
    services.accept(work.fresh(case, "lin"), by=lin, at=office_now())
    assert work.fresh(case, "lin").state == "accepted"


def office_now() -> Any:
    from tests.actors import NOW

    return NOW


def test_a_reporters_name_is_sealed_and_what_is_past_its_time_is_not_taken_in(desk: Desk) -> None:
    desk.run(
        [
            row(1, 姓名="周女士", 电话="13912345678"),
            row(2, 姓名="周女士", 电话="1", 时间="2020-01-01 08:00:00", 办结="2020-01-02 08:00:00"),
        ]
    )
    reporter = Reporter.objects.get()
    assert "周" not in reporter.name_sealed
    assert Report.objects.get(source_ref="W1").reporter == reporter
    old = Report.objects.select_related("case").get(source_ref="W2")
    assert (old.reporter, old.words, old.place_words, old.case.address) == (None, "", "", "")


def test_what_was_imported_without_an_end_is_forgotten_by_its_age(desk: Desk, clock: MovableClock) -> None:
    toml = office.MAP + '[unmapped]\nsource = "caller"\n'
    desk.run([row(1, 办结="", 来源="来电")], toml=toml)
    case = Case.objects.get()
    assert case.ended_at == case.reported_at
    assert case.events.get().facts["closed"] is None
    case_jobs.forget_reporters(at=clock.at + timedelta(days=300))
    assert Report.objects.get().words
    case_jobs.forget_reporters(at=clock.at + timedelta(days=400))
    assert Report.objects.get().words == ""


def test_every_case_and_every_batch_stand_in_the_audit_and_the_chain_holds(desk: Desk, world: World) -> None:
    desk.run([row(n) for n in range(3)])
    assert AuditEntry.objects.filter(action="case.imported", street_id=world.street.pk).count() == 3
    batch = AuditEntry.objects.get(action="import.batch")
    assert (batch.facts["new"], batch.facts["first"], batch.facts["last"]) == (3, "LG-2026-000001", "LG-2026-000003")
    assert len(batch.facts["file"].replace("-", "")) == 64
    audit.seal_pending(at=batch.at)
    assert audit.verify(world.street.pk).ok
    assert audit.verify(None).ok


def test_numbers_follow_the_year_of_the_order_and_the_counter_goes_on(desk: Desk, work: Casework) -> None:
    desk.run([row(1, 时间="2024-05-05 08:00:00", 办结="2024-05-06 08:00:00"), row(2), row(3)])
    assert sorted(Case.objects.values_list("number", flat=True)) == ["LG-2024-000001", "LG-2026-000001", "LG-2026-000002"]
    assert Counter.objects.get(name="LG-2026").value == 2
    assert work.reported().case.number == "LG-2026-000003"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('source = "old"', 'source = "Old System"'),
        ('number = "单号"', 'numero = "单号"'),
        ('"垃圾" = "0110"', '"垃圾" = "0199"'),
        ('"环卫所" = "hw"', '"环卫所" = "nobody"'),
        ('"热线" = "hotline"', '"热线" = "phone"'),
        ('"是" = true', '"是" = "yes"'),
        ('words = "内容"', 'words = "没有这一列"'),
        ('name = "老系统"', "name = 老系统"),
    ],
)
def test_a_fault_of_the_map_is_told_with_its_line(
    desk: Desk, wrong: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = office.MAP.replace(wrong, told)
    line = next(number for number, text in enumerate(toml.splitlines(), 1) if text == told)
    assert desk.run([row(1)], toml=toml) == 1
    assert f"第 {line} 行" in capsys.readouterr().err
    assert Case.objects.count() == 0


def test_a_first_map_is_written_from_the_file_and_can_be_read(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    from jiequ.web.cli import orders
    from jiequ.web.cli.options import parse

    file = desk.folder / "real.csv"
    file.write_text(
        "工单编号,创建时间,问题小类,处置单位,问题描述\n1,2026/02/01 08:00,暴露生活垃圾,环卫站（所）,=脏\n", encoding="utf-8"
    )
    target = desk.folder / "draft.toml"
    assert orders.main(parse(["import", "orders", str(file), "--draft", str(target)])) == 0
    text = target.read_text(encoding="utf-8")
    for part in ('number = "工单编号"', 'dates = "%Y/%m/%d %H:%M"', '"暴露生活垃圾" = "0110"', '"环卫站（所）" = "hw"'):
        assert part in text
    assert orders.main(parse(["import", "orders", str(file), "--draft", str(target)])) == 1
    assert desk.run(file, "--street", "990101001", toml=text) == 0
    assert Case.objects.get().title == "暴露生活垃圾"


def test_units_of_the_file_become_departments_only_once_somebody_agreed(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(1, 单位="路灯所"), row(2, 单位="路灯所", 街道="青岗街道", 社区=""), row(3, 单位="河道社区")]
    monkeypatch.setattr("builtins.input", lambda _words: "no")
    assert desk.run(rows, "--create-units") == 1
    assert Case.objects.count() == 0
    assert desk.run(rows, "--create-units", "--yes") == 0
    leads = {r.source_ref: r.case.lead for r in Report.objects.select_related("case__lead")}
    assert leads["W1"] == leads["W2"]
    assert leads["W1"] is not None
    assert leads["W3"] is not None
    assert (leads["W1"].kind, leads["W3"].kind, leads["W3"].street) == ("bureau", "community", world.street)
    assert issues() == {}


def test_the_maps_counts_are_right_after_an_import_and_after_a_word_is_settled(
    desk: Desk, work: Casework, clock: MovableClock
) -> None:
    x, y = work.world.point_in("a")
    desk.run([row(n, 小类="垃圾" if n % 2 else "噪声", x=str(x + n * 1e-5), y=str(y)) for n in range(9)])
    assert [(one.wrong, one.cases) for one in rollups.recount(repair=False)] == [(0, 9), (0, 0)]
    work.world.client("lin").post(f"/imports/{_issue('噪声').pk}/", {"target": "event:0110:only"})
    _work_jobs(clock.at + timedelta(seconds=1))
    assert Case.objects.filter(condition=work.condition).count() == 9
    assert [(one.wrong, one.cases) for one in rollups.recount(repair=False)] == [(0, 9), (0, 0)]


def test_what_was_imported_is_found_by_its_words_and_by_the_type_it_came_to_mean(
    desk: Desk, work: Casework, clock: MovableClock
) -> None:
    desk.run([row(1, 小类="噪声", 内容="水箱漏水严重"), row(2, 内容="树枝断了")])
    _work_jobs(clock.at + timedelta(seconds=1))
    lin = work.world.client("lin")
    assert "LG-2026-000001" in lin.get("/cases/?q=漏水").content.decode()
    assert "LG-2026-000001" not in lin.get("/cases/?q=树枝").content.decode()
    lin.post(f"/imports/{_issue('噪声').pk}/", {"target": "event:0110:only"})
    _work_jobs(clock.at + timedelta(seconds=2))
    stored = dict(Report.objects.values_list("pk", "tokens"))
    searching.reindex(Case.objects.values_list("pk", flat=True))
    assert dict(Report.objects.values_list("pk", "tokens")) == stored
    assert all(stored.values())


# --- the review list -----------------------------------------------------------------------------------------------------


def _issue(value: str) -> ImportIssue:
    return ImportIssue.objects.get(value=value, street__prefix="LG")


def _work_jobs(at: Any) -> None:
    while jobs.work_once(at=at, outside=False):
        pass


def test_a_word_is_given_its_meaning_once_and_every_case_follows(
    desk: Desk, work: Casework, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jiequ.cases.services.import_issues.BATCH", 2)
    desk.run([row(n, 小类="噪声", 单位="环保局") for n in range(5)])
    dispatcher = work.world.client("lin")
    page = dispatcher.get("/imports/").content.decode()
    assert "噪声" in page
    assert "W4" in dispatcher.get(f"/imports/{_issue('噪声').pk}/").content.decode()
    answer = dispatcher.post(f"/imports/{_issue('噪声').pk}/", {"target": "event:0110:only", "once": "k" * 24})
    assert answer.status_code == 302
    dispatcher.post(f"/imports/{_issue('环保局').pk}/", {"target": "sw", "once": "l" * 24})
    _work_jobs(clock.at + timedelta(seconds=1))
    assert {(c.condition, c.title, c.lead_id) for c in Case.objects.all()} == {(work.condition, "暴露生活垃圾", work.water)}
    assert IssueCase.objects.count() == 0
    assert set(Case.objects.annotate(n=Count("events")).values_list("n", "version")) == {(3, 3)}
    assert AuditEntry.objects.filter(action="case.mapped").count() == 10
    desk.run([row(9, 小类="噪声", 单位="环保局")])
    assert Report.objects.get(source_ref="W9").case.condition == work.condition


def test_a_case_that_somebody_settled_by_hand_meanwhile_is_left_alone(desk: Desk, work: Casework, clock: MovableClock) -> None:
    from jiequ.cases import services

    desk.run([row(1, 小类="噪声", 办结="", 按时="")])
    services.correct(work.fresh(Case.objects.get(), "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=clock.at)
    other = office_condition()
    work.world.client("lin").post(f"/imports/{_issue('噪声').pk}/", {"target": "event:0112:only", "once": "k" * 24})
    _work_jobs(clock.at + timedelta(seconds=1))
    assert Case.objects.get().condition == work.condition != other
    assert IssueCase.objects.count() == 0


def office_condition() -> Any:
    from tests.casework import make_condition

    return make_condition("0112", name="道路不洁")


def test_a_dispatcher_settles_the_own_street_the_administrator_every_street(desk: Desk, world: World) -> None:
    desk.run([row(1, 小类="噪声"), row(2, 小类="噪声", 街道="青岗街道", 社区="")])
    other = ImportIssue.objects.get(street=world.other_street)
    assert world.client("lin").get(f"/imports/{other.pk}/").status_code == 404
    assert world.client("lin").post(f"/imports/{other.pk}/", {"target": "event:0110:only", "once": "k" * 24}).status_code == 404
    assert "噪声" not in world.client("wai").get("/imports/?kind=unit").content.decode()
    refused = world.client("lin").post(
        f"/imports/{_issue('噪声').pk}/", {"target": "event:0110:only", "everywhere": "on", "once": "k" * 24}
    )
    assert refused.status_code == 403
    world.client("xi").post(
        f"/imports/{_issue('噪声').pk}/", {"target": "event:0110:only", "everywhere": "on", "once": "m" * 24}
    )
    assert set(ImportIssue.objects.values_list("target", flat=True)) == {"event:0110:only"}


def test_a_target_that_is_not_on_the_list_is_refused(desk: Desk, world: World) -> None:
    desk.run([row(1, 小类="噪声", 单位="环保局", 社区="新社区")])
    for value in ("噪声", "环保局", "新社区"):
        for target in ("", "event:IMPORT:default", "nobody", "::::", "990101002001"):
            answer = world.client("lin").post(
                f"/imports/{_issue(value).pk}/", {"target": target, "once": f"{value}{target}".ljust(24, "k")}
            )
            assert answer.status_code == 422, (value, target)
    assert not ImportIssue.objects.exclude(target="")


# --- the real orders -----------------------------------------------------------------------------------------------------


def test_the_real_orders_of_a_district_come_whole(shared: Path, desk: Desk, world: World) -> None:
    """7,000 public orders, read in place; each is a case or stands in the rejects with its reason."""
    from jiequ.cases import catalogue
    from jiequ.cases.services.types import load_catalogue
    from jiequ.core.models import Street
    from jiequ.people.rules import Actor
    from tests.actors import NOW

    file = shared / "data" / "real" / "pingshan_orders.csv"
    if not file.exists():
        pytest.skip("the real orders are not here")  # real data: read in place, never copied into the repository
    load_catalogue(by=Actor.system(), at=NOW)
    for number, name in enumerate(("坪山", "坑梓", "龙田", "石井", "马峦", "碧岭")):
        Street.objects.create(code9=f"99010110{number}", prefix=f"P{'ABCDEF'[number]}", name_zh=f"{name}街道")
    toml = (catalogue.FOLDER / "maps" / "pingshan.toml").read_text(encoding="utf-8")
    assert desk.run(file, "--create-units", "--yes", toml=toml) == 0

    lines = desk.rejects.read_text(encoding="utf-8-sig").splitlines()[1:]
    assert Case.objects.count() + len(lines) == 7000
    assert len(lines) == 7
    assert Case.objects.filter(is_late=True).count() + Case.objects.filter(is_late=False).count() == 7000 - len(lines)
    late = Case.objects.filter(is_late=True).count()
    assert 0.09 < late / 7000 < 0.11
    assert Case.objects.exclude(lead=None).count() > 6900
    assert Case.objects.exclude(event_type__code="IMPORT").count() > 3500
    before = Case.objects.count()
    assert desk.run(file, toml=toml) == 0
    assert Case.objects.count() == before
