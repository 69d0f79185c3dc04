"""Texts and their catalogues. ``./run messages`` compiles; ``--missing`` lists texts without English; ``--add`` appends them.

The texts in the code are Chinese; English stands in each app's ``locale/en/LC_MESSAGES/django.po``.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
CALLS = {
    "_": (0,),
    "gettext": (0,),
    "gettext_lazy": (0,),
    "gettext_noop": (0,),
    "ngettext": (0, 1),
    "ngettext_lazy": (0, 1),
    "pgettext": (1,),
    "pgettext_lazy": (1,),
    "npgettext": (1, 2),
}
TEMPLATE_CALL = re.compile(
    r"\b(_|n?p?gettext)\(((?:\s*(?:u?'(?:\\.|[^'\\])*'|u?\"(?:\\.|[^\"\\])*\"|count)\s*,?)+)\)", re.DOTALL
)
HEADER = {
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": "en",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}


@dataclass(frozen=True, order=True)
class Text:
    """One text of the code: its app, what stands there, and where."""

    app: str
    msgid: str
    plural: str
    context: str
    where: str

    @property
    def key(self) -> tuple[str, str]:
        """What a catalogue finds it by."""
        return (self.context, self.msgid)


class NotConstant(ValueError):
    """A translation call whose text is not written out: nobody can translate it."""


def main(options: argparse.Namespace) -> int:
    """Compile always; exit status 1 if something is missing."""
    import hatch_build

    print(f"{hatch_build.compile_catalogues(ROOT)} catalogue(s) compiled")
    lacking = missing()
    if options.add:
        add(lacking)
    if options.missing or options.add:
        for text in lacking:
            print(f"{text.app}: {text.msgid!r}  ({text.where})")
    print(f"{len(lacking)} text(s) without English")
    return 1 if lacking else 0


def texts() -> list[Text]:
    """Every text of the product's code and templates, once per app."""
    found: dict[tuple[str, str, str], Text] = {}
    for file in product_files("*.py"):
        for text in texts_of_python(file):
            found.setdefault((text.app, *text.key), text)
    for pattern in ("*.html", "*.txt"):
        for file in product_files(pattern):
            if "templates" in file.parts:
                for text in texts_of_template(file):
                    found.setdefault((text.app, *text.key), text)
    return sorted(found.values())


def product_files(pattern: str) -> Iterator[Path]:
    """Files of the apps, in order; what is fetched or made is left out."""
    for file in sorted((ROOT / "jiequ").rglob(pattern)):
        if "vendor" not in file.parts and "__pycache__" not in file.parts:
            yield file


def app_of(file: Path) -> str:
    """The app a file belongs to."""
    return file.relative_to(ROOT / "jiequ").parts[0]


def texts_of_python(file: Path) -> Iterator[Text]:
    """The texts in translation calls; NotConstant names a call that hides its text."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and (name := call_name(node)) in CALLS:
            where = f"{file.relative_to(ROOT)}:{node.lineno}"
            words = [constant(argument) for argument in node.args[: max(CALLS[name]) + 1]]
            if any(isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in node.args[:1]):
                raise NotConstant(f"{where}: the text is put together before it is translated")
            if None in words:
                continue  # the text is marked elsewhere (gettext_noop) and looked up here
            chosen = [str(words[position]) for position in CALLS[name]]
            context = str(words[0]) if "pgettext" in name else ""
            yield Text(app_of(file), chosen[0], chosen[1] if len(chosen) > 1 else "", context, where)


def call_name(node: ast.Call) -> str:
    """``gettext`` of ``gettext(…)`` and of ``translation.gettext(…)``."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr if node.func.attr != "_" else ""
    return node.func.id if isinstance(node.func, ast.Name) else ""


def constant(node: ast.expr) -> str | None:
    """The text of a string literal."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def texts_of_template(file: Path) -> Iterator[Text]:
    """The texts of translate and blocktranslate tags and of ``_("…")`` in filters, read by Django's own reader."""
    where = str(file.relative_to(ROOT))
    for match in TEMPLATE_CALL.finditer(templatize(file.read_text(encoding="utf-8"), origin=where)):
        name, inside = match.groups()
        words = [
            ast.literal_eval(word) for word in re.findall(r"u?'(?:\\.|[^'\\])*'|u?\"(?:\\.|[^\"\\])*\"", inside, re.DOTALL)
        ]
        chosen = [words[position].replace("%%", "%") for position in CALLS[name]]
        context = words[0] if "pgettext" in name else ""
        yield Text(app_of(file), chosen[0], chosen[1] if len(chosen) > 1 else "", context, where)


def catalogue(app: str) -> Path:
    """The English catalogue of an app."""
    return ROOT / "jiequ" / app / "locale" / "en" / "LC_MESSAGES" / "django.po"


def catalogues() -> dict[str, polib.POFile]:
    """All English catalogues by app."""
    files = sorted(ROOT.glob("jiequ/*/locale/en/LC_MESSAGES/django.po"))
    return {file.parents[3].name: polib.pofile(str(file)) for file in files}


def missing() -> list[Text]:
    """Texts that no app's catalogue gives in English."""
    known = {(entry.msgctxt or "", entry.msgid) for book in catalogues().values() for entry in book if entry.translated()}
    return [text for text in texts() if text.key not in known]


def add(lacking: list[Text]) -> None:
    """Append empty entries, each to its own app's catalogue, no line of which moves; an app without one gets one."""
    for app in sorted({text.app for text in lacking}):
        file = catalogue(app)
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            book = polib.POFile(wrapwidth=0)
            book.metadata = HEADER
            book.save(str(file))
        present = {(entry.msgctxt or "", entry.msgid) for entry in polib.pofile(str(file))}
        fresh = [_entry(text) for text in lacking if text.app == app and text.key not in present]
        with file.open("a", encoding="utf-8") as catalogue_file:
            catalogue_file.writelines("\n" + entry.__unicode__(wrapwidth=0) for entry in fresh)


def _entry(text: Text) -> polib.POEntry:
    entry = polib.POEntry(msgid=text.msgid, msgctxt=text.context or None)
    if text.plural:
        entry.msgid_plural, entry.msgstr_plural = text.plural, {0: "", 1: ""}
    return entry
