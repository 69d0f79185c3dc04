"""The house's rules that a program can check: what stands in files, templates, locks, and in a web worker's memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from django.core.management import call_command

from jiequ.web.cli.ready import NOT_SERVED

ROOT = Path(__file__).resolve().parents[2]
# Written in pieces, so that this file does not hold what it looks for.
HOSTS = re.compile(
    "|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "registry\\.npm" + r"js\.org", "deb" + r"\.debian\.org"))
)
PATHS = re.compile("|".join((r"(?<![\w.])/wo" + r"rk/", r"(?<![\w.])/ro" + r"ot/", r"/home/" + r"\w+/", "bash" + "_jobs")))
TAG = re.compile(r"<[a-zA-Z][^<>]*>")
INLINE = re.compile(r"<style\b|<script(?![^>]*\bsrc=)[^>]*>|\sstyle\s*=|\son[a-z]+\s*=|javascript:", re.IGNORECASE)
DATA_SCRIPT = re.compile(r'<script[^>]*type="application/json"')
HEAVY = (
    "rasterio",
    "torch",
    "typst",
    "xlsxwriter",
    "openpyxl",
    "cv2",
    "onnxruntime",
    "playwright",
    "pandas",
    "sklearn",
    "rio_tiler",
)
SETTING = re.compile(r"\b(?:JIEQU_[A-Z_]*[A-Z]|DATABASE_URL|DATABASE_OWNER_URL)\b")


def own_files() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):  # not a text, or gone meanwhile
        return ""


@pytest.mark.parametrize("pattern", [HOSTS, PATHS], ids=["registry host", "path of a machine"])
def test_no_file_names_a(pattern: re.Pattern[str]) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in own_files()
        for number, line in enumerate(text_of(file).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, found


def test_every_link_of_a_document_leads_to_a_file() -> None:
    dead = [
        f"{file.relative_to(ROOT)}: {target}"
        for file in own_files()
        if file.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)", text_of(file))
        if "://" not in target and not (file.parent / target).exists()
    ]
    assert not dead, "\n".join(dead)


def templates() -> list[Path]:
    return [file for file in own_files() if "templates" in file.parts and file.suffix in {".html", ".svg"}]


def test_no_template_holds_script_or_style() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for file in templates()
        for number, line in enumerate(text_of(file).splitlines(), 1)
        if INLINE.search(line) and not DATA_SCRIPT.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_htmx_part_works_with_scripts_off() -> None:
    wrong = []
    for file in templates():
        for tag in TAG.findall(text_of(file)):
            # A part with a trigger of its own renews itself; whoever clicks needs an address.
            if " hx-get=" in tag and not re.search(r"\s(href|action|hx-trigger)=", tag):
                wrong.append(f"{file.relative_to(ROOT)}: hx-get without an address of its own: {tag[:100]}")
            if " hx-post=" in tag and not re.match(r"<form\b.*\smethod=\"post\"", tag, re.DOTALL | re.IGNORECASE):
                wrong.append(f"{file.relative_to(ROOT)}: hx-post off a real form: {tag[:100]}")
    assert not wrong, "\n".join(wrong)


def test_a_web_worker_imports_nothing_heavy() -> None:
    code = (
        "import sys, jiequ.web.wsgi; from django.urls import get_resolver; get_resolver().url_patterns;"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True)
    assert not done.stdout.split()


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(one for extra in extras.values() for one in extra)]


def test_every_dependency_has_its_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    without = [need for need in requirements() if not any(f'"{need}",' in line and "# " in line for line in lines)]
    assert not without


@pytest.mark.parametrize("lock", ["core", "test", "build", "uv"])
def test_a_lock_pins_hashes_and_names_no_origin(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][^\s=]*==\S+", text, re.MULTILINE)
    assert pins
    assert len(pins) == len(re.findall(r"^[a-z0-9].*\\\n    --hash=sha256:", text, re.MULTILINE))
    assert not re.search(r"https?://|file:|--(extra-)?index|--find-links|#", text)


def test_the_locks_hold_every_dependency() -> None:
    for need in requirements():
        name = re.split(r"[\[<>=!~ ]", need)[0].lower().replace("_", "-")
        assert f"\n{name}==" in "\n" + (ROOT / "requirements" / "test.lock").read_text(encoding="utf-8"), f"./run lock: {need}"


def test_core_and_test_locks_agree() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9][^\s=]*==[^\s\\]+(?: ;[^\\\n]*)?", text, re.MULTILINE))

    assert pins("core") <= pins("test")


def test_the_npm_lock_pins_hashes_and_names_no_origin() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "integrity" in text
    assert '"resolved"' not in text


def test_docs_list_every_setting_and_no_other() -> None:
    used = {
        name
        for file in [*(ROOT / "jiequ").rglob("*.py"), ROOT / "run"]
        for name in SETTING.findall(file.read_text(encoding="utf-8"))
    }
    listed = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == used


def test_every_static_reference_leads_to_a_file(settings: object, tmp_path: Path) -> None:
    settings.STATIC_ROOT = str(tmp_path)  # type: ignore[attr-defined]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "jiequ.web.ops.static.HashedFiles"}}  # type: ignore[attr-defined]
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=NOT_SERVED)
    served = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    manifest = (tmp_path / "staticfiles.json").read_text(encoding="utf-8")
    assert "django_htmx/htmx-2.min.js" in served
    used = {name for file in templates() for name in re.findall(r"""\{% *static ["']([^"']+)["']""", text_of(file))}
    assert not {name for name in used if f'"{name}"' not in manifest}


def test_the_wheel_carries_what_was_made(tmp_path: Path) -> None:
    python = ROOT / ".uv" / "build" / "bin" / "python"
    if not python.exists():
        pytest.skip("the build's own environment is made by ./run")  # plain pytest in another environment has none
    words = [python, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert "jiequ/web/static/vendor/leaflet/leaflet.js" in names
    assert "jiequ/web/static/vendor/leaflet/leaflet.css" in names
    assert [name for name in names if name.endswith("LC_MESSAGES/django.mo")]
    assert "jiequ/web/templates/web/base.html" in names
    assert {"jiequ/web/guide/desk.md", "jiequ/web/guide/pictures/desk-queue.png"} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]
