"""What can be asked of what we keep of WeCom; reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q

from jiequ.people.models import Person
from jiequ.people.rules import Account

from .models import Sync, WecomDepartment, WecomUser

LENGTH = 50


@dataclass(frozen=True, slots=True)
class Counts:
    """How many members there are, and how many of them stand for one of ours."""

    members: int
    matched: int

    @property
    def unmatched(self) -> int:
        """The rest."""
        return self.members - self.matched


def counts() -> Counts:
    """One SELECT each."""
    present = WecomUser.objects.present()
    return Counts(present.count(), present.exclude(person=None).count())


def members(*, which: str, after: int = 0, limit: int = LENGTH) -> list[WecomUser]:
    """A page of members in the order they came: ``which`` is open (not matched), matched or gone. One SELECT."""
    rows = WecomUser.objects.select_related("person").filter(pk__gt=after).order_by("pk")
    chosen = {
        "open": Q(gone_at=None, person=None),
        "matched": Q(person__isnull=False),
        "gone": Q(gone_at__isnull=False),
    }[which]
    return list(rows.filter(chosen)[:limit])


def names_of_units(rows: Iterable[WecomUser]) -> dict[int, str]:
    """The names of the departments these members are in, by number. One SELECT."""
    numbers = {number for row in rows for number in row.departments}
    found = WecomDepartment.objects.filter(number__in=numbers).values_list("number", "name")
    return {number: name for number, name in found if name}


def suggestions(rows: Iterable[WecomUser] | None = None) -> list[tuple[WecomUser, Person]]:
    """Members whose id is the user name or the phone of one of ours who is tied to nobody yet. One or two SELECTs.

    Only suggested: many corporations use pinyin or phone numbers as ids, and two persons may share a pinyin.
    """
    wanted = WecomUser.objects.present().filter(person=None) if rows is None else [r for r in rows if r.person_id is None]
    by_id = {row.userid.lower(): row for row in wanted}
    free = Person.objects.active().filter(account=Account.STAFF, wecom_user=None)
    found = free.filter(Q(username__in=list(by_id)) | Q(phone__in=list(by_id)))
    taken: dict[int, tuple[WecomUser, Person]] = {}
    for person in found.order_by("pk"):
        row = by_id.get(person.username.lower()) or by_id.get(person.phone)
        if row is not None and row.pk not in taken:
            taken[row.pk] = (row, person)
    return list(taken.values())


def last_sync() -> Sync | None:
    """The pass that runs, else the last one."""
    return Sync.objects.order_by("-pk").first()


def person_of(userid: str) -> Person | None:
    """The active member of staff a userid stands for; None for everybody else. One SELECT."""
    row = WecomUser.objects.present().filter(userid=userid, person__is_active=True).select_related("person").first()
    return row.person if row else None


def userids(person_ids: Iterable[int]) -> Mapping[int, str]:
    """The userid of each of these persons who has one. One SELECT."""
    rows = WecomUser.objects.present().filter(person_id__in=list(person_ids), person__is_active=True)
    return {person_id: userid for person_id, userid in rows.values_list("person_id", "userid") if person_id is not None}


def account_of(userid: str) -> str:
    """The member as an account of a session: ``wecom:<our number>``."""
    return f"wecom:{WecomUser.objects.values_list('pk', flat=True).get(userid=userid)}"
