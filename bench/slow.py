"""A server and a worker whose every transaction of the main database takes so much longer: the ground of ``bench/channels.py``.

``python -m bench.slow serve PORT WORKERS`` and ``python -m bench.slow work``; ``BENCH_SLOW_SECONDS`` says how slow. The sleep
is before COMMIT: the writer's lock (SQLite) or its rows (PostgreSQL) are held all that time. The inbox is not slowed.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any


def slow_down(seconds: float) -> None:
    """From now on in this process."""
    from django.db import connections

    kind: Any = type(connections["default"])
    commit = kind._commit

    def slow(self: Any) -> Any:
        if self.alias == "default":
            time.sleep(seconds)
        return commit(self)

    kind._commit = slow


def count_effects() -> None:
    """Each message of the benchmark has an effect that is counted: a number that goes up."""
    from jiequ.channels.arrivals.services import Incoming, on_arrival
    from jiequ.core import ids

    def effect(incoming: Incoming, *, at: Any) -> None:
        if number := incoming.fields.get("MsgId"):
            ids.next_value(f"effect-{number}")

    on_arrival("wechat", effect)


def serve(port: int, workers: int) -> None:
    """As jiequ.web.cli.web does, with the slow application."""
    from granian import Granian
    from granian.constants import Interfaces

    from jiequ.web.cli.web import THREADS

    Granian(
        "bench.slow:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        backlog=1024,
        websockets=False,
        log_level="warning",  # type: ignore[arg-type]
    ).serve()


def work() -> None:
    """A worker, until SIGTERM."""
    import django

    from jiequ.web.cli.supervisor import stop_on_signals

    stop = stop_on_signals()
    django.setup()
    slow_down(float(os.environ["BENCH_SLOW_SECONDS"]))
    count_effects()
    from jiequ.core import worker

    worker.run_worker(stop)


def __getattr__(name: str) -> Any:
    if name != "application":
        raise AttributeError(name)
    from jiequ.web.wsgi import application

    slow_down(float(os.environ["BENCH_SLOW_SECONDS"]))
    return application


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), int(sys.argv[3]))
    else:
        work()
