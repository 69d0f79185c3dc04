"""``./run jobs``: the worker process. Any number may run; each job is done by one of them."""

from __future__ import annotations

import argparse

from jiequ.core import clock, jobs, worker
from jiequ.web.cli.supervisor import end_with_supervisor, stop_on_signals


def main(options: argparse.Namespace) -> int:
    """Work until told to stop; with ``--once`` only what is due now."""
    stop = stop_on_signals()
    if options.once:
        jobs.schedule_periodic(clock.now())
        while not stop.is_set() and jobs.work_once(at=clock.now()):
            pass
        return 0
    end_with_supervisor()
    worker.run_worker(stop)
    return 0
