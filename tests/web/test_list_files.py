"""The plain list of cases as a file: what the page shows, for whoever sees it, as long as they may see it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import connection

from jiequ.cases.models import Case, Report
from jiequ.core.jobs import work_once
from jiequ.core.models import AuditEntry, Job
from jiequ.insight.models import Export
from jiequ.insight.services import exporting, listing
from jiequ.people.models import Post
from tests.actors import NOW, MovableClock
from tests.casework import Casework


@pytest.fixture
def street(work: Casework, settings: Any, tmp_path: Path, clock: MovableClock) -> Casework:
    settings.EXPORTS = tmp_path / "exports"
    work.closed()
    work.handling()
    work.just_reported()
    return work


def made(client: Any, form: str = "csv", query: str = "", **data: str) -> Export:
    answer = client.post("/exports/list", {"form": form, "query": query, **data})
    assert answer.status_code == 302, answer.content.decode()
    assert work_once(at=NOW, limit=5, outside=True)
    return Export.objects.latest("pk")


def numbers(export: Export) -> list[str]:
    """The first column of a CSV, without its heading."""
    assert export.state == "ready", export.error
    text = exporting.file_of(export).read_text(encoding="utf-8-sig")
    return [row[0] for row in csv.reader(io.StringIO(text))][1:]


def on_page(client: Any, query: str = "all=1") -> list[str]:
    return re.findall(r'<span class="number">(LG-[\d-]+)</span>', client.get(f"/cases/?{query}").content.decode())


@pytest.mark.parametrize("query", ["", "state=handling", "open=0", "q=垃圾", "order=due", "light=green&order=due"])
@pytest.mark.parametrize("who", ["lin", "huang", "chen"])
def test_the_file_holds_the_cases_of_the_page_in_its_order(street: Casework, who: str, query: str) -> None:
    client = street.world.client(who)
    seen = on_page(client, query or "all=1")
    order = {"order": "due"} if "order=due" in query else {}
    assert numbers(made(client, query=query.replace("order=due", ""), **order)) == seen


def test_the_form_on_the_page_asks_for_what_the_page_is_narrowed_to(street: Casework) -> None:
    page = street.world.client("lin").get("/cases/?state=handling&state=closed&order=due").content.decode()
    form = page[page.index('action="/exports/list"') :]
    form = form[: form.index("</form>")]
    assert 'name="query" value="state=handling&amp;state=closed"' in form
    assert 'name="order" value="due"' in form
    assert re.findall(r'name="form" value="(\w+)"', form) == ["xlsx", "pdf", "csv"]


@pytest.mark.parametrize("form", ["xlsx", "pdf", "csv"])
def test_each_kind_is_made_fetched_by_its_owner_alone_and_audited(street: Casework, form: str) -> None:
    client = street.world.client("lin")
    export = made(client, form, "state=handling")
    answer = client.get(f"/exports/{export.pk}/file")
    body = b"".join(answer.streaming_content)
    assert body[:4] == {"xlsx": b"PK\x03\x04", "pdf": b"%PDF", "csv": b"\xef\xbb\xbf\xe7"}[form]
    for other in ("he", "liang", "huang", "chen"):
        assert street.world.client(other).get(f"/exports/{export.pk}/file").status_code == 404
    for action in ("export.asked", "export.fetched"):
        entry = AuditEntry.objects.get(action=action)
        assert (entry.facts["what"], entry.facts["form"], entry.person_id) == ("cases", form, street.world.lin.pk)
    assert "案件" in client.get("/exports/").content.decode()


def test_the_sheet_says_how_it_was_narrowed(street: Casework) -> None:
    export = made(street.world.client("lin"), "xlsx", "state=handling&urgent=1")
    sheet = openpyxl.load_workbook(exporting.file_of(export)).worksheets[0]
    above = [row[0].value for row in sheet.iter_rows(max_row=4)]
    assert "条件：状态：处置中；紧急：只看紧急" in above


def test_no_file_and_no_list_says_who_reported_what_they_wrote_or_a_phone(street: Casework) -> None:
    Case.objects.update(address="河边 13912345678 周女士家旁", title="13912345678")
    Report.objects.update(words="周女士家的垃圾")
    for who in ("lin", "huang", "chen"):
        client = street.world.client(who)
        said = exporting.file_of(made(client)).read_text(encoding="utf-8-sig") + client.get("/cases/?all=1").content.decode()
        assert "河边 ＊＊＊" in said
        assert "13912345678" not in said
        assert "周女士家的垃圾" not in said


def test_a_list_too_long_is_refused_with_how_long_it_may_be(street: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_PRINTED", 2)
    client = street.world.client("lin")
    answer = client.post("/exports/list", {"form": "pdf", "query": ""})
    assert answer.status_code == 422
    assert "超过 2 件，一个 PDF 文件装不下" in answer.content.decode()
    assert not Job.objects.filter(kind=exporting.MAKE).exists()
    assert len(numbers(made(client))) == 3
    export = made(client, "pdf", "state=handling")
    street.handling()
    street.handling()
    export = Export.objects.create(**{**_copy(export), "key": "grown", "state": "waiting"})
    exporting.make(export.pk, at=NOW)()  # type: ignore[misc]
    export.refresh_from_db()
    assert (export.state, export.error) == ("failed", "too_many_rows")
    assert "案件超过 2 件" in client.get("/exports/").content.decode()


def test_the_list_is_measured_before_anything_is_written(street: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has one writer: a list of fifty thousand must not be read while it is held."""
    depths, ids_of = list[int](), listing.ids_of
    before = len(connection.savepoint_ids)
    monkeypatch.setattr(listing, "ids_of", lambda *given: depths.append(len(connection.savepoint_ids)) or ids_of(*given))
    key = {"form": "csv", "query": "", "idempotency_key": "k" * 32}
    assert street.world.client("lin").post("/exports/list", key).status_code == 302
    assert depths == [before]


def _copy(export: Export) -> dict[str, Any]:
    return {field.attname: getattr(export, field.attname) for field in Export._meta.concrete_fields if field.name != "id"}


@pytest.mark.parametrize(
    "data",
    [
        {"form": "exe"},
        {"form": "csv", "query": "state=nowhere"},
        {"form": "csv", "query": "q=尾号5678"},
        {"form": "csv", "query": "q=13912345678"},
        {"form": "csv", "query": "department=x"},
        {"form": "csv", "order": "random"},
    ],
)
def test_a_list_that_is_none_is_refused_before_a_job_is_made(street: Casework, data: dict[str, str]) -> None:
    assert street.world.client("lin").post("/exports/list", data).status_code == 422
    assert not Job.objects.filter(kind=exporting.MAKE).exists()


def test_nobody_exports_what_they_do_not_see(street: Casework) -> None:
    assert numbers(made(street.world.client("wai"), query=f"street={street.world.street.pk}")) == []
    assert street.world.client("xi").post("/exports/list", {"form": "csv"}).status_code == 403
    for data in ({"what": "cases", "form": "csv"}, {"what": "board", "form": "xlsx"}):
        assert street.world.client("chen").post("/exports/new", data).status_code == 403
        assert street.world.client("he").post("/exports/new", data | {"what": "cases"}).status_code == 422


def test_a_post_lost_since_takes_its_files_along(street: Casework) -> None:
    client = street.world.client("huang")
    export = made(client)
    later = client.post("/exports/list", {"form": "csv", "query": ""})
    assert later.status_code == 302
    assert b"".join(client.get(f"/exports/{export.pk}/file").streaming_content)
    Post.objects.filter(person=street.world.huang).update(street=street.world.other_street, department=None, role="grid_worker")
    work_once(at=NOW, limit=5, outside=True)
    assert client.get(f"/exports/{export.pk}/file").status_code == 404
    assert numbers(Export.objects.latest("pk")) == [], "made after the post was lost, by the posts of that moment"
