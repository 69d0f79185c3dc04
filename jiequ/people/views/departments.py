"""Departments: the list, a new one, another name, closed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.models import Street
from jiequ.core.once import idempotent

from .. import queries, services
from ..access import actor_of, needs
from ..models import Department
from ..names import DEPARTMENT_KIND_NAMES
from ..rules import DepartmentKind, Role
from .fields import needed, number, page
from .signing_in import READ_AND_POST


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
@idempotent
def departments(request: HttpRequest) -> HttpResponse:
    """All departments, and a form for a new one."""
    refusal, data = None, request.POST
    if request.method == "POST":
        try:
            services.create_department(
                street_id=number(data, "street"),
                key=data.get("key", "").strip(),
                name_zh=data.get("name_zh", ""),
                name_en=data.get("name_en", ""),
                kind=_kind(data.get("kind", "")),
                by=actor_of(request),
                at=now(),
            )
            messages.success(request, _("部门已建立。"))
            return redirect("people:departments")
        except Refusal as refused:
            refusal = refused
    found = Department.objects.select_related("street").order_by("street__code9", "kind", "key")
    context = {
        "rows": [{"department": row, "kind": DEPARTMENT_KIND_NAMES[DepartmentKind(row.kind)]} for row in found],
        "streets": Street.objects.filter(is_active=True),
        "kinds": [(kind.value, DEPARTMENT_KIND_NAMES[kind]) for kind in DepartmentKind],
        "given": data,
    }
    return page(request, "people/departments.html", context, refusal)


def _kind(text: str) -> DepartmentKind:
    try:
        return DepartmentKind(text)
    except ValueError:
        raise Refusal("choice_missing", _("请先选择一项。")) from None


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(READ_AND_POST)
def department(request: HttpRequest, department_id: int) -> HttpResponse:
    """One department: names, open or closed, who is in it."""
    found, at, refusal = get_object_or_404(Department, pk=department_id), now(), None
    if request.method == "POST":
        try:
            services.change_department(
                department_id=department_id,
                version=needed(request.POST, "version"),
                name_zh=request.POST.get("name_zh", ""),
                name_en=request.POST.get("name_en", ""),
                is_active=request.POST.get("is_active") == "1",
                by=actor_of(request),
                at=at,
            )
            messages.success(request, _("已保存。"))
            return redirect("people:departments")
        except Refusal as refused:
            refusal = refused
    context = {"department": found, "members": queries.members(department_id, at, roles=Role)}
    return page(request, "people/department.html", context, refusal)
