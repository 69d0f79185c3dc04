"""The audit's pages: read by its administrator only, exported without a formula and with a trace, verified in plain words."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiequ.core import audit, audit_log
from jiequ.core.models import AuditEntry
from jiequ.people.models import Person
from jiequ.web.audit_words import ACTIONS, action_words
from jiequ.web.views_audit import _harmless
from tests.actors import NOW, MovableClock, World
from tests.statements import statements_of


@pytest.fixture
def shen(world: World, clock: MovableClock, settings: Any, tmp_path: Path) -> Client:
    """审, the audit administrator; the heads lie in a folder of the test's own."""
    settings.VAR = tmp_path
    return world.client("shen")


def note(world: World, action: str = "case.accept", *, name: str = "lin", days: int = 0, **more: Any) -> None:
    values: dict[str, Any] = {"street_id": world.street.pk, "object_kind": "case", "object_id": 7, "facts": {"version": 2}}
    person = world.people[name].pk if name else None
    audit.record(action=action, person_id=person, at=NOW - timedelta(days=days), **(values | more))


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()[:400]
    return answer.content.decode()


def rows_of(page: str) -> list[str]:
    return re.findall(r'<small class="number">([\w.]+)</small>', page)


def test_the_entries_are_shown_newest_first_in_words_with_who_and_where(world: World, shen: Client) -> None:
    note(world)
    note(world, "person.sign_in_failed", street_id=None)
    note(world, "case.report", name="")
    audit.seal_pending(at=NOW)
    page = text(shen.get("/audit/"))
    assert rows_of(page) == ["case.report", "person.sign_in_failed", "case.accept"]
    assert "案件：立案" in page
    assert "登录失败" in page
    assert "林晓" in page
    assert "居民或系统" in page
    assert "待封" not in page.split("<tbody>")[1]


def test_the_list_is_narrowed_by_action_person_street_and_period(world: World, shen: Client) -> None:
    note(world)
    note(world, "case.close", name="liang", days=3)
    note(world, "person.signed_in", name="wai", street_id=world.other_street.pk)
    note(world, "calendar.filled", name="", street_id=None)
    day = "2026-03-01"
    for query, found in {
        "action=case.": ["case.close", "case.accept"],
        "action=case.close": ["case.close"],
        "person=lin": ["case.accept"],
        "person=梁宽": ["case.close"],
        "person=nobody": [],
        f"street={world.other_street.pk}": ["person.signed_in"],
        "street=0": ["calendar.filled"],
        f"since={day}&until={day}": ["case.close"],
        "since=2026-03-04": ["calendar.filled", "person.signed_in", "case.accept"],
    }.items():
        assert rows_of(text(shen.get(f"/audit/?{query}"))) == found, query


def test_a_page_of_fifty_costs_at_most_six_statements_and_leads_to_the_next(world: World, shen: Client) -> None:
    for _n in range(audit_log.PAGE + 3):
        note(world)
    shen.get("/audit/")
    asked = statements_of(lambda: text(shen.get("/audit/?action=case.")))
    assert len(asked) <= 6, asked
    page = text(shen.get("/audit/?action=case."))
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    assert len(rows_of(page)) == audit_log.PAGE
    assert len(rows_of(text(shen.get(following.group(1).replace("&amp;", "&"))))) == 3


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-02-31", "street=x", "before=1%27", "since=0001-01-01"])
def test_a_filter_that_cannot_be_read_is_refused_with_a_sentence(shen: Client, query: str) -> None:
    assert shen.get(f"/audit/?{query}").status_code == 422


def test_the_export_holds_what_the_filter_leaves_and_stands_in_the_audit_itself(world: World, shen: Client) -> None:
    note(world)
    note(world, "case.close")
    answer = shen.post("/audit/export", {"action": "case.close"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    heading, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert [dict(zip(heading, row, strict=True))["action"] for row in rows] == ["case.close"]
    entry = AuditEntry.objects.get(action="audit.exported")
    assert (entry.person_id, entry.facts) == (world.shen.pk, {"rows": 1})
    assert shen.get("/audit/export").status_code == 405


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-1", "@sum", "\t=1", "\r=1", "\n=1"])
def test_no_cell_can_be_taken_for_a_formula(world: World, shen: Client, cell: str) -> None:
    assert _harmless(cell) == f"'{cell}"
    note(world, "case.note", object_id=cell)
    rows = list(csv.reader(io.StringIO(shen.post("/audit/export").content.decode("utf-8-sig"), newline="")))
    assert rows[1][7] == f"'{cell}"
    assert not [c for row in rows for c in row if c.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_whole_chains_are_called_whole_with_their_counts_and_heads(world: World, shen: Client) -> None:
    note(world)
    note(world)
    audit.seal_pending(at=NOW)
    audit.write_head(at=NOW)
    note(world, "case.close")
    page = text(shen.post("/audit/verify"))
    verdict = page[page.index('id="verdicts"') : page.index("</section>")]
    assert "有问题" not in verdict
    assert verdict.count("没有改动、删除或重写") == 3
    assert "比对了 1 个链头，最近一个在第 2 条" in verdict
    assert AuditEntry.objects.filter(action="audit.verified", person_id=world.shen.pk).exists()


def test_a_chain_that_differs_from_a_head_kept_outside_is_named_in_plain_words(
    world: World, shen: Client, tmp_path: Path
) -> None:
    note(world)
    note(world)
    audit.seal_pending(at=NOW)
    head = {"at": NOW.isoformat(), "chain": world.street.pk, "seq": 1, "hash": "0" * 64}
    (tmp_path / "audit-heads").mkdir()
    (tmp_path / "audit-heads" / "2026-03-04.json").write_text(json.dumps(head) + "\n", "utf-8")
    page = text(shen.post("/audit/verify"))
    assert "第 1 条和 2026-03-04.json 里的链头不同，链被重写" in page
    assert page.count("有问题") == 1
    assert AuditEntry.objects.get(action="audit.verified").facts == {"chains": 3, "faults": 1}


def test_nobody_else_reads_exports_or_verifies(world: World, clock: MovableClock) -> None:
    for name in ("lin", "he", "xi", "an", "du", "chen"):
        client = world.client(name)
        assert client.get("/audit/").status_code == 403
        assert client.post("/audit/export").status_code == 403
        assert client.post("/audit/verify").status_code == 403
    assert not AuditEntry.objects.filter(action__startswith="audit.").exists()


def test_the_english_page_holds_no_chinese_and_every_action_has_a_name(world: World, shen: Client) -> None:
    Person.objects.update(name="Somebody")
    for action in ACTIONS:
        note(world, action, name="")
    shen.cookies["django_language"] = "en"
    page = text(shen.post("/audit/verify"))
    main = re.sub(r'value="[^"]*"', "", page[page.index("<main") : page.index("</main>")])
    assert not re.findall(r"[\u4e00-\u9fff]+", main)
    assert action_words("case.accept") != "case.accept"
    assert action_words("something.new") == "something.new"
