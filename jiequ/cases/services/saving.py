"""Saved filters: a person's own, named and ordered; one may be the list's beginning; a lead may share one with a street."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.people.rules import Actor, Role

from ..models import SavedFilter

SHARERS = (Role.DUTY_LEADER, Role.LEADER)
MOST, NAME_MAX, KEPT = 30, 30, timedelta(days=30)


def filters_for(by: Actor) -> QuerySet[SavedFilter]:
    """The actor's own in their order, then those shared with their streets. One SELECT."""
    mine = Q(person_id=_me(by))
    shared = Q(street_id__in=sorted(by.streets()))
    return SavedFilter.objects.filter(mine | shared, removed_at=None).order_by("position", "pk")


def save_filter(*, name: str, query: str, by: Actor, at: datetime) -> SavedFilter:
    """Keep a filter under a name; under a name that is there, the filter is replaced. Refusal if there are too many."""
    name = _named(name)
    if len(query) > 1000:
        raise Refusal("filter_too_long", _("条件太多，存不下，请去掉一些。"))
    own = SavedFilter.objects.filter(person_id=_me(by), removed_at=None)
    with writing():
        if own.filter(name=name).update(query=query):
            return own.get(name=name)
        held = own.aggregate(last=Max("position"))
        if own.count() >= MOST:
            raise Refusal("too_many_filters", _("最多保存 30 个筛选，请先删除不用的。"), facts={"limit": MOST})
        position = (held["last"] or 0) + 1
        return SavedFilter.objects.create(person_id=_me(by), name=name, query=query, position=position)


def rename(filter_id: int, *, name: str, by: Actor) -> None:
    """Another name; Refusal if it is taken."""
    try:
        with writing():
            _own(filter_id, by).update(name=_named(name))
    except IntegrityError:
        raise Refusal("name_taken", _("已有同名的筛选，请换一个名称。"), facts={"field": "name"}) from None


def make_default(filter_id: int, *, is_default: bool, by: Actor) -> None:
    """The list begins with it (or with all cases again)."""
    with writing():
        SavedFilter.objects.filter(person_id=_me(by), is_default=True).update(is_default=False)
        _own(filter_id, by).update(is_default=is_default)


def move_up(filter_id: int, *, by: Actor) -> None:
    """One place towards the front."""
    with writing():
        own = list(SavedFilter.objects.filter(person_id=_me(by), removed_at=None).order_by("position", "pk"))
        at = next((n for n, one in enumerate(own) if one.pk == filter_id), 0)
        if at:
            own[at - 1], own[at] = own[at], own[at - 1]
        for position, one in enumerate(own, start=1):
            one.position = position
        SavedFilter.objects.bulk_update(own, ["position"])


def share(filter_id: int, *, is_shared: bool, by: Actor) -> None:
    """Everybody of the actor's street sees it; for the duty leader and the leader of that street."""
    if not by.has(*SHARERS, street_id=by.street_id) or by.street_id is None:
        raise Forbidden("not_for_you", _("只有值班长和街道领导可以共享筛选。"))
    with writing():
        _own(filter_id, by).update(street_id=by.street_id if is_shared else None)


def remove(filter_id: int, *, by: Actor, at: datetime) -> None:
    """Gone from the list; may be taken back for a month."""
    with writing():
        _own(filter_id, by).update(removed_at=at, is_default=False)


def restore(filter_id: int, *, by: Actor) -> None:
    """Take a removal back; Refusal if its name was taken meanwhile."""
    try:
        with writing():
            found = SavedFilter.objects.filter(pk=filter_id, person_id=_me(by), removed_at__isnull=False)
            if not found.update(removed_at=None):
                raise _gone()
    except IntegrityError:
        raise Refusal("name_taken", _("已有同名的筛选，请先改名。")) from None


def sweep(*, at: datetime) -> int:
    """What was removed a month ago goes for good."""
    return SavedFilter.objects.filter(removed_at__lt=at - KEPT).delete()[0]


def _own(filter_id: int, by: Actor) -> QuerySet[SavedFilter]:
    found = SavedFilter.objects.filter(pk=filter_id, person_id=_me(by), removed_at=None)
    if not found.exists():
        raise _gone()
    return found


def _me(by: Actor) -> int:
    assert by.person_id is not None  # the door lets in staff only
    return by.person_id


def _gone() -> NotFound:
    return NotFound("filter_not_found", _("没有找到这个筛选，可能已删除。"))


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= NAME_MAX:
        raise Refusal("bad_name", _("请给筛选起一个名称，不超过 30 字。"), facts={"field": "name"})
    return name
