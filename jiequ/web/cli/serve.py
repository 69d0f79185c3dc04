"""``./run serve``: the web server, live events, map tiles and the jobs' worker under one supervisor."""

from __future__ import annotations

import argparse
import os
import sys

from jiequ.web.cli import ready
from jiequ.web.cli.supervisor import Child, Supervisor, stop_on_signals


def main(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM. Refuses to start on a database of another version."""
    stop = stop_on_signals()
    if ready.is_taken(options.host, options.port):
        print(f"{options.host}:{options.port} is taken: stop what listens there, or give another --port.", file=sys.stderr)
        return 1
    if live_port(options) and ready.is_taken(options.host, live_port(options)):
        print(f"{options.host}:{live_port(options)} is taken: give live events another --live-port.", file=sys.stderr)
        return 1
    if tiles_port(options) and ready.is_taken(options.host, tiles_port(options)):
        print(f"{options.host}:{tiles_port(options)} is taken: give map tiles another --tiles-port.", file=sys.stderr)
        return 1
    pending = ready.pending_migrations()
    if pending:
        print(f"The database lacks {pending} migration(s): run ./run migrate first.", file=sys.stderr)
        return 1
    ready.collect_static_files()
    if callbacks_port(options) and ready.is_taken(options.host, callbacks_port(options)):
        print(f"{options.host}:{callbacks_port(options)} is taken: set JIEQU_CALLBACKS_PORT to another.", file=sys.stderr)
        return 1
    print(f"Serving http://{options.host}:{options.port}", flush=True)
    Supervisor(children(options)).run(stop)
    return 0


def children(options: argparse.Namespace) -> list[Child]:
    """What is kept alive: pages, live events, map tiles, callbacks, jobs."""
    workers = options.workers or min(8, max(2, os.cpu_count() or 2))
    address = ["--host", options.host, "--port", str(options.port), "--workers", str(workers)]
    web = Child("web", [sys.executable, "-m", "jiequ.web.cli.web", *address])
    jobs = Child("jobs", [sys.executable, "-m", "jiequ.web.cli", "jobs"])
    found = [web]
    if port := live_port(options):
        found.append(Child("live", [sys.executable, "-m", "jiequ.web.cli.live", "--host", options.host, "--port", str(port)]))
    if port := tiles_port(options):
        found.append(Child("tiles", [sys.executable, "-m", "jiequ.web.cli.tiles", "--host", options.host, "--port", str(port)]))
    if port := callbacks_port(options):
        words = ["--host", options.host, "--port", str(port), "--workers", "1", "--callbacks"]
        found.append(Child("callbacks", [sys.executable, "-m", "jiequ.web.cli.web", *words]))
    return found if options.no_jobs else [*found, jobs]


def live_port(options: argparse.Namespace) -> int:
    """Where live events are served; 0: not at all, pages then ask every few seconds."""
    asked = options.live_port if options.live_port is not None else os.environ.get("JIEQU_LIVE_PORT")
    return int(asked) if asked not in (None, "") else options.port + 1


def tiles_port(options: argparse.Namespace) -> int:
    """Where map tiles are served; 0: not at all (nothing asks for them without ``JIEQU_TILES_URL``, unless a port is named)."""
    asked = options.tiles_port if options.tiles_port is not None else os.environ.get("JIEQU_TILES_PORT")
    if asked not in (None, ""):
        return int(asked)
    return options.port + 2 if os.environ.get("JIEQU_TILES_URL") else 0


def callbacks_port(options: argparse.Namespace) -> int:
    """Where what WeChat and WeCom push is taken in, by threads that no slow page can hold; 0: with the pages.

    A process of its own where a channel is configured; the pages' address answers callbacks as well.
    """
    asked = os.environ.get("JIEQU_CALLBACKS_PORT")
    if asked not in (None, ""):
        return int(asked)
    return options.port + 3 if os.environ.get("JIEQU_WECHAT_TOKEN") or os.environ.get("JIEQU_WECOM_TOKEN") else 0
