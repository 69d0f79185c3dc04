"""Files as their readers meet them: asked for, watched, fetched once by who asked, gone in a day; no glyph is missing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiequ.cases import services
from jiequ.cases.models import Case
from jiequ.core import fonts, typeset
from jiequ.core.jobs import work_once
from jiequ.core.models import AuditEntry, Job
from jiequ.insight import jobs
from jiequ.insight.files import Document, Table, pdf
from jiequ.insight.models import Export
from jiequ.insight.services import counting, exporting
from jiequ.people.models import Post
from tests import office
from tests.actors import NOW, MovableClock, make_world
from tests.casework import Casework, make_condition
from tests.support.kept import kept

FILES = [(what, form) for what, forms in exporting.FORMS.items() if what != "hotline" for form in forms]
"""The hotline's wants a source of orders: tests/unit/hotline/test_rates."""


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Casework]:
    yield from kept(django_db_blocker, lambda: with_cases(Casework(make_world(), make_condition())))


@pytest.fixture
def street(made: Casework, db: None, settings: Any, tmp_path: Path, clock: MovableClock) -> Casework:
    settings.EXPORTS = tmp_path / "exports"
    settings.MEDIA_ROOT = tmp_path
    return deepcopy(made)


def with_cases(work: Casework) -> Casework:
    """Three closed cases whose words name somebody, one at work, and their figures."""
    for _ in range(3):
        work.closed(words="周女士家门口的垃圾", contact=services.Contact(name="周秀英", phone="13912345678"))
    work.handling()
    while counting.follow(at=NOW).is_behind:
        pass
    return work


def ask(client: Any, **data: str) -> Export:
    answer = client.post("/exports/new", data)
    assert answer.status_code == 302, answer.content.decode()
    return Export.objects.latest("pk")


def make(export: Export, at: Any = NOW) -> Export:
    assert work_once(at=at, limit=5, outside=True)
    export.refresh_from_db()
    return export


def fetched(client: Any, export: Export) -> bytes:
    answer = client.get(f"/exports/{export.pk}/file")
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content)
    return body


@pytest.mark.parametrize(("what", "form"), FILES)
def test_whatever_is_exported_can_be_fetched_and_says_what_the_page_says(street: Casework, what: str, form: str) -> None:
    client = street.world.client("he")
    export = ask(client, what=what, form=form, part="filed", name="light_green")
    assert "等着制作" in client.get("/exports/").content.decode()
    export = make(export)
    assert export.state == "ready", export.error
    answer = client.get(f"/exports/{export.pk}/file")
    body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "private, no-store"
    assert body[:4] == {"xlsx": b"PK\x03\x04", "pdf": b"%PDF", "csv": b"\xef\xbb\xbf\xe7"}[form]
    if form == "xlsx" and what == "behind":
        file = exporting.file_of(export)
        numbers = {row[0].value for row in openpyxl.load_workbook(file).active.iter_rows()}  # type: ignore[union-attr]
        assert {case.number for case in Case.objects.all()} <= numbers
        assert export.done == export.total == 4


def test_no_file_says_who_reported_or_what_they_wrote(street: Casework) -> None:
    client = street.world.client("he")
    for what, form in (("behind", "csv"), ("behind", "xlsx"), ("matter", "csv")):
        export = make(ask(client, what=what, form=form, part="filed", name="light_green"))
        data = exporting.file_of(export).read_bytes()
        if form == "xlsx":
            import zipfile

            with zipfile.ZipFile(exporting.file_of(export)) as book:
                data = b"".join(book.read(name) for name in book.namelist())
        for secret in ("周秀英", "13912345678", "周女士", "门口"):
            assert secret.encode() not in data, (what, form, secret)


def test_nobody_but_who_asked_fetches_a_file_and_the_fetching_is_audited(street: Casework) -> None:
    export = make(ask(street.world.client("he"), what="board", form="xlsx"))
    for name in ("liang", "du", "huang"):
        assert street.world.client(name).get(f"/exports/{export.pk}/file").status_code == 404
    assert not AuditEntry.objects.filter(action="export.fetched").exists()
    fetched(street.world.client("he"), export)
    entry = AuditEntry.objects.get(action="export.fetched")
    assert entry.facts == {"what": "board", "form": "xlsx", "rows": export.done}
    assert AuditEntry.objects.filter(action="export.asked").count() == 1


def test_somebody_whose_post_ended_gets_neither_the_file_nor_its_cases(street: Casework) -> None:
    client = street.world.client("he")
    export = make(ask(client, what="behind", form="xlsx", part="filed"))
    later = ask(client, what="behind", form="xlsx", part="filed")
    Post.objects.filter(person=street.world.he).update(street=street.world.other_street)
    assert client.get(f"/exports/{export.pk}/file").status_code == 404
    later = make(later)
    assert later.state == "failed", "it was asked for by somebody who may no longer see the street"


def test_a_file_is_gone_after_a_day(street: Casework, clock: MovableClock) -> None:
    client = street.world.client("he")
    export = make(ask(client, what="board", form="xlsx"))
    path = exporting.file_of(export)
    assert path.is_file()
    clock.move(hours=23)
    assert fetched(street.world.client("he"), export)
    clock.move(hours=2)
    client = street.world.client("he")
    assert client.get(f"/exports/{export.pk}/file").status_code == 404
    jobs.expire_exports(at=clock.at)
    assert not path.exists()
    assert "已过期" in client.get("/exports/").content.decode()
    jobs.expire_exports(at=clock.at + timedelta(days=31))
    assert not Export.objects.exists()


def test_a_worker_that_dies_over_a_file_makes_it_again(street: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    export = ask(street.world.client("he"), what="behind", form="csv", part="filed")
    from jiequ.insight.files import comma

    real, tries = comma.write, []

    def dies_once(document: Document, path: Path, tell: Any) -> None:
        tries.append(path)
        if len(tries) == 1:
            path.write_text("half", encoding="utf-8")
            raise OSError("killed")
        real(document, path, tell)

    monkeypatch.setattr(comma, "write", dies_once)
    work_once(at=NOW, limit=1, outside=True)
    export.refresh_from_db()
    assert export.state == "working"
    export = make(export, NOW + timedelta(minutes=2))
    assert export.state == "ready"
    assert "half" not in exporting.file_of(export).read_text(encoding="utf-8-sig")


def test_a_file_that_cannot_be_made_says_so(street: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    client = street.world.client("he")
    monkeypatch.setattr(exporting, "MOST_ROWS", 2)
    export = make(ask(client, what="behind", form="xlsx", part="filed"))
    assert (export.state, export.error) == ("failed", "too_many_rows")
    assert "缩小范围" in client.get("/exports/").content.decode()
    jobs.tell_of_failure(type("Dead", (), {"args": {"export_id": export.pk}})(), at=NOW)
    export.refresh_from_db()
    assert export.error == "job_failed"


@pytest.mark.parametrize(
    "data",
    [
        {"what": "board", "form": "csv"},
        {"what": "people", "form": "xlsx"},
        {"what": "behind", "form": "xlsx", "part": "handler"},
        {"what": "matter", "form": "xlsx", "name": "persons"},
        {"what": "board", "form": "xlsx", "period": "year"},
    ],
)
def test_a_file_of_nothing_is_refused_before_a_job_is_made(street: Casework, data: dict[str, str]) -> None:
    assert street.world.client("he").post("/exports/new", data).status_code == 422
    assert not Job.objects.filter(kind=exporting.MAKE).exists()
    other = {"what": "board", "form": "xlsx", "street": street.world.other_street.pk}
    assert street.world.client("he").post("/exports/new", other).status_code == 404


def test_three_files_at_a_time_are_enough(street: Casework) -> None:
    client = street.world.client("he")
    for _ in range(3):
        ask(client, what="board", form="xlsx")
    assert client.post("/exports/new", {"what": "board", "form": "xlsx"}).status_code == 422
    assert street.world.client("liang").post("/exports/new", {"what": "board", "form": "xlsx"}).status_code == 302


# -- the PDF ----------------------------------------------------------------------------------------------------------

HAN = "骨直门户龙涧街道督办台环卫站水务（河长制）办公室“样本不足”—%·1234567890"


def sample(text: str) -> Document:
    rows = iter([[text, 0.5, 3, None]])
    table = Table("表", ["一", "二", "三", "四"], ["text", "share", "whole", "text"], rows, above=["说明"])
    return Document("评价", "龙涧街道", "2026-03-01 – 2026-03-31", NOW, [table], notes=["不计"])


def test_every_character_of_the_product_and_of_names_is_in_the_font() -> None:
    known = fonts.characters(typeset.font().path)
    root = Path(__file__).resolve().parents[2] / "jiequ"
    texts = [file.read_text(encoding="utf-8") for file in (root / "insight").rglob("*.py")]
    texts += [
        (root / "cases" / "catalogue" / name).read_text(encoding="utf-8") for name in ("event_types.csv", "departments.csv")
    ]
    used = {mark for text in [*texts, HAN] for mark in text if mark >= " " and mark not in "\x7f\ufffe\uffff"}
    lacking = {mark for mark in used if ord(mark) not in known and not 0xD800 <= ord(mark) <= 0xDFFF}
    assert not lacking
    assert len(used) > 600


def test_a_character_the_font_lacks_is_marked_and_never_an_empty_box() -> None:
    chosen = typeset.font()
    data, _rows = pdf._data(sample("好\U0001f600\u0e01\n好"), chosen)
    said = data["tables"][0]["rows"][0][0]
    assert said == f"好{fonts.INSTEAD * 2} 好"
    known = fonts.characters(chosen.path)
    assert not [mark for mark in json.dumps(data, ensure_ascii=False) if ord(mark) >= 32 and ord(mark) not in known]


def test_the_table_of_characters_is_read_right() -> None:
    """The reader against what is known of the font: it has these, and not those."""
    known = fonts.characters(typeset.font().path)
    assert {ord(mark) for mark in HAN} <= known
    assert not {0x1F600, 0x0E01, 0xE000} & known
    assert len(known) > 30_000


def test_the_forms_are_the_simplified_ones() -> None:
    """The font's own default is the traditional form: our page must draw what region cn draws, and not what tw does."""
    import typst

    chosen = typeset.font()

    def outlines(region: str) -> set[str]:
        source = f'#set text(font: "{chosen.family}", lang: "zh", region: "{region}", size: 9pt, fallback: false)\n骨直门'
        drawn = typst.compile(source.encode(), format="svg", font_paths=[chosen.folder], ignore_system_fonts=True)
        assert isinstance(drawn, bytes)
        return set(re.findall(r' d="([^"]+)"', drawn.decode()))

    simplified, traditional = outlines("cn"), outlines("tw")
    assert simplified - traditional, "the font tells the two apart"
    assert 'lang: "zh", region: "cn"' in pdf.TEMPLATE


def test_a_pdf_holds_its_texts_and_compiles_without_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    pdf.write(sample(HAN), path, lambda _n: None)
    assert path.read_bytes().startswith(b"%PDF")
    flat = re.sub(r"\s", "", office.pdf_text(path))
    for needed in ("骨直门户", "督办台", "50.0%", "龙涧街道", "样本不足"):
        assert needed in flat
    fonts_used = subprocess.run(["pdffonts", str(path)], capture_output=True, text=True, check=True).stdout
    assert "NotoSansCJK" in fonts_used
    assert all(" yes " in line for line in fonts_used.splitlines()[2:]), "every font is in the file"


def test_the_operators_own_font_is_used(settings: Any, tmp_path: Path) -> None:
    mine = tmp_path / "own.otf"
    shutil.copy(typeset.font().path, mine)
    settings.PDF_FONT = str(mine)
    assert typeset.font().path == str(mine)
    settings.PDF_FONT = str(tmp_path)
    assert typeset.font().path == str(mine)
    settings.PDF_FONT = str(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError):
        typeset.font()


def test_a_web_worker_imports_neither_xlsxwriter_nor_typst(street: Casework) -> None:
    """The pages of this app, asked for in a fresh interpreter, leave the heavy libraries out."""
    import sys

    code = (
        "import django, os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'jiequ.web.settings'; django.setup();"
        "import jiequ.web.urls, jiequ.insight.jobs, jiequ.insight.views.exports;"
        "print(sorted({'xlsxwriter', 'typst', 'openpyxl'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
