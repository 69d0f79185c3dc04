"""``./run``: stands on Python alone, does nothing when nothing changed, and everything it names exists."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from jiequ.web.cli.options import COMMANDS, parse

ROOT = Path(__file__).resolve().parents[2]


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("name", ["run", "jiequ/web/cli/options.py", "jiequ/__init__.py", "jiequ/web/__init__.py"])
def test_nothing_has_to_be_installed_to_install(name: str) -> None:
    strange = {word for word in imported(ROOT / name) if word.split(".")[0] not in sys.stdlib_module_names}
    assert strange <= {"jiequ.web.cli.options"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_module_and_its_help(name: str) -> None:
    assert importlib.util.find_spec(COMMANDS[name].module)
    done = subprocess.run([ROOT / "run", name, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert f"./run {name}" in done.stdout


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, with an installed environment in a folder of its own."""
    loader = importlib.machinery.SourceFileLoader("jiequ_run", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("jiequ_run", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path)
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(module, "LOCKS", tmp_path)
    for lock in ("core", "test", "build"):
        (tmp_path / f"{lock}.lock").write_text(lock)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    return module


def install_as(run: ModuleType, kind: str) -> None:
    run.STAMP.write_text(f"{kind} {run.fingerprint(kind)}")


def test_an_environment_for_tests_serves_the_demo_and_not_the_other_way_round(run: ModuleType) -> None:
    assert not run.is_installed("core")
    install_as(run, "core")
    assert run.is_installed("core")
    assert not run.is_installed("test")
    install_as(run, "test")
    assert run.is_installed("core")
    assert run.is_installed("test")


def test_an_operator_who_wants_imagery_has_it_installed_by_any_command(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JIEQU_INSTALLS", raising=False)
    assert [run.more_of(kind) for kind in ("core", "test")] == ["core", "test"]
    monkeypatch.setenv("JIEQU_INSTALLS", "imagery")
    assert [run.more_of(kind) for kind in ("core", "test")] == ["imagery", "test"]
    monkeypatch.setenv("JIEQU_INSTALLS", "everything")
    with pytest.raises(run.Unavailable):
        run.more_of("core")


@pytest.mark.parametrize("change", ["core.lock", "build.lock", "bin/python", "stamp"])
def test_a_change_of_what_it_is_made_from_is_seen(run: ModuleType, change: str) -> None:
    install_as(run, "core")
    (run.VENV / change).unlink() if change == "bin/python" else (run.VENV / change).write_text("other")
    assert not run.is_installed("core")


def test_what_is_meant_for_pytest_reaches_it_whole() -> None:
    options = parse(["test", "--fast", "-k", "a name", "tests/unit", "--collect-only"])
    assert (options.fast, options.rest) == (True, ["-k", "a name", "tests/unit", "--collect-only"])
    assert parse(["test", "--database", "postgresql", "-x"]).rest == ["-x"]
    assert (parse(["test"]).costs, parse(["test", "--costs", "/tmp/c", "-x"]).rest) == (None, ["-x"])
    assert parse(["bench", "grid", "--scale", "2"]).rest == ["grid", "--scale", "2"]
    with pytest.raises(SystemExit):
        parse(["serve", "--nonsense"])


def test_a_file_is_looked_for_where_the_command_was_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JIEQU_CALLED_FROM", str(tmp_path))
    monkeypatch.chdir(ROOT)  # as ./run does
    options = parse(["import", "orders", "a.csv", "--map", "../m.toml", "--rejects", "/var/r.csv"])
    assert (options.file, options.map, options.rejects) == (f"{tmp_path}/a.csv", f"{tmp_path}/../m.toml", "/var/r.csv")
    done = subprocess.run([ROOT / "run", "init", "--example", "example.xlsx"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "example.xlsx").exists()
    assert not (ROOT / "example.xlsx").exists()
