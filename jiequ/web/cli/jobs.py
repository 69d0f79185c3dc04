"""``./run jobs``: the worker process. Any number may run; each job is done by one of them."""

from __future__ import annotations

import argparse
import sys

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core import clock, jobs, worker
from jiequ.web.cli.supervisor import end_with_supervisor, stop_on_signals
from jiequ.web.cli.terminal import speak


def main(options: argparse.Namespace) -> int:
    """Work until told to stop; with ``--once`` only what is due now. ``--dead`` and ``--revive`` work nothing."""
    speak()
    if options.revive is not None:
        return _revive(options.revive)
    if options.dead:
        return _list_dead()
    stop = stop_on_signals()
    reverse("channels:inbox")  # loads all pages: a second that must not fall into the transaction of the first notice
    if options.once:
        jobs.schedule_periodic(clock.now())
        while not stop.is_set() and jobs.work_once(at=clock.now()):
            pass
        return 0
    end_with_supervisor()
    worker.run_worker(stop)
    return 0


def _list_dead() -> int:
    """One line a job, newest first; exit status 1 if there is one."""
    dead = list(jobs.dead_jobs()[:100])
    for job in dead:
        moment = timezone.localtime(job.dead_at).strftime("%Y-%m-%d %H:%M") if job.dead_at else ""
        print(f"{job.pk}  {moment}  {job.kind}  {job.last_error}")
    if not dead:
        print(_("没有被放弃的任务。"))
    return 1 if dead else 0


def _revive(number: int) -> int:
    if not jobs.revive(number, at=clock.now()):
        print(_("没有编号为 %(number)d 的被放弃的任务。") % {"number": number}, file=sys.stderr)
        return 1
    print(_("任务 %(number)d 会马上重试。") % {"number": number})
    return 0
