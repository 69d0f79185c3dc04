"""pg_dump and pg_restore, found, fit for the server, and given the password without showing it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from jiequ.web.cli.migrate import as_owner


class Unusable(Exception):
    """The program is missing, too old, or failed: a sentence for the operator."""


def dump(file: Path) -> None:
    """The whole database in pg_dump's own format, from one snapshot."""
    _run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", "--file", str(file)])


def restore(file: Path) -> None:
    """A dump into an empty database; stops at the first error. With an owner of its own the tables become the owner's."""
    words = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run("pg_restore", [*words, "--dbname", str(connection.settings_dict["NAME"]), str(file)])


def is_empty() -> bool:
    """True if the database holds no table."""
    return not connection.introspection.table_names()


def _run(name: str, words: list[str]) -> None:
    program = _program(name)
    with as_owner():
        _check_version(name, program)
        done = subprocess.run([program, "--no-password", *words], env=_environment(), capture_output=True, text=True)
    if done.returncode:
        raise Unusable(_("%(program)s 失败：%(words)s") % {"program": name, "words": done.stderr.strip()[-500:]})


def _program(name: str) -> str:
    folder = os.environ.get("JIEQU_POSTGRESQL_PROGRAMS", "")
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if not found:
        raise Unusable(
            _("找不到 %(program)s，请安装 PostgreSQL 的客户端程序，或用 JIEQU_POSTGRESQL_PROGRAMS 指出它在哪里")
            % {"program": name}
        )
    return found


def _check_version(name: str, program: str) -> None:
    """An older pg_dump refuses a newer server, and says so only when it is too late for tonight's backup."""
    words = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    match = re.search(r"(\d+)\.", words + ".")
    own, server = int(match.group(1)) if match else 0, _server_version()
    if own < server:
        facts = {"program": name, "own": own, "server": server}
        raise Unusable(_("%(program)s 是 %(own)d 版，比服务器的 %(server)d 版旧，请安装相同或更新的版本") % facts)


def _server_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


def _environment() -> dict[str, str]:
    settings: dict[str, Any] = connection.settings_dict
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    return os.environ | {name: str(settings[key]) for name, key in named.items() if settings.get(key)}
