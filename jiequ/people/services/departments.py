"""Departments: made, renamed, closed."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale

from ..models import Department, Post
from ..rules import Actor, DepartmentKind, Role
from .common import require

KEY = re.compile(r"^[a-z][a-z0-9-]{0,39}$")


def create_department(
    *, street_id: int | None, key: str, name_zh: str, name_en: str, kind: DepartmentKind, by: Actor, at: datetime
) -> Department:
    """A new department of a street, or (kind bureau, no street) of the district. ``key`` is what event types name."""
    require(by, Role.SYSTEM_ADMIN)
    if not KEY.match(key):
        raise Refusal("bad_key", _("代码要以小写字母开头，只用小写字母、数字和横线。"))
    if (kind is DepartmentKind.BUREAU) != (street_id is None):
        raise Refusal("bureau_has_no_street", _("区职能部门不属于街道，其他部门要选一个街道。"))
    names = _names(name_zh, name_en)
    try:
        with writing():
            department = Department.objects.create(street_id=street_id, key=key, kind=kind.value, **names)
            _record(by, at, "department.created", department)
    except IntegrityError:
        raise Refusal("key_taken", _("这个街道已经有代码为 %(key)s 的部门。") % {"key": key}) from None
    return department


def change_department(
    *, department_id: int, version: int, name_zh: str, name_en: str, is_active: bool, by: Actor, at: datetime
) -> None:
    """New names; or closed, when nobody holds a post in it any more."""
    require(by, Role.SYSTEM_ADMIN)
    names = _names(name_zh, name_en)
    with writing():
        department = Department.objects.filter(pk=department_id).first()
        if department is None:
            raise NotFound("no_such_department", _("没有这个部门。"))
        today = timezone.localtime(at).date()
        if not is_active and Post.objects.held_on(today).filter(department=department).exists():
            raise Refusal("department_has_members", _("部门里还有人任职，请先结束他们的岗位再关闭部门。"))
        same = Department.objects.filter(pk=department_id, version=version)
        if not same.update(version=F("version") + 1, is_active=is_active, **names):
            raise Stale("department_changed", _("这个部门刚被别人改过，请刷新后再改。"))
        _record(by, at, "department.changed", department)


def _names(name_zh: str, name_en: str) -> dict[str, str]:
    names = {"name_zh": " ".join(name_zh.split()), "name_en": " ".join(name_en.split())}
    if not 1 <= len(names["name_zh"]) <= 80 or not 1 <= len(names["name_en"]) <= 120:
        raise Refusal("bad_name", _("请填写部门的中文名和英文名。"))
    return names


def _record(by: Actor, at: datetime, action: str, department: Department) -> None:
    audit.record(
        street_id=department.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="department",
        object_id=str(department.pk),
        at=at,
        facts={"key": department.key},
    )
