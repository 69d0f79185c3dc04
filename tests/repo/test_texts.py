"""Chinese and English are both complete, and no text stands where it cannot be translated."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.repo import messages

HAN = re.compile(r"[\u3400-\u9fff]")
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
TEMPLATE_TALK = re.compile(
    r"\{#.*?#\}|\{% *comment.*?endcomment *%\}|\{% *blocktrans(?:late)?\b.*?endblocktrans(?:late)? *%\}|<!--.*?-->"
    r"|\{% *trans(?:late)?\b(?:[^%]|%(?!\}))*%\}|_\((?:\"[^\"]*\"|'[^']*')\)",
    re.DOTALL,
)
DATA_FOLDERS = {"demo", "migrations", "data"}  # an invented street, names of the field: data, not words of a page
BOTH_LANGUAGES = {
    "web/templates/web/500.html": "the reader's language may not be known",
    "web/cli": "a terminal has no language",
}
DATA_FILES = {
    "core/holidays.py": "names of holidays",
    "channels/wechat/platform_words.py": "names that a platform shows in its one language",
    "core/notice.py": "what a government notice may say",
    "doors/chat/meaning.py": "words that a follower may write, in both languages",
    "triage/engine/": "words that people write, recognised and never shown: the engine answers with codes and facts",
    "sense/permit_files.py": "column names and kinds that a registry's file may use",
    "web/words.py": "how a date is written in Chinese",
}
NAMES = re.compile("街区 Jiequ|>街区<|^中文$")
HOW = (
    "\nA text goes through gettext; in a module that imports nothing of Django define `def _(text): return text` as a mark and"
    "\ntranslate where it is shown. What is data and not a word of a page gets `# data` at the end of its line.\n"
)


def test_every_text_has_its_english() -> None:
    lacking = [f"{text.app}: {text.msgid!r} ({text.where})" for text in messages.missing()]
    assert not lacking, "without English (./run messages --add appends them):\n" + "\n".join(lacking)


def test_english_keeps_every_place_for_a_value() -> None:
    wrong = []
    for app, book in messages.catalogues().items():
        for entry in book:
            given = [entry.msgstr] if not entry.msgid_plural else list(entry.msgstr_plural.values())
            for english in filter(None, given):
                is_date = "月" in entry.msgid  # English names the month, which Chinese counts
                if set(PLACE.findall(english)) != set(PLACE.findall(entry.msgid)) and not (entry.msgid_plural or is_date):
                    wrong.append(f"{app}: {entry.msgid!r} → {english!r}")
                if HAN.search(english):
                    wrong.append(f"{app}: Chinese in the English of {entry.msgid!r}")
    assert not wrong, "\n".join(wrong)


def test_one_text_has_one_english() -> None:
    given: dict[tuple[str, str], dict[str, str]] = {}
    for app, book in messages.catalogues().items():
        for entry in book:
            if entry.translated():
                english = entry.msgstr or str(entry.msgstr_plural)
                given.setdefault((entry.msgctxt or "", entry.msgid), {})[english] = app
    wrong = [f"{msgid!r}: {found}" for (_context, msgid), found in given.items() if len(found) > 1]
    assert not wrong, "two apps say it differently; the first app listed in INSTALLED_APPS wins:\n" + "\n".join(wrong)


def test_catalogues_know_how_english_counts() -> None:
    for app, book in messages.catalogues().items():
        assert "plural=(n != 1)" in book.metadata.get("Plural-Forms", ""), app
        assert "utf-8" in book.metadata.get("Content-Type", "").lower(), app


def test_no_template_holds_chinese_outside_a_translation() -> None:
    wrong = []
    for file in messages.product_files("*.html"):
        if is_exempt(file):
            continue
        rest = TEMPLATE_TALK.sub(lambda talk: "\n" * talk.group().count("\n"), file.read_text(encoding="utf-8"))
        for number, line in enumerate(rest.splitlines(), 1):
            if HAN.search(NAMES.sub("", line)) and 'lang="zh' not in line:
                wrong.append(f"{file.relative_to(messages.ROOT)}:{number}: {line.strip()[:80]}")
    assert not wrong, "\n".join(wrong)


def test_no_code_holds_chinese_outside_a_translation() -> None:
    wrong = [where for file in messages.product_files("*.py") if not is_exempt(file) for where in untranslated_constants(file)]
    assert not wrong, HOW + "\n".join(wrong)


def is_exempt(file: Path) -> bool:
    """True for data and for the few places that speak both languages at once."""
    name = str(file.relative_to(messages.ROOT / "jiequ"))
    return bool(DATA_FOLDERS & set(file.parts)) or name.startswith((*BOTH_LANGUAGES, *DATA_FILES))


def is_english(node: ast.expr) -> bool:
    """True for a text of words, not for a name of the code."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.match(r"[A-Z][^_]*$", node.value))


def untranslated_constants(file: Path) -> list[str]:
    """String literals with Chinese that are neither documentation nor inside a translation call."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    allowed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            allowed.add(id(node.value))
        if isinstance(node, ast.Call) and messages.call_name(node) in messages.CALLS:
            allowed.update(id(inner) for inner in ast.walk(node))
        if isinstance(node, ast.Tuple) and any(is_english(one) for one in node.elts):
            allowed.update(id(one) for one in node.elts)  # both languages side by side
        if isinstance(node, ast.keyword) and node.arg == "help_text":
            allowed.update(id(inner) for inner in ast.walk(node))  # for developers
    marked = file.read_text(encoding="utf-8").splitlines()
    return [
        f"{file.relative_to(messages.ROOT)}:{node.lineno}: {node.value[:40]!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and HAN.search(NAMES.sub("", node.value))
        and id(node) not in allowed
        and "# data" not in marked[node.lineno - 1]
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% translate "待办" %}', "待办"),
        ("{% blocktranslate trimmed with n=x %}\n 还有 {{ n }} 件\n{% endblocktranslate %}", "还有 %(n)s 件"),
        ('{{ name|default:_("无名") }}', "无名"),
        ('{% translate "已过 100%" %}', "已过 100%"),
    ],
)
def test_the_reader_finds_what_django_will_look_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, expected: str
) -> None:
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    file = tmp_path / "jiequ" / "web" / "page.html"
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    assert [text.msgid for text in messages.texts_of_template(file)] == [expected]


def test_a_text_put_together_first_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    file = tmp_path / "jiequ" / "web" / "views.py"
    file.parent.mkdir(parents=True)
    file.write_text('_(f"第 {n} 件")', encoding="utf-8")
    with pytest.raises(messages.NotConstant, match="put together"):
        list(messages.texts_of_python(file))


def test_a_new_text_is_appended_and_no_other_line_of_the_catalogue_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    file = tmp_path / "jiequ" / "web" / "locale" / "en" / "LC_MESSAGES" / "django.po"
    text = messages.Text("web", "待办", "", "", "page.html")
    messages.add([text])
    wrapped = file.read_text(encoding="utf-8") + '\nmsgid "长"\nmsgstr ""\n"long, and wrapped "\n"by hand"\n'
    file.write_text(wrapped, encoding="utf-8")
    messages.add([text, messages.Text("web", "%(n)d 件", "%(n)d 件", "", "page.html")])
    added = '\nmsgid "%(n)d 件"\nmsgid_plural "%(n)d 件"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    assert file.read_text(encoding="utf-8") == wrapped + added
