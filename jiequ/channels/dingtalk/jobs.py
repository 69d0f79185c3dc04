"""The robot's rounds: whatever is unsaid goes out in one message; the outbox is looked at; what was said is forgotten.

A robot takes no key. A worker killed between the answer and its mark says the same alerts twice: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from jiequ.channels.models import Message
from jiequ.channels.queries import is_stalled, oldest_unsent_seconds
from jiequ.channels.rules import MessageState
from jiequ.core.jobs import every

from . import robot, rules, services
from .models import Alert

GIVE_UP_AFTER = timedelta(hours=24)


@every("dingtalk.say", seconds=rules.ROUND_SECONDS, outside=True)
def say(*, at: datetime) -> Callable[[], None] | None:
    """All alerts that are due, as one message a round; while the robot is limited, none."""
    if not services.is_on():
        return None
    unsaid = list(Alert.objects.filter(ended_at=None).order_by("pk"))
    if any(one.error == robot.Said.LIMITED and one.due_at > at for one in unsaid):
        return None
    due = [one for one in unsaid if one.due_at <= at]
    if not due:
        return None
    withdrawn = _withdrawn(due)
    told = [one for one in due if one.message_key not in withdrawn]
    said, error = robot.say(_message(told), at=at) if told else (robot.Said.TAKEN, "")
    return partial(_mark, due, said, error, at=at)


def _withdrawn(due: Sequence[Alert]) -> set[str]:
    keys = [one.message_key for one in due if one.message_key]
    gone = Message.objects.filter(key__in=keys, state=MessageState.WITHDRAWN)
    return set(gone.values_list("key", flat=True)) if keys else set()


def _message(told: Sequence[Alert]) -> dict[str, object]:
    with translation.override(settings.LANGUAGE_CODE):
        left = len(told) - rules.MOST_LINES
        more = _("另有 %(count)d 条，请登录查看。") % {"count": left} if left > 0 else ""
        lines = [_line(one) for one in told[: rules.MOST_LINES]]
        return rules.message(_("街区提醒"), lines, more, keyword=settings.DINGTALK_KEYWORD)


def _line(one: Alert) -> str:
    if one.kind == services.URGENT:
        kind = one.facts.get("type") or _("类型待定")
        name = kind if isinstance(kind, str) else kind.get(settings.LANGUAGE_CODE) or next(iter(kind.values()))
        return _("紧急案件 %(number)s（%(type)s）") % {"number": one.facts.get("number", ""), "type": name}
    if one.kind == services.DEAD:
        return _("后台任务 %(job)s 多次失败，已放弃，请系统管理员查看。") % {"job": one.facts.get("job", "")}
    return _("通知发送迟滞：最早一条已晚 %(minutes)d 分钟，请系统管理员查看。") % {"minutes": one.facts.get("minutes", 0)}


def _mark(due: Sequence[Alert], said: robot.Said, error: str, *, at: datetime) -> None:
    rows = Alert.objects.filter(pk__in=[one.pk for one in due], ended_at=None)
    if said in {robot.Said.TAKEN, robot.Said.REFUSED}:
        rows.update(ended_at=at, error=error[:60])
    elif said is robot.Said.LIMITED:
        rows.update(due_at=at + rules.RESTS, error=robot.Said.LIMITED)
    else:
        old = [one.pk for one in due if at - one.made_at >= GIVE_UP_AFTER]
        rows.filter(pk__in=old).update(ended_at=at, error=error[:60])
        rows.exclude(pk__in=old).update(due_at=at + timedelta(minutes=1), error=error[:60])


@every("dingtalk.watch", seconds=60)
def watch(*, at: datetime) -> None:
    """Alert if notices are later than promised."""
    if services.is_on() and is_stalled(at):
        services.hear_stalled(seconds=oldest_unsent_seconds(at), at=at)


@every("dingtalk.retention", daily_at="03:20")
def retention(*, at: datetime) -> None:
    """Forget alerts after a month."""
    Alert.objects.filter(ended_at__lt=at - rules.KEPT).delete()
