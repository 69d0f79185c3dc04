"""A WeChat is tied to somebody on the roster, and untied.

An administrator shows a one-time code; the person scans it with their own phone and says there "this is me"; both screens show
the same four digits; the administrator confirms. So a code that somebody else photographs ties nobody: its scanner holds
another phone than the one the administrator sees. One WeChat a person, one person a WeChat.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from jiequ.channels.client import ApiError
from jiequ.channels.wechat.models import Follower
from jiequ.channels.wechat.services import bind, make_scene, say
from jiequ.channels.wechat.services import unbind as let_go
from jiequ.core import audit
from jiequ.core.bulk import store
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.ids import token_hash
from jiequ.people.models import Person
from jiequ.people.rules import Account, Actor, Role
from jiequ.people.services import drop_account_sessions

from ..config import account_of
from ..models import Binding
from ..rules import BIND_LIFE, BIND_PREFIX, OPEN_STATES, SECRET_LENGTH, SECRET_LETTERS, BindState

BROWSER = "WeChat"
"""How ``people.entry.device_label`` calls WeChat's own browser."""


def open_of(person_id: int, at: datetime) -> Binding | None:
    """The try that is under way for a person; None once its ten minutes are over."""
    found = _open(at).filter(person_id=person_id).select_related("follower")
    return found.first()


def follower_bound_to(person_id: int) -> Follower | None:
    """The WeChat of a person, if any."""
    return Follower.objects.filter(person_id=person_id).first()


def is_bound(follower_id: int) -> bool:
    """True if this WeChat is somebody's on the roster."""
    return Follower.objects.filter(pk=follower_id).exclude(person=None).exists()


def begin(*, person_id: int, by: Actor, at: datetime) -> Binding:
    """A fresh code for a person; the one before it ends. Asks WeChat for it: never inside a transaction.

    Refusal for somebody who already has a WeChat here, for administrators, and where WeChat gives none.
    """
    _require(by)
    person = Person.objects.active().filter(pk=person_id, account=Account.STAFF).first()
    if person is None:
        raise Refusal("not_bindable", _("只有名册里在岗的工作人员可以绑定微信，管理员账号不绑定。"))
    if follower_bound_to(person_id):
        raise Refusal("bound_already", _("%(name)s已经绑定了一个微信，请先解绑。") % {"name": person.name})
    secret = "".join(secrets.choice(SECRET_LETTERS) for _n in range(SECRET_LENGTH))
    try:
        url = make_scene(BIND_PREFIX + secret, seconds=int(BIND_LIFE.total_seconds())).url
    except ApiError:
        raise Refusal("no_code", _("微信没有给出二维码，请稍后再试。")) from None
    binding = Binding(
        secret_hash=token_hash(secret),
        qr_url=url,
        check_code=f"{secrets.randbelow(10_000):04d}",
        made_at=at,
        ends_at=at + BIND_LIFE,
        person=person,
        made_by_id=by.person_id,
    )
    with writing():
        Binding.objects.filter(person=person, state__in=OPEN_STATES).update(state=BindState.ENDED, ended_at=at)
        store([binding])
        _record("wechat.bind_begun", person, by, at)
    return binding


def scanned(secret: str, *, follower: Follower, key: str, at: datetime) -> bool:
    """The code was scanned: its follower is asked to say who they are. The first to scan has it; True if it is one of ours."""
    binding = Binding.objects.filter(secret_hash=token_hash(secret)).select_related("person").first()
    if binding is None:
        return False
    from .scans import page_url  # the two speak of each other

    if follower.person_id is not None:
        text = _("这个微信已经绑定了工作人员。要换人，请先解绑。")
    elif _move(binding, BindState.SHOWN, BindState.SCANNED, at, follower=follower):
        text = _("请点开确认是不是您本人：%(url)s") % {"url": page_url(reverse("wechat_pages:confirm"))}
    else:
        text = _("这个二维码已经用过，或者过了 10 分钟。请管理员再出一个。")
    say(follower_id=follower.pk, text=text, key=f"bind:{key}", at=at)
    return True


def waiting_for(follower_id: int, at: datetime) -> Binding | None:
    """What this WeChat is asked to confirm, or has confirmed and waits for the administrator."""
    found = _open(at).filter(follower_id=follower_id, state__in=[BindState.SCANNED, BindState.SAID])
    return found.select_related("person").order_by("-pk").first()


def say_who(*, follower_id: int, binding_id: int, is_me: bool, at: datetime) -> None:
    """The holder of the phone says "this is me", or that it is not. Refusal if that is no longer asked."""
    binding = waiting_for(follower_id, at)
    if binding is None or binding.pk != binding_id:
        raise Refusal("nothing_to_confirm", _("现在没有要您确认的绑定。请管理员再出一个二维码。"))
    with writing():
        if not _move(binding, BindState.SCANNED, BindState.SAID if is_me else BindState.REFUSED, at):
            raise Refusal("said_before", _("您已经确认过了，请等管理员核对。"))
        action = "wechat.bind_said" if is_me else "wechat.bind_denied"
        _record(action, binding.person, Actor(person_id=None), at)


def confirm(*, person_id: int, binding_id: int, by: Actor, at: datetime) -> Follower:
    """The administrator has compared the digits: the WeChat is the person's from now on."""
    _require(by)
    binding = open_of(person_id, at)
    if binding is None or binding.pk != binding_id or binding.follower is None:
        raise _over()
    with writing():
        if not _move(binding, BindState.SAID, BindState.BOUND, at):
            raise _over()
        if follower_bound_to(person_id) or not _take(binding.follower.pk, person_id, at):
            raise Refusal("bound_already", _("这个微信或这个人已经绑定过，请先解绑。"))
        bind(binding.follower.pk, person_id, by=by, at=at)
        _record("wechat.bound", binding.person, by, at, follower=binding.follower_id)
    return binding.follower


def _take(follower_id: int, person_id: int, at: datetime) -> bool:
    """Only one that is nobody's: of two persons confirmed for one WeChat at once, one has it."""
    return bool(Follower.objects.filter(pk=follower_id, person=None).update(person_id=person_id, bound_at=at))


def refuse(*, person_id: int, binding_id: int, by: Actor, at: datetime) -> None:
    """The digits differ, or the person knows nothing of it: this try is over."""
    _require(by)
    with writing():
        tries = Binding.objects.filter(pk=binding_id, person_id=person_id, state__in=OPEN_STATES)
        if not tries.update(state=BindState.ENDED, ended_at=at):
            raise _over()
        _record("wechat.bind_refused", Person.objects.get(pk=person_id), by, at)


def unbind(*, person_id: int, by: Actor, at: datetime) -> None:
    """One click, by the person or an administrator: the WeChat is nobody's again, and what it had open here ends at once.

    Messages already in the inbox stay; new ones take another way.
    """
    if by.person_id != person_id:
        _require(by)
    follower = follower_bound_to(person_id)
    if follower is None:
        raise NotFound("not_bound", _("没有绑定微信。"))
    with writing():
        if not _untie(person_id, follower.pk, by=by, at=at):
            raise NotFound("not_bound", _("没有绑定微信。"))


def _untie(person_id: int, follower_id: int, *, by: Actor, at: datetime) -> bool:
    if not let_go(person_id, by=by, at=at):
        return False
    Binding.objects.filter(person_id=person_id, state__in=OPEN_STATES).update(state=BindState.ENDED, ended_at=at)
    ended = drop_account_sessions(account_of(follower_id), person_id=person_id, browser=BROWSER)
    _record("wechat.unbound", Person.objects.get(pk=person_id), by, at, follower=follower_id, sessions=ended)
    return True


def forget_follower(*, account: str, follower_id: int, person_id: int | None, at: datetime) -> int:
    """A follower has taken their consent back: tied to nobody, signed in nowhere, and no try goes on. Returns the sessions
    that were not somebody of the roster's."""
    if person_id is not None:
        _untie(person_id, follower_id, by=Actor.system(), at=at)
    Binding.objects.filter(follower_id=follower_id).delete()
    return drop_account_sessions(account)


def forget(*, at: datetime) -> int:
    """Tries that are long over: the audit keeps that they were."""
    gone, _rows = Binding.objects.filter(ends_at__lte=at - 3 * BIND_LIFE).delete()
    return gone


def _open(at: datetime) -> QuerySet[Binding]:
    return Binding.objects.filter(state__in=OPEN_STATES, ends_at__gt=at)


def _move(binding: Binding, source: BindState, target: BindState, at: datetime, **more: object) -> bool:
    """One conditional UPDATE: from that state, in time."""
    if target not in OPEN_STATES:
        more["ended_at"] = at
    return bool(Binding.objects.filter(pk=binding.pk, state=source, ends_at__gt=at).update(state=target, **more))


def _require(by: Actor) -> None:
    if not by.has(Role.SYSTEM_ADMIN):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))


def _over() -> Refusal:
    return Refusal("binding_over", _("这次绑定已经结束，请再出一个二维码。"))


def _record(action: str, person: Person, by: Actor, at: datetime, **facts: object) -> None:
    audit.record(
        street_id=person.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="person",
        object_id=str(person.pk),
        at=at,
        facts=facts,
    )
