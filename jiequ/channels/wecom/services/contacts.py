"""The contacts as they come in: page by page of a sync, and one change at a time as WeCom pushes it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import F
from django.utils.translation import gettext as _

from jiequ.core import audit, jobs
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor
from jiequ.people.services import drop_account_sessions

from .. import config
from ..models import Sync, WecomDepartment, WecomUser
from ..rules import Change, MatchedBy, Member, Unit

log = logging.getLogger(__name__)
SYNC = "wecom.sync"
GIVEN_UP_AFTER = timedelta(days=1)


def begin_sync(*, by: Actor | None, at: datetime) -> Sync:
    """Begin a pass through the contacts, in the background. Refused while one runs, and where no contacts secret is set."""
    if not config.syncs_contacts():
        raise Refusal("wecom_no_contacts", _("没有配置通讯录同步的 Secret，不能同步；成员会在第一次登录时关联。"))
    with writing():
        Sync.objects.filter(ended_at=None, begun_at__lt=at - GIVEN_UP_AFTER).update(ended_at=at, error="given_up")
        if Sync.objects.filter(ended_at=None).exists():
            raise Refusal("wecom_sync_runs", _("通讯录正在同步，请等它结束。"))
        sync = Sync.objects.create(begun_at=at, begun_by_id=by.person_id if by else None)
        jobs.enqueue(step(sync, at=at))
    return sync


def step(sync: Sync, *, at: datetime) -> jobs.JobSpec:
    """The job for the next page of a sync."""
    return jobs.JobSpec(SYNC, {"sync_id": sync.pk, "page": sync.pages}, run_at=at, key=f"{SYNC}:{sync.pk}:{sync.pages}")


def store_units(sync: Sync, units: Sequence[Unit], *, at: datetime) -> None:
    """The departments, all of them in one answer; then the members' first page is next."""
    rows = [WecomDepartment(number=unit.number, name=unit.name, parent=unit.parent, sync=sync) for unit in units]
    _upsert_units(rows)
    _advance(sync, cursor="", departments=len(units), at=at)


def _upsert_units(rows: Sequence[WecomDepartment]) -> None:
    WecomDepartment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["number"], update_fields=["name", "parent", "sync"]
    )


def store_page(sync: Sync, members: Sequence[Member], cursor: str, *, at: datetime) -> None:
    """A page of members; with an empty ``cursor`` it was the last: whoever was not in any is gone."""
    known = {row.userid: row for row in WecomUser.objects.filter(userid__in=[member.userid for member in members])}
    rows = [
        WecomUser(userid=member.userid, departments=_together(known.get(member.userid), member, sync), sync=sync, gone_at=None)
        for member in members
    ]
    _upsert_members(rows)
    fresh = [m for m in members if m.userid not in known or known[m.userid].sync_id != sync.pk]
    added = sum(1 for m in members if m.userid not in known or known[m.userid].gone_at)
    Sync.objects.filter(pk=sync.pk).update(added=F("added") + added, members=F("members") + len(fresh))
    if cursor:
        _advance(sync, cursor=cursor, at=at)
    else:
        _finish(sync, at=at)


def _together(before: WecomUser | None, member: Member, sync: Sync) -> list[int]:
    """A member's departments: those of an earlier page of the same sync too."""
    earlier = before.departments if before is not None and before.sync_id == sync.pk else []
    return list(dict.fromkeys([*earlier, *member.departments]))


def _upsert_members(rows: Sequence[WecomUser]) -> None:
    WecomUser.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["userid"], update_fields=["departments", "sync", "gone_at"]
    )


def _advance(sync: Sync, *, cursor: str, at: datetime, **counts: int) -> None:
    Sync.objects.filter(pk=sync.pk).update(cursor=cursor, pages=F("pages") + 1, **counts)
    sync.refresh_from_db()
    jobs.enqueue(step(sync, at=at))


def _finish(sync: Sync, *, at: datetime) -> None:
    """Whoever was in no page has left. An answer without anybody is a fault of ours or theirs, never the truth."""
    sync.refresh_from_db()
    if sync.members == 0:
        end_sync(sync, error="nobody", at=at)
        return
    WecomDepartment.objects.exclude(sync=sync).delete()
    gone = _let_go(WecomUser.objects.present().exclude(sync=sync).values_list("pk", flat=True), at=at)
    Sync.objects.filter(pk=sync.pk).update(gone=gone)
    end_sync(sync, error="", at=at)


def _let_go(ids: Iterable[int], *, at: datetime) -> int:
    """These have left: their ids stand for nobody any more, for WeCom may give an id to somebody else. Returns how many."""
    rows = list(WecomUser.objects.filter(pk__in=list(ids), gone_at=None))
    for row in rows:
        if row.person_id is not None:
            end_sessions(row)
            record("wecom.left", row, person_id=None, at=at, facts={"person": row.person_id})
    changes = {"person": None, "matched_by": MatchedBy.NOBODY, "matched_at": None, "gone_at": at}
    return WecomUser.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)


def end_sync(sync: Sync, *, error: str, at: datetime) -> None:
    """The pass is over; ``error`` is a class of failure, never WeCom's words."""
    if Sync.objects.filter(pk=sync.pk, ended_at=None).update(ended_at=at, error=error[:60]):
        sync.refresh_from_db()
        log.info("contacts", extra={"members": sync.members, "gone": sync.gone, "error": error})


def apply_change(change: Change, *, at: datetime) -> None:
    """One pushed change. Pushes may come twice or late: each says how something is, not what to add."""
    with writing():
        if change.userid:
            _change_member(change, at=at)
        elif change.verb == "delete":
            WecomDepartment.objects.filter(number=change.number).delete()
        else:
            _change_unit(change)


def _change_member(change: Change, *, at: datetime) -> None:
    found = WecomUser.objects.filter(userid=change.userid)
    if change.verb == "delete":
        _let_go(found.values_list("pk", flat=True), at=at)
        return
    if change.new_userid and change.new_userid != change.userid:
        if not WecomUser.objects.filter(userid=change.new_userid).exists():
            found.update(userid=change.new_userid)
        found = WecomUser.objects.filter(userid=change.new_userid)
    values: dict[str, object] = {"gone_at": None, **seen_now()}
    if change.departments is not None:
        values["departments"] = list(change.departments)
    WecomUser.objects.bulk_create([WecomUser(userid=change.new_userid or change.userid)], ignore_conflicts=True)
    found.update(**values)


def _change_unit(change: Change) -> None:
    before = WecomDepartment.objects.filter(number=change.number).first()
    row = before or WecomDepartment(number=change.number)
    row.name = change.name or row.name
    row.parent = row.parent if change.parent is None else change.parent
    sync_id = seen_now().get("sync_id", row.sync_id)
    _upsert_units([WecomDepartment(number=row.number, name=row.name, parent=row.parent, sync_id=sync_id)])


def seen_now() -> dict[str, int]:
    """For a row that is known to be there now: a pass that runs, its page perhaps read, does not let it go. One SELECT."""
    running = Sync.objects.filter(ended_at=None).values_list("pk", flat=True).first()
    return {} if running is None else {"sync_id": running}


def end_sessions(row: WecomUser) -> None:
    """Whatever came in by this member's account is signed out, and what its person opened in WeCom's browser."""
    drop_account_sessions(f"wecom:{row.pk}", person_id=row.person_id, browser="WeCom")


def record(action: str, row: WecomUser, *, person_id: int | None, at: datetime, facts: dict[str, object]) -> None:
    """An audit row about a member, by our own number for it: an id of WeCom's may be a name or a phone."""
    audit.record(
        street_id=None,
        person_id=person_id,
        action=action,
        object_kind="wecom_user",
        object_id=str(row.pk),
        at=at,
        facts=facts,
    )
