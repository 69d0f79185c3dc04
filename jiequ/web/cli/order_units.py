"""Units that stand in a file of orders and are not known here become departments, once somebody has agreed."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict

from django.utils.translation import gettext as _

from jiequ.cases.import_map import BadRow, order_of
from jiequ.cases.order_files import OrderFile
from jiequ.cases.services.importing import Importer
from jiequ.core.db import writing
from jiequ.people.models import Department
from jiequ.people.rules import DepartmentKind
from jiequ.people.services import create_department

_COMMUNITY = re.compile(r"(社区|村|居委会|工作站)$")
_SHOWN = 20
LONGEST_NAME = 80


def create_units(file: OrderFile, importer: Importer, *, is_check: bool, is_sure: bool) -> bool:
    """Make them; True to go on. A unit with orders in one street is that street's, one in several a bureau of the district."""
    wanted = unknown_units(file, importer)
    if not wanted:
        return True
    print(_("这些部门还没有，将新建 %(n)d 个：") % {"n": len(wanted)})
    for (street_id, name), count in wanted.most_common(_SHOWN):
        where = importer.meanings.streets_by_id[street_id].name_zh if street_id else _("区级")
        print(f"  {where}  {name}  ×{count}")
    if len(wanted) > _SHOWN:
        print(_("  ……还有 %(n)d 个") % {"n": len(wanted) - _SHOWN})
    if is_check:
        return True
    if not is_sure and not _agreed():
        print(_("没有新建，也没有导入。"), file=sys.stderr)
        return False
    _make(wanted, importer)
    importer.meanings.read_departments()
    return True


def _agreed() -> bool:
    try:
        return input(_("新建吗？输入 yes：")).strip().lower() == "yes"
    except EOFError:
        return False


def unknown_units(file: OrderFile, importer: Importer) -> Counter[tuple[int | None, str]]:
    """(street, name) → orders; the street is None for a unit with orders in several."""
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for raw in file.rows():
        try:
            order = order_of(importer.given, raw.cells)
            street_id = importer.meanings.of(order)[0].place.street_id if not raw.fault else None
        except (BadRow, KeyError):
            continue
        name = " ".join(order.unit_words.split())
        if (
            street_id
            and name
            and len(name) <= LONGEST_NAME
            and importer.meanings.department_of(street_id, order.unit_words) is None
        ):
            found[name][street_id] += 1
    wanted: Counter[tuple[int | None, str]] = Counter()
    for name, streets in found.items():
        wanted[next(iter(streets)) if len(streets) == 1 else None, name] += streets.total()
    return wanted


def _make(wanted: Counter[tuple[int | None, str]], importer: Importer) -> None:
    taken = set(Department.objects.values_list("key", flat=True))
    numbers = (number for number in range(1, 1_000_000) if f"{importer.given.source[:20]}-{number}" not in taken)
    with writing():
        for street_id, name in sorted(wanted, key=str):
            kind = DepartmentKind.COMMUNITY if _COMMUNITY.search(name) else DepartmentKind.OFFICE
            create_department(
                street_id=street_id,
                key=f"{importer.given.source[:20].replace('_', '-')}-{next(numbers)}",
                name_zh=name,
                name_en=name,
                kind=kind if street_id else DepartmentKind.BUREAU,
                by=importer.by,
                at=importer.at,
            )
