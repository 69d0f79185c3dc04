"""``./run hotline take``: a hotline's files, once each; what was not taken stands in the rejects beside them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from django.utils.translation import gettext as _

from jiequ.cases.order_files import Unreadable
from jiequ.core import clock
from jiequ.doors.hotline.models import Source
from jiequ.doors.hotline.services import folders
from jiequ.web.cli.terminal import speak


def main(options: argparse.Namespace) -> int:
    """Exit status 1 with a sentence where nothing could be read; rows that were not taken are told and do not fail it."""
    speak()
    source = Source.objects.select_related("system__street").filter(slug=options.source, system__is_active=True).first()
    if source is None:
        print(_("没有代号为“%(slug)s”的热线来源。") % {"slug": options.source}, file=sys.stderr)
        return 1
    if source.paused_at is not None:
        print(_("这个来源已暂停。"), file=sys.stderr)
        return 1
    path = Path(options.path)
    try:
        done = _take(source, path)
    except (Unreadable, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    for one in done:
        print(_told(one))
    if not done:
        print(_("没有可读的文件：in 里没有，还在写入，或别的进程正在读。"))
    return 1 if any(one.why for one in done) else 0


def _take(source: Source, path: Path) -> list[folders.Taken]:
    if path.is_dir():
        return list(folders.take_all(source, path, at=clock.now()))
    return [folders.take_file(source, path, at=clock.now())]


def _told(done: folders.Taken) -> str:
    if done.why:
        return _("%(file)s：没有收，%(why)s") % {"file": done.name, "why": done.why}
    counts = {name: done.counts.get(name, 0) for name in ("new", "known", "update", "refused")}
    facts = {"file": done.name, **counts}
    return _("%(file)s：新收 %(new)d，已有 %(known)d，有改动 %(update)d，不收 %(refused)d。") % facts
