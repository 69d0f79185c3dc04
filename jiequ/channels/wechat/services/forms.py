"""How our notices fill the account's templates: a table that the system administrator edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from jiequ.channels import texts
from jiequ.channels.client import ApiError
from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.people.rules import Actor, Role

from .. import config, rules
from ..models import TemplateForm
from ..rules import Field, FormKind, Group

TEMPLATE_GONE = "template_gone"
NOT_OURS = frozenset({48001, 48006})
LASTING = 3
"""``type`` of a subscription template that is admitted until it is taken back; 2: once each."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the account, as the platform tells it."""

    template_id: str
    title: str
    content: str
    kind: FormKind = FormKind.TEMPLATE
    is_lasting: bool = False

    @property
    def fields(self) -> list[Field]:
        """Its fields with their labels."""
        return rules.fields_of(self.content)


def read_templates() -> list[Template]:
    """The account's templates, and those of its subscription notices that are for residents (staff have theirs without being
    asked). Outside a transaction. ApiError."""
    listed = config.api().get("/cgi-bin/template/get_all_private_template").get("template_list", [])
    found = [Template(str(one["template_id"]), str(one["title"])[:64], str(one["content"])) for one in listed]
    return found + [one for one in _subscriptions() if rules.group_of(one.title) is Group.RESIDENT]


def _subscriptions() -> list[Template]:
    """None for an account without subscription notices (they were still being handed out when we last read of them)."""
    try:
        listed = config.api().get("/wxaapi/newtmpl/gettemplate").get("data", [])
    except ApiError as fault:
        if fault.errcode in NOT_OURS:
            return []
        raise
    return [
        Template(
            str(one["priTmplId"]),
            str(one["title"])[:64],
            str(one["content"]),
            FormKind.SUBSCRIPTION,
            is_lasting=int(one.get("type", 0)) == LASTING,
        )
        for one in listed
    ]


def adopt_templates(templates: list[Template], *, by: Actor, at: datetime) -> int:
    """Make a form for each template that has none, filled by its labels; it is used at once where every field is understood,
    else it waits for somebody to fill it. Forms of templates that the account has no more are marked. How many are new.
    """
    _admit(by)
    with writing():
        known = set(TemplateForm.objects.values_list("kind", "template_id"))
        for kind, template_id in known - {(one.kind, one.template_id) for one in templates}:
            TemplateForm.objects.filter(kind=kind, template_id=template_id, fault="").update(fault=TEMPLATE_GONE)
        fresh = [one for one in templates if (one.kind, one.template_id) not in known and one.fields]
        for turn, one in enumerate(fresh):
            sources = rules.suggested(one.fields)
            is_whole = len(sources) == len(one.fields)
            _store(one, rules.group_of(one.title), "", sources, turn, by=by, at=at, is_active=is_whole)
    return len(fresh)


def save_form(form_id: int, *, group: str, notice: str, fields: Mapping[str, str], turn: int, by: Actor, at: datetime) -> None:
    """Say how notices fill a form's template: each of its fields from one source. A fault of before counts as mended.

    For another group or notice than the form's own another form of the same template is made beside it.
    """
    _admit(by)
    form = _form(form_id)
    template = Template(form.template_id, form.title, form.content, FormKind(form.kind), form.is_lasting)
    if group not in set(Group) or (notice and not _is_for(notice, group)):
        raise Refusal("unknown_notice", _("没有这种通知，请重新选择。"))
    wanted = [field.name for field in template.fields]
    lacking = [field.label or field.name for field in template.fields if fields.get(field.name) not in rules.SOURCES]
    if lacking:
        raise Refusal("field_without_source", _("请给每个字段选一个来源：%(fields)s") % {"fields": "、".join(lacking)})
    with writing():
        _store(template, group, notice, {name: fields[name] for name in wanted}, turn, by=by, at=at)


def _is_for(notice: str, group: str) -> bool:
    known = texts.TEMPLATES.get(notice)
    return known is not None and known.for_staff == (group == Group.STAFF)


def _form(form_id: int) -> TemplateForm:
    found = TemplateForm.objects.filter(pk=form_id).first()
    if found is None:
        raise NotFound("form_unknown", _("没有找到这个模板对应。"))
    return found


def drop_form(form_id: int, *, by: Actor, at: datetime) -> None:
    """Use it no more."""
    _admit(by)
    with writing():
        _form(form_id).delete()
        _record("wechat.form_dropped", form_id, by, at)


def _store(
    template: Template,
    group: str,
    notice: str,
    fields: Mapping[str, str],
    turn: int,
    *,
    by: Actor,
    at: datetime,
    is_active: bool = True,
) -> None:
    told = {"title": template.title, "content": template.content, "fields": dict(fields), "turn": turn}
    told["is_lasting"] = template.is_lasting
    row, _is_new = TemplateForm.objects.update_or_create(
        template_id=template.template_id,
        kind=template.kind,
        group=group,
        notice=notice,
        defaults={**told, "is_active": is_active, "fault": "", "changed_at": at},
    )
    _record("wechat.form_saved", row.pk, by, at)


def _record(action: str, form_id: int, by: Actor, at: datetime) -> None:
    audit.record(street_id=None, person_id=by.person_id, action=action, object_kind="wechat_form", object_id=form_id, at=at)


def _admit(by: Actor) -> None:
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))
