"""What the administrator's page reads. Never an openid."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Count, Q

from .models import Follower, TemplateForm


def follower_counts() -> dict[str, int]:
    """How many follow the account, and how many of them are members of staff. One query."""
    mine = Follower.objects.filter(appid=settings.WECHAT_APPID, is_following=True)
    return mine.aggregate(following=Count("id"), bound=Count("id", filter=Q(person__isnull=False)))


def forms() -> list[TemplateForm]:
    """Every form: those for one notice first, as they are looked through."""
    return sorted(TemplateForm.objects.all(), key=lambda one: (one.group, one.notice == "", one.turn, one.pk))
