"""``./run check``: what is wrong with this installation, in plain words. Exit status 1 if something must be mended."""

from __future__ import annotations

import argparse

from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.web.cli import audit_check, checks, rollup_check
from jiequ.web.cli.terminal import speak


def main(options: argparse.Namespace) -> int:
    """All findings, faults first."""
    speak()
    if options.what == "audit":
        return audit_check.main(options)
    if options.what == "rollups":
        return rollup_check.main(options)
    found = checks.findings(clock.now())
    faults = [finding for finding in found if finding.is_fault]
    for finding in faults + [finding for finding in found if not finding.is_fault]:
        print((_("必须处理：") if finding.is_fault else _("请留意：")) + finding.words)
    if not found:
        print(_("没有发现问题。"))
    return 1 if faults else 0
