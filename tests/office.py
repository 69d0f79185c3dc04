"""Where LibreOffice and poppler are, how to get them where that is allowed, and what they read in a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

NAMES = ("soffice", "libreoffice")
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def soffice() -> str | None:
    """The path of LibreOffice on this computer."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install_if_possible() -> None:
    """As root on Debian or Ubuntu: install its calc without a screen, and poppler; elsewhere say in a line what is missing."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        if not soffice():
            print("Installing LibreOffice Calc, which reads exports back in the tests …", flush=True)
        for package in ("libreoffice-calc-nogui", "libreoffice-calc"):
            if not soffice():
                _install(package)
        if not shutil.which("pdftotext"):
            _install("poppler-utils")
    if not soffice():
        print("LibreOffice is not installed: exports are read back by openpyxl only (Debian: apt install libreoffice-calc).")
    if not shutil.which("pdftotext"):
        print("poppler is not installed: what PDFs say is not read back (Debian: apt install poppler-utils).")


def _install(package: str) -> None:
    words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pdf_text(path: Path) -> str:
    """The words of a PDF, laid out as on its pages. The test is skipped where poppler, no package of Python's, is not."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not here")
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout


CSV_FILTER = "Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,0,true"
"""Commas, quotes, UTF-8, from the first line, numbers told from text, formulas worked out: as a careless reader would."""


def read_back(files: Sequence[Path]) -> dict[str, tuple[list[str], list[str]]]:
    """What LibreOffice sees in each file: every cell's text, and every formula. One call a kind of file."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix, words in ((".xlsx", []), (".csv", [f"--infilter={CSV_FILTER}"])):
            if chosen := [str(file) for file in files if file.suffix == suffix]:
                _convert([*words, "--convert-to", "fods", "--outdir", folder, *chosen], folder)
        return {file.name: _cells(Path(folder, file.with_suffix(".fods").name)) for file in files}


def _convert(words: list[str], folder: str) -> None:
    program = soffice()
    assert program is not None
    started = [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", *words]
    done = subprocess.run(started, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr


def _cells(file: Path) -> tuple[list[str], list[str]]:
    texts, formulas = [], []
    for cell in ET.parse(file).getroot().iter(f"{_TABLE}table-cell"):
        if formula := cell.get(f"{_TABLE}formula"):
            formulas.append(formula)
        lines = ["".join(_said(line)) for line in cell.findall(f"{_TEXT}p")]
        if lines:
            texts += ["\n".join(lines)] * int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
    return texts, formulas


def _said(line: ET.Element) -> list[str]:
    """The text of a paragraph; tabs and runs of spaces are elements of their own."""
    found = [line.text or ""]
    for part in line:
        if part.tag == f"{_TEXT}tab":
            found.append("\t")
        elif part.tag == f"{_TEXT}s":
            found.append(" " * int(part.get(f"{_TEXT}c", "1")))
        else:
            found += _said(part)
        found.append(part.tail or "")
    return found
