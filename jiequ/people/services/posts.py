"""Posts: given and ended. A post of an administrator cannot be given: it comes with the account and stays with it."""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal

from ..models import Department, Post
from ..rules import (
    ADMIN_ROLES,
    BUREAU_ROLES,
    CASE_ROLES,
    DEPARTMENT_ROLES,
    SECOND_FACTOR_ROLES,
    SHORT_SESSION_ROLES,
    Account,
    Actor,
    DepartmentKind,
    Role,
)
from .common import hold, record, require
from .credentials import drop_sessions


def give_post(
    *,
    person_id: int,
    role: Role,
    street_id: int | None = None,
    department_id: int | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    by: Actor,
    at: datetime,
) -> Post:
    """A role in a street (None: in the whole district), for department roles in a department. From today unless told.

    ``ends_on`` is the first day without it. A role with shorter sessions or a second factor ends the open sessions.
    """
    require(by, Role.SYSTEM_ADMIN)
    street_id = _check_place(role, street_id, department_id)
    starts_on = starts_on or timezone.localtime(at).date()
    if ends_on is not None and ends_on <= starts_on:
        raise Refusal("post_ends_first", _("岗位的结束日期要晚于开始日期。"))
    try:
        with writing():
            person = hold(person_id)
            if person.account != Account.STAFF:
                raise Refusal("administrator_has_no_case_role", _("管理员账号不能兼任业务岗位。请给本人另开工作账号。"))
            post = Post.objects.create(
                person=person,
                account=person.account,
                role=role.value,
                street_id=street_id,
                department_id=department_id,
                starts_on=starts_on,
                ends_on=ends_on,
            )
            if role in SECOND_FACTOR_ROLES | SHORT_SESSION_ROLES:
                drop_sessions(person_id)
            record(by, at, "post.given", person, role=role.value, street=street_id, department=department_id)
    except IntegrityError:
        raise Refusal("post_held_already", _("这个人已经有这个岗位了。")) from None
    return post


def end_post(*, post_id: int, ends_on: date | None = None, by: Actor, at: datetime) -> None:
    """Ends a post: ``ends_on`` (default today) is the first day without it; one that has not begun is removed."""
    require(by, Role.SYSTEM_ADMIN)
    ends_on = ends_on or timezone.localtime(at).date()
    with writing():
        post = Post.objects.filter(pk=post_id).select_related("person").first()
        if post is None or (post.ends_on is not None and post.ends_on <= ends_on):
            raise NotFound("no_such_post", _("没有这个岗位，或者它已经结束。"))
        if post.role in ADMIN_ROLES:
            raise Refusal("administrators_post_stays", _("管理员的岗位随账号存在，请停用账号。"))
        if post.starts_on >= ends_on:
            Post.objects.filter(pk=post_id).delete()
        else:
            Post.objects.filter(pk=post_id).update(ends_on=ends_on)
        record(by, at, "post.ended", post.person, role=post.role, street=post.street_id, department=post.department_id)


def _check_place(role: Role, street_id: int | None, department_id: int | None) -> int | None:
    """The street of the post; refuses a role that cannot be held there."""
    if role not in CASE_ROLES:
        raise Refusal("role_cannot_be_given", _("这个角色不能在这里授予。"))
    if department_id is None:
        if role in DEPARTMENT_ROLES | BUREAU_ROLES:
            raise Refusal("department_missing", _("这个角色要选一个部门。"))
        return street_id
    department = Department.objects.filter(pk=department_id, is_active=True).first()
    if department is None:
        raise NotFound("no_such_department", _("没有这个部门。"))
    if (department.kind == DepartmentKind.BUREAU) != (role in BUREAU_ROLES):
        raise Refusal("wrong_department", _("这个角色不能在这个部门任职。"))
    if street_id is not None and street_id != department.street_id:
        raise Refusal("department_elsewhere", _("这个部门不在所选的街道。"))
    return department.street_id
