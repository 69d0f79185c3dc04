"""What the administrator's page reads. Never an openid."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q

from .models import Follower, Said, TemplateForm


def follower_counts() -> dict[str, int]:
    """How many follow the account, and how many of them are members of staff. One query."""
    mine = Follower.objects.filter(appid=settings.WECHAT_APPID, is_following=True)
    return mine.aggregate(following=Count("id"), bound=Count("id", filter=Q(person__isnull=False)))


def said_counts(*, since: timedelta, at: datetime) -> dict[str, int]:
    """What became of the customer-service messages of this long, by state."""
    rows = Said.objects.filter(queued_at__gt=at - since).order_by()
    return dict(rows.values_list("state").annotate(n=Count("id")))


def forms() -> list[TemplateForm]:
    """Every form: those for one notice first, as they are looked through."""
    return sorted(TemplateForm.objects.all(), key=lambda one: (one.group, one.notice == "", one.turn, one.pk))
