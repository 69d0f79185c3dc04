"""Files of orders for tests: a small map, rows, and one run of the command over them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jiequ.cases.models import Case, CaseEvent, ImportIssue, IssueCase, Report
from jiequ.web.cli import orders
from jiequ.web.cli.options import parse

HEADINGS = "单号 时间 办结 按时 小类 街道 社区 单位 来源 内容 地址 x y 姓名 电话 期限".split()
MAP = """
source = "old"
name = "老系统"
coordinates = "cgcs2000"
empty = ["-"]
[columns]
number = "单号"
created = "时间"
closed = "办结"
due = "期限"
on_time = "按时"
sub_type = "小类"
street = "街道"
community = "社区"
unit = "单位"
source = "来源"
words = "内容"
place = "地址"
x = "x"
y = "y"
contact_name = "姓名"
contact_phone = "电话"
[types]
"垃圾" = "0110"
[units]
"环卫所" = "hw"
[sources]
"热线" = "hotline"
[on_time]
"是" = true
"否" = false
"""


def row(number: int | str, **changes: str) -> dict[str, str]:
    """A closed order that the map knows wholly."""
    plain = {
        "单号": f"W{number}",
        "时间": "2026-02-10 09:30:00",
        "办结": "2026-02-11 10:00:00",
        "按时": "是",
        "小类": "垃圾",
        "街道": "龙涧街道",
        "社区": "东涌社区",
        "单位": "环卫所",
        "来源": "热线",
        "内容": "路边有垃圾",
        "地址": "东涌路 1 号",
    }
    return dict.fromkeys(HEADINGS, "") | plain | changes


@dataclass
class Desk:
    """A folder in which the command is run."""

    folder: Path

    def write(self, rows: list[dict[str, str]], *, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        file = self.folder / name
        with file.open("w", encoding=encoding, newline="") as stream:
            writer = csv.DictWriter(stream, HEADINGS)
            writer.writeheader()
            writer.writerows(rows)
        return file

    def run(self, rows: list[dict[str, str]] | Path, *options: str, toml: str = MAP) -> int:
        """The exit status of ``./run import orders``."""
        file = rows if isinstance(rows, Path) else self.write(rows)
        (self.folder / "map.toml").write_text(toml, encoding="utf-8")
        words = ["import", "orders", str(file), "--map", str(self.folder / "map.toml")]
        return orders.main(parse([*words, "--rejects", str(self.rejects), *options]))

    @property
    def rejects(self) -> Path:
        return self.folder / "rejects.csv"

    def rejected(self) -> dict[str, str]:
        """Number → why."""
        if not self.rejects.exists():
            return {}
        with self.rejects.open(encoding="utf-8-sig", newline="") as stream:
            return {line.get("单号") or line["行"]: line["原因"] for line in csv.DictReader(stream)}


def stored() -> list[dict[str, Any]]:
    """Everything an import leaves behind that does not tell the moment: what two ways of importing must agree on."""
    columns = (
        "number state closing title source condition_id community_id unit_grid_id address lon is_late lead_id reported_at"
        " ended_at"
    )
    cases = {case["pk"]: case for case in Case.objects.order_by("number").values("pk", *columns.split())}
    for report in Report.objects.values("case_id", "source_ref", "words", "said_hash"):
        cases[report["case_id"]]["report"] = (report["source_ref"], report["words"], report["said_hash"])
    for event in CaseEvent.objects.order_by("pk").values("case_id", "move", "facts"):
        cases[event["case_id"]].setdefault("events", []).append((event["move"], event["facts"]))
    for wait in IssueCase.objects.order_by("issue__kind", "issue__value").select_related("issue"):
        cases[wait.case_id].setdefault("waits", []).append((wait.issue.kind, wait.issue.value))
    return [{name: value for name, value in case.items() if name != "pk"} for case in cases.values()]


def issues() -> dict[tuple[str, str], int]:
    """(kind, word) → cases that wait."""
    return {(i.kind, i.value): i.waiting.count() for i in ImportIssue.objects.filter(target="")}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
