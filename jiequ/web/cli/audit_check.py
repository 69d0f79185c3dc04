"""``./run check audit``: recompute every chain of the audit and compare it with the heads written outside."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.core.models import Street
from jiequ.core.verdict import Verdict, verify
from jiequ.web.cli.terminal import speak

SEALED_WITHIN = timedelta(minutes=5)


def main(options: argparse.Namespace) -> int:
    """One line a chain; exit status 1 if one is broken or nobody seals."""
    speak()
    chains: list[tuple[str, int | None]] = [(_("全区"), None)]
    chains += [(street.name_zh, street.pk) for street in Street.objects.order_by("code9")]
    faults = 0
    for name, street_id in chains:
        verdict = verify(street_id)
        problems = _problems(verdict)
        faults += bool(problems)
        facts = {"name": name, "sealed": verdict.sealed, "tail": verdict.unsealed_tail, "heads": verdict.heads_compared}
        if problems:
            print(_("%(name)s：审计链有问题") % facts, file=sys.stderr)
            for problem in problems:
                print("  " + problem, file=sys.stderr)
        else:
            print(_("%(name)s：审计链完整，已封 %(sealed)d 条，待封 %(tail)d 条，和外存的 %(heads)d 个链头一致") % facts)
    return 1 if faults else 0


def _problems(verdict: Verdict) -> list[str]:
    words = {
        "changed": _("第 %(seq)d 条被改动"),
        "entry_missing": _("第 %(seq)d 条的内容被删除"),
        "seal_missing": _("第 %(seq)d 条的封印被删除"),
        "cut_off": _("第 %(seq)d 条之后被截断（%(source)s 里的链头还在）"),
        "rewritten": _("第 %(seq)d 条和 %(source)s 里的链头不同，链被重写"),
        "head_unreadable": _("链头文件 %(source)s 读不出来"),
    }
    found = [words[f.kind] % {"seq": f.seq, "source": f.source} for f in verdict.findings[:20]]
    since = verdict.unsealed_since
    if since and clock.now() - since > SEALED_WITHIN:
        found.append(_("有 %(count)d 条一直没有封进链里，后台任务可能没有运行") % {"count": verdict.unsealed_tail})
    return found
