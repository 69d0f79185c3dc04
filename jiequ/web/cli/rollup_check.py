"""``./run check rollups``: count every street's cases anew and compare with the counts the map is drawn from."""

from __future__ import annotations

import argparse
import sys

from django.utils.translation import gettext as _

from jiequ.cases.services import recount
from jiequ.web.cli.terminal import speak


def main(options: argparse.Namespace) -> int:
    """One line a street; exit status 1 if one differed, put right by ``--repair`` or not."""
    speak()
    faults = 0
    for one in recount(repair=options.repair):
        facts = {"name": one.street.name_zh, "right": one.right, "wrong": one.wrong, "cases": one.cases}
        faults += bool(one.wrong)
        if not one.wrong:
            print(_("%(name)s：地图计数和重新清点一致（%(cases)d 件有位置的案件，%(right)d 行）") % facts)
        elif options.repair:
            print(_("%(name)s：地图计数有 %(wrong)d 行和重新清点不一致，已改正") % facts)
        else:
            words = _("%(name)s：地图计数有 %(wrong)d 行和重新清点不一致；加 --repair 改正")
            print(words % facts, file=sys.stderr)
    return 1 if faults else 0
