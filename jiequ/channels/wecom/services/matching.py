"""Who of our staff a member is: said by the administrator, or shown by the person who signs in. Never taken from WeCom."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import NotFound, Refusal, Stale
from jiequ.people.models import Person
from jiequ.people.rules import Account, Actor

from .. import queries
from ..models import WecomUser
from ..rules import MatchedBy
from .contacts import end_sessions, record, seen_now


def match(*, member_id: int, login: str, by: Actor, at: datetime) -> WecomUser:
    """The administrator says who a member is, by user name or phone of our own roster."""
    person = _staff(login.strip())
    with writing():
        row = WecomUser.objects.present().filter(pk=member_id).first()
        if row is None:
            raise NotFound("wecom_no_member", _("没有这个企业微信成员，可能已经离开通讯录。"))
        return _tie(row, person, how=MatchedBy.ADMINISTRATOR, by_id=by.person_id, at=at)


def match_suggested(*, by: Actor, at: datetime) -> int:
    """Take every suggestion (an id that is our user name or phone); returns how many members found their person."""
    done = 0
    for row, person in queries.suggestions():
        with writing():
            _tie(row, person, how=MatchedBy.ADMINISTRATOR, by_id=by.person_id, at=at)
        done += 1
    return done


def tie(*, userid: str, person: Person, at: datetime) -> WecomUser:
    """Somebody came through WeCom as ``userid`` and then showed, with our own sign-in, who they are here. Staff only."""
    if person.account != Account.STAFF:
        raise Refusal("not_bindable", _("只有名册里的工作人员可以关联企业微信，管理员账号不关联。"))
    with writing():
        WecomUser.objects.bulk_create([WecomUser(userid=userid)], ignore_conflicts=True)
        row = WecomUser.objects.get(userid=userid)
        WecomUser.objects.filter(pk=row.pk).update(gone_at=None, **seen_now())  # perhaps back before a sync told us
        row.gone_at = None
        return _tie(row, person, how=MatchedBy.SIGN_IN, by_id=person.pk, at=at)


def unmatch(*, member_id: int, by: Actor, at: datetime) -> None:
    """The member stands for nobody again: no messages, no sign-in, no button that counts, from this moment."""
    with writing():
        row = WecomUser.objects.filter(pk=member_id).exclude(person=None).first()
        if row is None:
            raise Stale("wecom_not_matched", _("这个成员没有关联，请刷新后再看。"))
        facts: dict[str, object] = {"person": row.person_id}
        end_sessions(row)
        WecomUser.objects.filter(pk=row.pk).update(person=None, matched_by=MatchedBy.NOBODY, matched_at=None)
        record("wecom.unmatched", row, person_id=by.person_id, at=at, facts=facts)


def _staff(login: str) -> Person:
    found = Person.objects.active().filter(Q(username=login) | Q(phone=login), account=Account.STAFF).first() if login else None
    if found is None:
        raise Refusal("wecom_no_person", _("名册里没有这个用户名或手机号。"), facts={"field": "login"})
    return found


def _tie(row: WecomUser, person: Person, *, how: MatchedBy, by_id: int | None, at: datetime) -> WecomUser:
    if row.person_id == person.pk:
        return row
    if row.person_id is not None:
        raise Refusal("wecom_taken", _("这个企业微信成员已经关联了别人，请系统管理员先解除。"))
    if WecomUser.objects.filter(person=person).exists():
        raise Refusal(
            "wecom_has_other", _("%(name)s已经关联了另一个企业微信成员，请系统管理员先解除。") % {"name": person.name}
        )
    changed = WecomUser.objects.filter(pk=row.pk, person=None).update(person=person, matched_by=how, matched_at=at)
    if not changed:
        raise Stale("wecom_moved_on", _("这个成员刚被别人关联，请刷新后再看。"))
    record("wecom.matched", row, person_id=by_id, at=at, facts={"person": person.pk, "how": how.value})
    row.person, row.matched_at = person, at
    return row
