"""``./run check audit``: recompute every chain of the audit and compare it with the heads written outside."""

from __future__ import annotations

import argparse
import sys

from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.core.models import Street
from jiequ.core.verdict import verify
from jiequ.web.audit_words import problems as problems_of
from jiequ.web.cli.terminal import speak


def main(options: argparse.Namespace) -> int:
    """One line a chain; exit status 1 if one is broken or nobody seals."""
    speak()
    chains: list[tuple[str, int | None]] = [(_("全区"), None)]
    chains += [(street.name_zh, street.pk) for street in Street.objects.order_by("code9")]
    faults = 0
    for name, street_id in chains:
        verdict = verify(street_id)
        problems = problems_of(verdict, clock.now())
        faults += bool(problems)
        facts = {"name": name, "sealed": verdict.sealed, "tail": verdict.unsealed_tail, "heads": verdict.heads_compared}
        if problems:
            print(_("%(name)s：审计链有问题") % facts, file=sys.stderr)
            for problem in problems:
                print("  " + problem, file=sys.stderr)
        else:
            print(_("%(name)s：审计链完整，已封 %(sealed)d 条，待封 %(tail)d 条，和外存的 %(heads)d 个链头一致") % facts)
    return 1 if faults else 0
