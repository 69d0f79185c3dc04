"""The names of departments, communities and types that figures are compared by."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.cases.models import TypeEdition
from jiequ.cases.queries.types import said
from jiequ.grid.models import Community
from jiequ.people.models import Department

from ..models import Group


def names_of(group: str, keys: Iterable[int]) -> dict[int, str]:
    """A name for each key; 0 stands for cases that have none. One SELECT."""
    wanted = [key for key in keys if key]
    none = {Group.DEPARTMENT: _("还没有主办部门"), Group.COMMUNITY: _("不知道社区"), Group.TYPE: _("还没有定类型")}
    found = {0: str(none.get(Group(group), ""))}
    rows: Iterable[tuple[int, str, str]]
    if group == Group.TYPE:
        editions = TypeEdition.objects.filter(event_type_id__in=wanted, number=F("event_type__edition"))
        rows = editions.values_list("event_type_id", "name_zh", "name_en")
    elif group == Group.DEPARTMENT:
        rows = Department.objects.filter(pk__in=wanted).values_list("pk", "name_zh", "name_en")
    else:
        rows = Community.objects.filter(pk__in=wanted).values_list("pk", "name_zh", "name_en")
    return found | {key: said(zh, en) for key, zh, en in rows}


def group_words() -> dict[str, str]:
    """What figures can be compared by."""
    return {
        Group.DEPARTMENT.value: str(_("部门")),
        Group.COMMUNITY.value: str(_("社区")),
        Group.TYPE.value: str(_("类型")),
    }
