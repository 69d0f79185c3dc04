"""发现: a report becomes a case, or joins one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext as _

from jiequ.channels.services import seal_account, seal_phone
from jiequ.core import audit, secrets
from jiequ.core.bulk import store
from jiequ.core.calendar import calendar_for
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, Refusal, Taken
from jiequ.core.ids import new_token, next_number, token_hash
from jiequ.core.jobs import enqueue
from jiequ.core.models import Picture, Street
from jiequ.core.prepared import Bind, Prepared
from jiequ.core.worktime import ZONE
from jiequ.grid.queries import locate, spot_of
from jiequ.grid.rules import is_position, q18, to_canonical
from jiequ.people.rules import Actor, Role
from jiequ.triage.engine.sketches import sketch
from jiequ.triage.engine.titles import title_of as one_line

from .. import clocks as c
from ..flow import MOVES, Closing, Scope, State
from ..models import Case, CaseEvent, FilingCondition, Proof, Report, Reporter, Source, Task, TaskKind
from ..policy import Policy
from ..when import Span
from ..words import masked
from . import moving, rollups, searching

NAME_PURPOSE = "reporter-name"
PHONE_LOOKUP, LAST4_LOOKUP, DEVICE_LOOKUP = "reporter-phone", "reporter-last4", "report-device"
ACCOUNT_LOOKUP = "reporter-account"
_TITLE_MAX = 40
WORDS_MAX = 2000
FARTHEST_OUTER_DUE = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Place:
    """Where, as it was told: a point in the system it came in, or a community with words, or a unit grid from a plate."""

    x: float | None = None
    y: float | None = None
    system: str = "wgs84"
    accuracy_m: float | None = None
    community_id: int | None = None
    unit_grid_id: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Who reports, in the clear; it lives only until it is sealed. ``account``: "wechat:17", see channels.notices."""

    name: str = ""
    phone: str = ""
    account: str = ""
    is_minor_with_guardian: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What is reported."""

    source: str
    words: str = ""
    place: Place = field(default_factory=Place)
    pictures: Sequence[Picture] = ()
    contact: Contact | None = None
    condition_id: int | None = None
    is_urgent: bool = False
    is_confidential: bool = False
    wants_call: bool = False
    seen_at: datetime | None = None
    happened: Span | None = None
    system: str = ""
    source_ref: str = ""
    said_hash: str = ""
    outer_due_at: datetime | None = None
    device: str = ""
    is_suspect: bool = False
    doubts: tuple[str, ...] = ()  # what a photo's own data disagrees with; shown to the desk, decides nothing
    title: str = ""
    is_answered: bool = False  # whoever hands it in tells the reporter the number in the same breath: no notice of it
    words_most: int = WORDS_MAX  # another standard's door may take more


@dataclass(frozen=True, slots=True)
class Reported:
    """The case, the report in it, and the private link's token (shown once; only its hash is kept)."""

    case: Case
    report: Report
    token: str
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class _Site:
    """A place made out: every field as the case stores it."""

    street_id: int
    community_id: int | None = None
    unit_grid_id: int | None = None
    lon: float | None = None
    lat: float | None = None

    @property
    def q18(self) -> int | None:
        return None if self.lon is None or self.lat is None else q18(self.lon, self.lat)


def report_case(*, street_id: int | None, account: Account, by: Actor, at: datetime) -> Reported:
    """Store a report and open its case. Every source comes through here.

    The point decides the street where it lies in a known grid; else ``street_id`` does. An outside reference that came before
    gives the case it gave then. Raises Refusal if nothing is said, the place is impossible, or the condition is not in force.
    """
    check_words(account)
    site = site_of(account.place, street_id)
    _check_may(by, "report", site.street_id)
    street = _street_for(account, site.street_id)
    if getattr(street, "is_known", False) and (known := _known(account)):
        return known
    try:
        with writing():
            return _open(account, site, street, by=by, at=at)
    except IntegrityError:
        if known := _known(account):
            return known
        raise


def self_handle(*, street_id: int | None, account: Account, by: Actor, at: datetime) -> Reported:
    """自处理: found and put right on the spot, reported and closed in one step; a sample is looked at later.

    Needs a filing condition, a place and a photo of after. Raises Refusal without them.
    """
    site = site_of(account.place, street_id)
    _check_may(by, "self_handle", site.street_id)
    condition = _condition(account.condition_id)
    if condition is None or site.unit_grid_id is None:
        raise Refusal("incomplete", _("自处理需要类型和位置。"))
    if not account.pictures:
        raise Refusal("proof_missing", _("自处理需要一张处理后的照片。"), facts={"missing": ["photo:after"]})
    with writing():
        street = Street.objects.get(pk=site.street_id)
        case = _case(account, site, street, condition, by=by, at=at)
        case.state, case.closing = State.CLOSED, Closing.SELF_HANDLED
        case.accepted_at = case.handled_at = case.confirmed_at = case.ended_at = at
        store([case])
        rollups.count_in([case])
        report, token = add_report(case, account, by=by, at=at, policy=Policy.of(street.settings))
        add_photos(case, report, account, phase=Proof.Phase.AFTER, by=by, at=at)
        _first_event(case, "self_handle", by=by, at=at, facts=_doubts(account))
        if is_sampled(case.number, Policy.of(street.settings).self_handled_sample):
            _ask_sample(case, by=by, at=at)
    return Reported(case, report, token)


def _check_may(by: Actor, name: str, street_id: int) -> None:
    roles = {grant.role for grant in MOVES[name].grants if grant.scope == Scope.STREET}
    is_resident = Role.RESIDENT in MOVES[name].roles() and by.person_id is None and by.has(Role.RESIDENT)
    if not is_resident and not by.roles_in(street_id) & roles:
        raise Forbidden("not_your_move", _("您没有办理这一步的权限。"), facts={"move": name})


def check_words(account: Account, *, may_be_empty: bool = False) -> None:
    """Refusal if nothing was said, too much was, or a call-back is wanted without a phone."""
    if len(account.words) > account.words_most:
        text = _("文字请不要超过 %(n)d 字。") % {"n": account.words_most}
        raise Refusal("words_too_long", text, facts={"limit": account.words_most})
    if not may_be_empty and not account.words.strip() and not account.pictures and not account.wants_call:
        raise Refusal("nothing_said", _("请拍一张照片或写一句话，也可以选择“请工作人员打电话给我”。"))
    if account.wants_call and not (account.contact and account.contact.phone):
        raise Refusal("phone_missing", _("需要回电，请留下手机号。"), facts={"field": "phone"})


def site_of(place: Place, street_id: int | None) -> _Site:
    """The place as stored. A point outside every known grid keeps the point and takes the street it was handed in for."""
    if place.x is not None and place.y is not None:
        lon, lat = canonical(place)
        spot = locate(lon, lat)
        if spot:
            return _Site(spot.street_id, spot.community_id, spot.unit_grid_id, lon, lat)
        return _Site(_street(street_id), place.community_id, None, lon, lat)
    if place.unit_grid_id is not None and (spot := spot_of(place.unit_grid_id)):
        return _Site(spot.street_id, spot.community_id, place.unit_grid_id)
    return _Site(_street(street_id), place.community_id)


def canonical(place: Place) -> tuple[float, float]:
    """The point in CGCS2000: longitude, latitude. Refusal if it is nowhere or in a system nobody knows."""
    assert place.x is not None
    assert place.y is not None
    if not is_position(place.x, place.y):
        raise Refusal("bad_position", _("位置不对，请重新定位或手工填写地点。"), facts={"field": "place"})
    try:
        return to_canonical(place.x, place.y, place.system)
    except ValueError as error:
        raise Refusal("bad_system", _("不认识的坐标系。"), facts={"field": "system"}) from error


def _street(street_id: int | None) -> int:
    if street_id is None:
        raise Refusal("place_missing", _("这个位置不在本区范围内，请选择街道和社区。"), facts={"field": "place"})
    return street_id


def _street_for(account: Account, street_id: int) -> Street:
    """The street and, in the same SELECT, whether the outside reference came before (``is_known``)."""
    streets = Street.objects.filter(pk=street_id)
    if account.source_ref:
        streets = streets.annotate(is_known=Exists(_reports_like(account)))
    return streets.get()


def _reports_like(account: Account) -> QuerySet[Report]:
    return Report.objects.filter(system=account.system, source_ref=account.source_ref)


def _known(account: Account) -> Reported | None:
    if not account.source_ref:
        return None
    report = _reports_like(account).select_related("case__street").first()
    if report is None:
        return None
    if account.said_hash and report.said_hash not in ("", account.said_hash):
        raise Taken("source_ref_taken", _("这个编号已经报过别的内容，请换一个编号。"), facts={"field": "source_ref"})
    return Reported(report.case, report, "", is_new=False)


def _condition(condition_id: int | None) -> FilingCondition | None:
    return None if condition_id is None else condition_in_force(condition_id)


_CONDITION = Prepared(lambda: FilingCondition.objects.filter(pk=Bind("condition")).select_related("edition__event_type"))


def condition_in_force(condition_id: int) -> FilingCondition:
    """The filing condition, if its type is active and its edition the current one; Refusal otherwise. One SELECT."""
    condition = _CONDITION.first(condition=condition_id)
    event_type = condition.edition.event_type if condition else None
    if condition is None or event_type is None or not event_type.is_active or condition.edition.number != event_type.edition:
        raise Refusal("condition_not_in_force", _("这个类型或立案条件已经更新，请重新选择。"), facts={"field": "condition"})
    return condition


def _open(account: Account, site: _Site, street: Street, *, by: Actor, at: datetime) -> Reported:
    policy = Policy.of(street.settings)
    case = _case(account, site, street, _condition(account.condition_id), by=by, at=at)
    clocks = _first_clocks(account, policy, by=by, at=at)
    for name, value in moving.clock_fields(clocks, at=at).items():
        setattr(case, name, value)
    store([case])
    rollups.count_in([case])
    report, token = add_report(case, account, by=by, at=at, policy=policy)
    add_photos(case, report, account, phase=Proof.Phase.REPORT, by=by, at=at)
    event = _first_event(case, "report", by=by, at=at, facts=_doubts(account))
    calendar = calendar_for()
    enqueue(
        *(spec for clock in clocks.values() for spec in moving.clock_timers(case.pk, clock, calendar, street_id=street.pk)),
        *([] if account.is_answered else [moving.tell_job(case, "reporter_received", event, at=at, undo_seconds=0)]),
    )
    return Reported(case, report, token)


def _first_clocks(account: Account, policy: Policy, *, by: Actor, at: datetime) -> c.Clocks:
    clocks: c.Clocks = {}
    limit = policy.desk_limit(is_urgent=account.is_urgent, source=account.source)
    moving.started(clocks, c.ClockKind.ACCEPT, limit, at=at, calendar=calendar_for(), by=by)
    if account.outer_due_at is not None:
        if account.outer_due_at <= at:
            raise Refusal("outer_due_past", _("工单上的时限已经过去，请核对。"), facts={"field": "outer_due_at"})
        check_outer_due(account.outer_due_at, at)
        clocks[c.ClockKind.OUTER] = c.start_until(c.ClockKind.OUTER, account.outer_due_at, at=at, by=by.name)
    return clocks


def check_outer_due(due_at: datetime, at: datetime) -> None:
    """Refusal for a due moment so far off that it can only be a slip of the pen."""
    if due_at - at > FARTHEST_OUTER_DUE:
        raise Refusal("outer_due_far", _("工单时限太远，请核对年份。"), facts={"field": "outer_due_at"})


def _case(account: Account, site: _Site, street: Street, condition: FilingCondition | None, *, by: Actor, at: datetime) -> Case:
    return Case(
        number=next_number(street.prefix, at.astimezone(ZONE).year),
        title=title_of(account, condition),
        source=Source(account.source),
        event_type=condition.edition.event_type if condition else None,
        condition=condition,
        is_urgent=account.is_urgent,
        is_confidential=account.is_confidential or bool(condition and condition.edition.is_confidential),
        is_suspect=account.is_suspect,
        street=street,
        community_id=site.community_id,
        unit_grid_id=site.unit_grid_id,
        address=account.place.words[:200],
        lon=site.lon,
        lat=site.lat,
        q18=site.q18,
        raw_x=account.place.x,
        raw_y=account.place.y,
        raw_system=account.place.system if account.place.x is not None else "",
        accuracy_m=account.place.accuracy_m,
        happened_from=account.happened[0] if account.happened else None,
        happened_until=account.happened[1] if account.happened else None,
        reported_at=at,
        changed_at=at,
        opened_by_id=by.person_id,
    )


def title_of(account: Account, condition: FilingCondition | None) -> str:
    """One line for lists: the type where it is known, else the first words, digits that may be a phone left out."""
    if account.title:
        return account.title[:_TITLE_MAX]
    if condition:
        return str(condition.edition.name_zh)[:_TITLE_MAX]
    return (title_from(account.words) or str(_("待核对的上报")))[:80]


def title_from(words: str) -> str:
    """What an account says in one line: its telling clause, without greetings and personal data; else its first words."""
    return masked(one_line(words, most=_TITLE_MAX) or " ".join(words.split()))[:_TITLE_MAX]


def add_report(
    case: Case, account: Account, *, by: Actor, at: datetime, policy: Policy, is_first: bool = True
) -> tuple[Report, str]:
    """One person's account in a case, inside the caller's transaction; the private link's token beside it."""
    token = new_token() if by.person_id is None and not account.source_ref else ""
    reporter = new_reporter(account.contact, at=at, policy=policy)
    told = account.place
    lon, lat = canonical(told) if told.x is not None and told.y is not None else (None, None)
    report = Report(
        case=case,
        origin=case,
        reporter=reporter,
        street_id=case.street_id,
        source=account.source,
        system=account.system,
        source_ref=account.source_ref,
        said_hash=account.said_hash,
        words=account.words,
        place_words=account.place.words[:200],
        tokens=searching.tokens_of(case, [account.words, account.place.words]) if is_first else "",
        sketch=sketch(f"{account.place.words}\n{account.words}"),
        wants_call=account.wants_call,
        language=by.language,
        token_hash=token_hash(token) if token else "",
        token_expires_at=at + timedelta(days=policy.link_days) if token else None,
        device_blind=secrets.blind(account.device, DEVICE_LOOKUP) if account.device else "",
        lon=lon,
        lat=lat,
        seen_at=account.seen_at,
        at=at,
        by_id=by.person_id,
    )
    store([report])
    return report, token


def new_reporter(contact: Contact | None, *, at: datetime, policy: Policy) -> Reporter | None:
    """Who reported, sealed and not yet stored; None for whoever left nothing."""
    if contact is None or not (contact.name or contact.phone or contact.account):
        return None
    phone = clean_phone(contact.phone)
    reporter = Reporter(
        name_sealed=secrets.seal(contact.name[:40], NAME_PURPOSE) if contact.name else "",
        phone_sealed=seal_phone(phone) if phone else "",
        phone_blind=secrets.blind(phone, PHONE_LOOKUP) if phone else "",
        last4_blind=secrets.blind(phone[-4:], LAST4_LOOKUP) if phone else "",
        account_sealed=seal_account(contact.account) if contact.account else "",
        account_blind=secrets.blind(contact.account, ACCOUNT_LOOKUP) if contact.account else "",
        is_minor_with_guardian=contact.is_minor_with_guardian,
        noticed_at=at,
        keep_until=(at + timedelta(days=policy.keep_days)).date(),
    )
    store([reporter])
    return reporter


def clean_phone(phone: str) -> str:
    """Digits only, a +86 left out; Refusal unless it is a Chinese mobile or a land line with its area code."""
    digits = re.sub(r"[\s\-()（）]", "", phone)
    digits = re.sub(r"^(\+?86)(?=1)", "", digits)
    if digits and not re.fullmatch(r"1\d{10}|0\d{9,11}", digits):
        raise Refusal("bad_phone", _("手机号不对，请填 11 位手机号或带区号的座机号。"), facts={"field": "phone"})
    return digits


def add_photos(case: Case, report: Report, account: Account, *, phase: str, by: Actor, at: datetime) -> None:
    """The account's photos as proofs."""
    proofs = [
        Proof(case=case, report=report, kind="photo", phase=phase, picture=picture, at=at, by_id=by.person_id)
        for picture in account.pictures
    ]
    store(proofs)


def _doubts(account: Account) -> dict[str, Any]:
    return {"doubts": list(account.doubts)} if account.doubts else {}


def is_sampled(number: str, share: float) -> bool:
    """True for about ``share`` of all numbers; the same number gives the same answer, so nobody can choose."""
    return int(hashlib.sha256(number.encode()).hexdigest()[:8], 16) < share * 0x1_0000_0000


def sample_task() -> Task:
    """A supervisor is asked to look at it afterwards; nothing is asked of who handled it."""
    return Task(kind=TaskKind.SAMPLE, role=Role.SUPERVISOR)


def _ask_sample(case: Case, *, by: Actor, at: datetime) -> None:
    task = sample_task()
    task.case, task.street_id = case, case.street_id
    task.opened_at, task.opened_by_id, task.opened_version = at, by.person_id, case.version
    task.save()


def _first_event(case: Case, name: str, *, by: Actor, at: datetime, facts: dict[str, Any]) -> CaseEvent:
    roles = MOVES[name].roles() & by.roles_in(case.street_id)
    event = CaseEvent(
        case=case,
        move=name,
        state=case.state,
        facts=facts,
        at=at,
        by_id=by.person_id,
        by_name=by.name,
        by_role=min(roles, default=Role.RESIDENT),
    )
    store([event])
    audit.record(
        street_id=case.street_id,
        person_id=by.person_id,
        action=f"case.{name}",
        object_kind="case",
        object_id=str(case.pk),
        at=at,
        facts={"source": case.source, "state": case.state},
    )
    return event
