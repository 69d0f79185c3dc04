"""A place topic is confirmed and ended by a person; no case changes by it (docs/adr/0050)."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.core import audit
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.models import Street
from jiequ.people.rules import Actor

from ..models import Topic
from ..policy import Policy
from ..queries import shift, topics


def near_m(street_id: int) -> float:
    """How near counts as the same place: the street's own rule. One SELECT."""
    rules = Street.objects.filter(pk=street_id).values_list("settings", flat=True).first()
    return float(Policy.of(rules or {}).near_m)


def confirm_topic(*, street_id: int, anchor_id: int, by: Actor, at: datetime) -> Topic:
    """A place that may be a topic becomes one. Where it lies is counted here, never taken from a form."""
    _need_a_seat(by, street_id)
    reports = topics.told(by, street_id, base_m=near_m(street_id), at=at)
    offered = topics.possible(reports, topics.in_force(street_id), at=at)
    place = next((one for one in offered if one.anchor_id == anchor_id), None)
    if place is None:
        raise Refusal("topic_gone", _("这里已经确认过，或者情况已变，请刷新后再看。"))
    try:
        with writing():
            topic = Topic.objects.create(
                street_id=street_id,
                event_type_id=place.type_id,
                anchor_id=anchor_id,
                lon=place.lon,
                lat=place.lat,
                radius_m=place.radius_m,
                confirmed_at=at,
                confirmed_by_id=by.person_id or 0,
            )
            _audit("topic.confirmed", topic, by=by, at=at)
    except IntegrityError:
        raise Refusal("topic_gone", _("这里已经确认过，或者情况已变，请刷新后再看。")) from None
    return topic


def end_topic(topic_id: int, *, by: Actor, at: datetime) -> None:
    """The confirmation is taken back, or nothing comes from there any more; who confirmed it stays on record."""
    topic = Topic.objects.filter(pk=topic_id, street_id__in=by.streets(*shift.AT_HAND)).first()
    if topic is None:
        raise NotFound("topic_not_found", _("没有找到这个地点专题。"))
    with writing():
        if Topic.objects.filter(pk=topic_id, ended_at=None).update(ended_at=at, ended_by_id=by.person_id):
            _audit("topic.ended", topic, by=by, at=at)


def _need_a_seat(by: Actor, street_id: int) -> None:
    if not by.has(*shift.AT_HAND, street_id=street_id):
        raise Forbidden("not_your_desk", _("地点专题由本街道坐席确认。"))


def _audit(action: str, topic: Topic, *, by: Actor, at: datetime) -> None:
    audit.record(
        street_id=topic.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="topic",
        object_id=str(topic.pk),
        at=at,
    )
