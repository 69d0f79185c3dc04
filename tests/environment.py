"""The suite's own environment, set before Django reads its settings (pytest loads this by ``-p``, see pyproject.toml).

``JIEQU_TEST_DATABASE=postgresql`` runs the suite on a PostgreSQL of its own; else it runs on an SQLite file. Nothing outside
the temporary folder is written.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

ON_POSTGRESQL = os.environ.get("JIEQU_TEST_DATABASE") == "postgresql"
BROWSER = os.environ.get("JIEQU_TEST_BROWSER", "")  # "only" its tests, "without" them, or both
FOLDER = Path(tempfile.mkdtemp(prefix="jiequ-test-"))
ON_SQLITE_ONLY = {("tests", "repo"), ("tests", "e2e"), ("tests", "emulator")}
ON_POSTGRESQL_ONLY = {("tests", "race")}
IN_BROWSER = {("tests", "e2e")}
PART = os.environ.get("JIEQU_TEST_PART", "")  # one of the parts of ./run test, or all
PARTS = {("tests", "web"): "web", ("tests", "access"): "web", ("tests", "unit"): "unit"}  # any other folder: "rest"
MAY_BE_PURE = {("tests", "unit"), ("tests", "hostile"), ("tests", "crash")}
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup", "django_db_blocker"}
TEMPLATES = os.environ.get("JIEQU_TEST_TEMPLATES", "")  # a folder where runs side by side leave what they migrated
SERVER = os.environ.get("JIEQU_TEST_SERVER", "")  # the folder of a PostgreSQL that runs side by side share
COUNTED = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


def _begin() -> None:
    for name in list(os.environ):
        if name.startswith(("DATABASE_", "JIEQU_")) and not name.startswith("JIEQU_TEST_"):
            del os.environ[name]
    os.environ.update(JIEQU_MODE="test", JIEQU_VAR=str(FOLDER), DJANGO_SETTINGS_MODULE="jiequ.web.settings")
    (FOLDER / "static").mkdir()
    if ON_POSTGRESQL:
        from tests import postgres

        if SERVER:
            server = postgres.join(Path(SERVER), f"jiequ_test_{PART}")
        else:
            server = postgres.start(FOLDER / "postgresql")
            server.make_database()
        atexit.register(_end, server.stop)
        os.environ.update(DATABASE_URL=server.url("jiequ_app"), DATABASE_OWNER_URL=server.url("jiequ_owner"))
        os.environ["JIEQU_POSTGRESQL_PROGRAMS"] = str(server.programs)
    else:
        atexit.register(_end)
        os.environ["DATABASE_URL"] = f"sqlite:///{FOLDER / 'test.sqlite3'}"


def _end(stop: Any = None) -> None:
    if stop:
        stop()
    shutil.rmtree(FOLDER, ignore_errors=True)


def pytest_report_header() -> str:
    """Which database this run is on."""
    return f"database: {'PostgreSQL' if ON_POSTGRESQL else 'SQLite'}"


def pytest_configure(config: Any) -> None:
    """Count the processor's seconds where a file for them was named."""
    if os.environ.get("JIEQU_TEST_COSTS"):
        from tests.costs import Costs

        config.pluginmanager.register(Costs(Path(os.environ["JIEQU_TEST_COSTS"])))


def pytest_ignore_collect(collection_path: Path, config: Any) -> bool | None:
    """A module of which this run would leave every test out is not even imported: thousands of tests are collected thrice."""
    if not collection_path.name.startswith("test_"):
        return None
    folder = collection_path.relative_to(config.rootpath).parts[:2]
    if folder in (ON_SQLITE_ONLY if ON_POSTGRESQL else ON_POSTGRESQL_ONLY):
        return True
    if PART and PARTS.get(folder, "rest") != PART:
        return True
    if BROWSER == "only":
        return (folder not in IN_BROWSER and "mark.browser" not in collection_path.read_text(encoding="utf-8")) or None
    return (BROWSER == "without" and folder in IN_BROWSER) or None


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Race tests need PostgreSQL; what does not touch the database need not run on both."""
    kept, left = [], []
    for item in items:
        folder = item.path.relative_to(config.rootpath).parts[:2]
        only_postgresql = item.get_closest_marker("postgresql") or folder in ON_POSTGRESQL_ONLY
        only_sqlite = item.get_closest_marker("sqlite") or folder in ON_SQLITE_ONLY or _is_pure(item, folder)
        wrong = only_sqlite if ON_POSTGRESQL else only_postgresql
        drives = bool(item.get_closest_marker("browser")) or folder in IN_BROWSER
        elsewhere = ("without" if drives else "only") == BROWSER
        (left if wrong or elsewhere else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def _is_pure(item: Any, folder: tuple[str, ...]) -> bool:
    """True if no database may be asked in it (pytest-django forbids that where nothing asks for one): once is enough."""
    asks = item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(item.fixturenames)
    return folder in MAY_BE_PURE and not asks and not item.get_closest_marker("postgresql")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Leave the counts for ``./run test``, which adds up its runs."""
    file = os.environ.get("JIEQU_TEST_COUNTS")
    if file:
        counts = {name: len(terminalreporter.stats.get(name, [])) for name in COUNTED}
        Path(file).write_text(json.dumps(counts))


_begin()
