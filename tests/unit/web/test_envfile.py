"""The operator's settings file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jiequ.web.cli import envfile


def test_values_are_read_and_what_the_environment_says_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "jiequ.env"
    file.write_text("# a comment\nJIEQU_ONE = 'a b'\n\nJIEQU_TWO=x=y\nJIEQU_THREE=mine\n")
    monkeypatch.setenv("JIEQU_ENV_FILE", str(file))
    monkeypatch.setenv("JIEQU_THREE", "the process's")
    monkeypatch.delenv("JIEQU_ONE", raising=False)
    monkeypatch.delenv("JIEQU_TWO", raising=False)
    assert envfile.load() == file
    assert (os.environ.pop("JIEQU_ONE"), os.environ.pop("JIEQU_TWO")) == ("a b", "x=y")
    assert os.environ["JIEQU_THREE"] == "the process's"


@pytest.mark.parametrize("line", ["JIEQU_ONE", "export JIEQU_ONE=1", "=1"])
def test_a_bad_line_is_named_by_its_number(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        envfile.parse("A=1\n" + line)


def test_a_command_without_any_settings_works_on_the_demos_data_and_on_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("JIEQU_MODE", "JIEQU_VAR", "JIEQU_ENV_FILE", "JIEQU_SECRET_KEY", "DATABASE_URL"):
        monkeypatch.setenv(name, "")
    assert envfile.take_demo(tmp_path) is None  # no demo was made
    made = tmp_path / "var" / "demo" / "demo.sqlite3"
    made.parent.mkdir(parents=True)
    made.touch()
    monkeypatch.setenv("JIEQU_SECRET_KEY", "of a real installation")
    assert envfile.take_demo(tmp_path) is None
    monkeypatch.setenv("JIEQU_SECRET_KEY", "")
    assert envfile.take_demo(tmp_path) == made.parent
    assert (os.environ["JIEQU_MODE"], os.environ["JIEQU_VAR"]) == ("demo", str(made.parent))
