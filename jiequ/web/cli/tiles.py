"""The process of map tiles, as ``serve`` starts it: granian with one WSGI worker."""

from __future__ import annotations

import argparse
import os
import sys

from jiequ.web.cli.supervisor import end_with_supervisor

THREADS = 2


def main(words: list[str]) -> None:
    """Serve until SIGTERM."""
    from granian import Granian
    from granian.constants import Interfaces

    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(words)
    end_with_supervisor()
    Granian(
        "jiequ.web.tiles.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backlog=256,
        respawn_failed_workers=True,
        workers_kill_timeout=3,
        websockets=False,
        log_level=os.environ.get("JIEQU_SERVER_LOG_LEVEL", "warning"),  # type: ignore[arg-type]
    ).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
