"""``./run serve``: the web server and the jobs' worker under one supervisor."""

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
    pending = ready.pending_migrations()
    if pending:
        print(f"The database lacks {pending} migration(s): run ./run migrate first.", file=sys.stderr)
        return 1
    ready.collect_static_files()
    print(f"Serving http://{options.host}:{options.port}", flush=True)
    Supervisor(children(options)).run(stop)
    return 0


def children(options: argparse.Namespace) -> list[Child]:
    """What is kept alive. Later processes (live events, imagery tiles) are added here."""
    workers = options.workers or min(8, max(2, os.cpu_count() or 2))
    address = ["--host", options.host, "--port", str(options.port), "--workers", str(workers)]
    web = Child("web", [sys.executable, "-m", "jiequ.web.cli.web", *address])
    jobs = Child("jobs", [sys.executable, "-m", "jiequ.web.cli", "jobs"])
    return [web] if options.no_jobs else [web, jobs]
