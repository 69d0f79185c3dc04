"""The processes that ``serve`` starts beside the web workers (live events, map tiles): granian with one worker each."""

from __future__ import annotations

import argparse
import os
from typing import Any

from jiequ.web.cli.supervisor import end_with_supervisor


def serve(words: list[str], *, application: str, interface: str, backlog: int, **more: Any) -> None:
    """Serve ``application`` ("asgi" or "wsgi") on the ``--host`` and ``--port`` among ``words`` until SIGTERM."""
    from granian import Granian
    from granian.constants import Interfaces

    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(words)
    end_with_supervisor()
    Granian(
        application,
        address=options.host,
        port=options.port,
        interface=Interfaces(interface),
        workers=1,
        backlog=backlog,
        respawn_failed_workers=True,
        workers_kill_timeout=3,
        websockets=False,
        log_level=os.environ.get("JIEQU_SERVER_LOG_LEVEL", "warning"),  # type: ignore[arg-type]
        **more,
    ).serve()
