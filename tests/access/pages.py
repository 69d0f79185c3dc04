"""The forms that stand on a page, as a browser would fill and send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

SAMPLES = {"text": "样本", "search": "样本", "tel": "13900001111", "number": "1", "date": "2026-03-05", "time": "10:00",
           "datetime-local": "2026-03-05T10:00", "password": "green-river-58", "color": "#ffffff", "url": "x"}  # fmt: skip


@dataclass
class Form:
    """One form: where it goes, and its fields with a value each."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    has_files: bool = False


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address, self.forms = address, [Form("")]
        self.form: Form | None = None
        self.select = self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form = (
                Form(urljoin(self.address, given.get("action", ""))) if given.get("method", "").lower() == "post" else None
            )
            if self.form:
                self.forms.append(self.form)
        elif self.form is None or "disabled" in given:
            return
        elif tag == "input":
            self.input(self.form, given)
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "option" and self.select and given.get("value") and self.select not in self.form.fields:
            self.form.fields[self.select] = [given["value"]]
        elif tag == "textarea":
            self.form.fields[given.get("name", "")] = ["样本"]

    def input(self, form: Form, given: dict[str, str]) -> None:
        kind, name = given.get("type", "text"), given.get("name", "")
        if kind == "file":
            form.has_files = True
        elif kind in {"radio", "checkbox"}:
            if kind == "radio" or "checked" in given:
                form.fields.setdefault(name, [given.get("value", "on")])
        elif name:
            form.fields[name] = [given.get("value") or SAMPLES.get(kind, "")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = ""


def forms_of(address: str, html: str) -> list[Form]:
    """Every form of a page that posts."""
    reader = _Reader(address)
    reader.feed(html)
    return [form for form in reader.forms if form.action]


def data_of(form: Form, /, **more: Any) -> dict[str, Any]:
    """What is sent."""
    return {name: values for name, values in form.fields.items() if name} | more
