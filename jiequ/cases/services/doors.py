"""What the administrator's two doors, outside systems coming in and webhooks going out, ask alike of a new one."""

from __future__ import annotations

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.core.models import Street

NAME_MAX = 40


def clean_name(name: str, otherwise: str) -> str:
    """The name with single spaces; Refusal with the sentence ``otherwise`` for none or one that is too long."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_MAX:
        raise Refusal("bad_name", otherwise, facts={"field": "name"})
    return name


def check_street(street_id: int | None) -> None:
    """Refusal for a street that is none or no longer used; None stands for the whole district."""
    if street_id is not None and not Street.objects.filter(pk=street_id, is_active=True).exists():
        raise Refusal("no_such_street", _("没有这个街道。"), facts={"field": "street"})
