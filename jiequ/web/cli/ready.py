"""What must be so before anything is served: settings that load, a database of this version, static files in place."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

NOT_SERVED = ["django_htmx/ext/*", "django_htmx/htmx-4*", "django_htmx/htmax-*"]


def set_up() -> None:
    """Load Django. Raises ImproperlyConfigured with a sentence that names the variable."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
    import django

    django.setup()


def is_taken(host: str, port: int) -> bool:
    """True if something listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def make_var() -> None:
    """The folder of the data: for this account and its group only."""
    from django.conf import settings

    Path(settings.VAR).mkdir(mode=0o750, parents=True, exist_ok=True)


def pending_migrations() -> int:
    """How many migrations the databases lack."""
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    from jiequ.channels.arrivals import router

    main = MigrationExecutor(connections["default"])
    lacking = len(main.migration_plan(main.loader.graph.leaf_nodes()))
    if router.is_own_file():
        inbox = MigrationExecutor(connections[router.ALIAS])
        lacking += len(inbox.migration_plan(inbox.loader.graph.leaf_nodes("arrivals")))
    return lacking


def collect_static_files() -> None:
    """Hashed and gzipped copies under STATIC_ROOT, made again only when a file changed."""
    from django.conf import settings
    from django.core.management import call_command

    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    if "HashedFiles" not in settings.STORAGES["staticfiles"]["BACKEND"]:
        return
    stamp, now = root / ".made-from", _static_state()
    if not stamp.exists() or stamp.read_text() != now:
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=NOT_SERVED)
        stamp.write_text(now)


def _static_state() -> str:
    from django.contrib.staticfiles.finders import get_finders

    state = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(NOT_SERVED):
            file = os.stat(storage.path(name))
            state.update(f"{name} {file.st_size} {file.st_mtime_ns}\n".encode())
    return state.hexdigest()
