"""What the roles, accounts and kinds are called on pages (DOMAIN §1)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .rules import DepartmentKind, Role

ROLE_NAMES = {
    Role.RESIDENT: _("居民"),
    Role.GRID_WORKER: _("网格员"),
    Role.ACCEPTOR: _("受理员"),
    Role.DUTY_LEADER: _("值班长"),
    Role.DISPATCHER: _("派遣员"),
    Role.HANDLER: _("处置人员"),
    Role.DEPARTMENT_LEAD: _("部门负责人"),
    Role.LEADER: _("街道领导"),
    Role.SUPERVISOR: _("督查"),
    Role.OFFICER: _("执法人员"),
    Role.PILOT: _("飞手"),
    Role.ANALYST: _("判读员"),
    Role.BUREAU: _("区职能部门"),
    Role.SYSTEM_ADMIN: _("系统管理员"),
    Role.SECURITY_ADMIN: _("安全管理员"),
    Role.AUDIT_ADMIN: _("审计管理员"),
    Role.SYSTEM: _("系统"),
}
DEPARTMENT_KIND_NAMES = {
    DepartmentKind.OFFICE: _("街道办公室"),
    DepartmentKind.COMMUNITY: _("社区"),
    DepartmentKind.CONTRACTOR: _("养护单位"),
    DepartmentKind.BUREAU: _("区职能部门"),
}
