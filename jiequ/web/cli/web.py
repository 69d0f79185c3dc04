"""The web server alone, as ``serve`` starts it: granian's master and its WSGI workers."""

from __future__ import annotations

import argparse
import os
import sys

from jiequ.web.cli.supervisor import end_with_supervisor

THREADS = 4
CALLBACKS = "jiequ.web.callbacks_settings"


def main(words: list[str]) -> None:
    """Serve until SIGTERM."""
    from granian import Granian
    from granian.constants import Interfaces

    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--callbacks", action="store_true", help="only what WeChat and WeCom push")
    options = parser.parse_args(words)
    if options.callbacks:
        os.environ["DJANGO_SETTINGS_MODULE"] = CALLBACKS
    end_with_supervisor()
    Granian(
        "jiequ.web.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.workers,
        blocking_threads=THREADS,
        backlog=1024,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=False,
        log_level=os.environ.get("JIEQU_SERVER_LOG_LEVEL", "warning"),  # type: ignore[arg-type]
    ).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
