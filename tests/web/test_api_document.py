"""The OpenAPI document: whole, in both languages, and the same as the copy that others build on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiequ.cases.forms import FORMS
from jiequ.cases.views import moves as pages
from tests.actors import MovableClock, World

COPY = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
CHINESE = re.compile("[\u3400-\u9fff]")
pytestmark = pytest.mark.sqlite  # one document, whatever the database


def asked(language: str) -> dict[str, Any]:
    answer = Client().get("/api/v1/openapi.json", headers={"Accept-Language": language})
    assert answer["Content-Language"] == language
    found: dict[str, Any] = json.loads(answer.content)
    return found


def operations(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for methods in found["paths"].values() for one in methods.values()}


def test_the_copy_in_docs_is_the_document(db: None) -> None:
    """What others build on changes only where a reader of the change sees it. Anew: ``./run bench api --document``."""
    found = asked("en")
    found["servers"] = [{"url": "https://jiequ.example/api/v1"}]
    assert json.loads(COPY.read_text(encoding="utf-8")) == found


def test_every_move_and_every_refusal_stands_in_it(db: None) -> None:
    found = asked("zh-hans")
    known = operations(found)
    assert {f"move_{name}" for name in FORMS} <= known.keys()
    assert len(known) == 59
    for one in known.values():
        assert one["summary"]
        assert one["security"] in ([{"system": []}], *([{"token": [scope]}] for scope in
                                   ("cases:read", "cases:move", "reports:write", "reference:read")))  # fmt: skip
        assert {"401", "403", "404", "422", "429"} <= one["responses"].keys()
        assert next(iter(one["responses"])) in {"200", "201"}
    posts = [methods["post"] for methods in found["paths"].values() if "post" in methods]
    assert all({"$ref": "#/components/parameters/Once"} in one["parameters"] for one in posts)
    for name, schema in found["components"]["schemas"].items():
        if name.endswith(("Move", "In")):
            assert schema["additionalProperties"] is False, name
        missing = [
            field for field, told in schema.get("properties", {}).items() if not told.get("description", told.get("$ref"))
        ]
        assert not missing, (name, missing)


def test_the_english_document_holds_no_chinese_but_examples(db: None) -> None:
    def without_examples(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: without_examples(part) for name, part in value.items() if name != "example"}
        return [without_examples(part) for part in value] if isinstance(value, list) else value

    english, chinese = without_examples(asked("en")), without_examples(asked("zh-hans"))
    assert not CHINESE.search(json.dumps(english, ensure_ascii=False))
    assert CHINESE.search(json.dumps(chinese, ensure_ascii=False))
    assert operations(english).keys() == operations(chinese).keys()


def test_nothing_in_it_takes_or_tells_who_reported(db: None) -> None:
    out = {
        name: schema for name, schema in asked("en")["components"]["schemas"].items() if name.endswith(("Out", "Row", "Ref"))
    }
    fields = {field for schema in out.values() for field in schema.get("properties", {})}
    assert not fields & {"contact_name", "contact_phone", "reporter", "phone", "token", "device"}
    assert len(fields) > 90


def test_the_page_shows_every_operation_in_both_languages(world: World, clock: MovableClock) -> None:
    found = operations(asked("en"))
    for language in ("zh-hans", "en"):
        page = Client().get("/api/", headers={"Accept-Language": language}).content.decode()
        assert not [name for name in found if f'id="{name}"' not in page]
        assert "curl -X POST" in page
        assert not re.search(r"<script(?![^>]*src=\"/static)", page)
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)


def test_a_move_that_is_no_more_would_be_noticed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of the copy."""
    from jiequ.cases.api import document

    assert pages.FORMS is FORMS
    monkeypatch.setattr(document, "FORMS", {name: form for name, form in FORMS.items() if name != "note"})
    made = document.document("https://jiequ.example")
    assert made["paths"].keys() < json.loads(COPY.read_text(encoding="utf-8"))["paths"].keys()
