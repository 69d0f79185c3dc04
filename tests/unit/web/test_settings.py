"""What the settings refuse, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PRODUCTION = {"JIEQU_MODE": "production", "JIEQU_SECRET_KEY": "x" * 50, "JIEQU_DATA_KEYS": "k1:" + "11" * 32}


def load(**env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JIEQU_", "DATABASE_"))}
    code = "import jiequ.web.settings as s; print(s.DATABASES['default']['NAME'])"
    return subprocess.run([sys.executable, "-c", code], env=clean | env, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["JIEQU_SECRET_KEY", "JIEQU_DATA_KEYS"])
def test_production_without_a_secret_is_refused_by_name(name: str) -> None:
    env = {key: value for key, value in PRODUCTION.items() if key != name}
    assert f"{name} must be set" in load(**env).stderr
    assert load(**PRODUCTION).returncode == 0


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_OWNER_URL", "JIEQU_SECRET_KEY", "JIEQU_DATA_KEYS"])
def test_the_demo_refuses_the_settings_of_a_real_installation(name: str) -> None:
    done = load(JIEQU_MODE="demo", **{name: PRODUCTION.get(name, "postgresql://a@b/c")})
    assert done.returncode
    assert f"refuses to start while {name} is set" in done.stderr


def test_the_demo_never_opens_the_database_of_a_real_installation(tmp_path: Path) -> None:
    real, demo = load(**PRODUCTION, JIEQU_VAR=str(tmp_path)), load(JIEQU_MODE="demo", JIEQU_VAR=str(tmp_path))
    assert (real.stdout.strip(), demo.stdout.strip()) == (str(tmp_path / "jiequ.sqlite3"), str(tmp_path / "demo.sqlite3"))


def test_a_mode_that_does_not_exist_is_refused() -> None:
    assert "JIEQU_MODE must be" in load(JIEQU_MODE="prod").stderr
