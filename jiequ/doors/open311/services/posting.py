"""What a key's holder hands in: a request, and an update to one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.cases import services as cases
from jiequ.cases.access import case_for
from jiequ.cases.flow import ENDED, State
from jiequ.cases.models import Case, Report, Source
from jiequ.cases.queries.types import ConditionChoice, TypeChoice
from jiequ.cases.services.intake import site_of
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Taken
from jiequ.grid.queries import plate
from jiequ.people.rules import Actor

from ..models import TakenUpdate
from ..rules import CLOSED, LONGEST_DESCRIPTION, OPEN, moment
from . import media

_REFERENCE = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_LATEST = timedelta(minutes=5)
_EARLIEST_YEAR = 2000
_SALT = "open311.token"


@dataclass(frozen=True, slots=True)
class Given:
    """A posted form: the fields the specification names, its attributes by code, and the caller's own reference."""

    fields: Mapping[str, str]
    attributes: Mapping[str, list[str]]
    reference: str = ""

    def text(self, name: str) -> str:
        """A field without the blanks around it; "" where there is none."""
        return self.fields.get(name, "").strip()


def caller_name(token_id: int) -> str:
    """What stands on the reports of a key, and goes with its references."""
    return f"open311:{token_id}"


def report(given: Given, choice: TypeChoice, *, street_id: int, token_id: int, by: Actor, at: datetime) -> tuple[Case, Report]:
    """Store a request. A reference that came before gives the case it gave then; with other content it is Taken.

    Raises Refusal for what is missing or wrong, Forbidden where the key's owner may not report.
    """
    if given.reference and not _REFERENCE.fullmatch(given.reference):
        raise Refusal("bad_reference", _("Idempotency-Key 须为 1 至 100 位字母、数字或 . _ : -"))
    account = _account(given, choice, caller_name(token_id), at)
    if site_of(account.place, street_id).street_id != street_id:
        raise Refusal("other_jurisdiction", _("这个位置不在该 jurisdiction_id 的范围内。"), facts={"field": "lat"})
    url = media.checked(given.text("media_url"))
    with writing():
        done = cases.report_case(street_id=street_id, account=account, by=by, at=at)
        if done.is_new and url:
            media.ask(done.report, url, at=at)
    return done.case, done.report


def _account(given: Given, choice: TypeChoice, caller: str, at: datetime) -> cases.Account:
    words = given.text("description")
    if len(words) > LONGEST_DESCRIPTION:
        raise Refusal("description_too_long", _("description 最多 4000 字。"), facts={"field": "description"})
    name = " ".join(part for part in (given.text("last_name"), given.text("first_name")) if part)
    phone = given.text("phone")
    said = "\0".join(f"{key}={value}" for key, value in sorted(given.fields.items()) if key != "api_key")
    said += "\0" + "\0".join(f"{key}={','.join(values)}" for key, values in sorted(given.attributes.items()))
    return cases.Account(
        source=Source.OUTSIDE,
        words=words or choice.name,
        place=_place(given),
        contact=cases.Contact(name=name[:40], phone=phone) if name or phone else None,
        condition_id=_condition(given, choice).id,
        seen_at=_seen_at(given, at),
        system=caller,
        source_ref=given.reference,
        said_hash=cases.said_hash(said) if given.reference else "",
        words_most=LONGEST_DESCRIPTION,
    )


def _place(given: Given) -> cases.Place:
    lat, lon = given.text("lat"), given.text("long")
    words = given.text("address_string")
    if len(words) > 200:
        raise Refusal("address_too_long", _("address_string 最多 200 字。"), facts={"field": "address_string"})
    if lat or lon:
        return cases.Place(_degrees(lon, "long"), _degrees(lat, "lat"), "wgs84", words=words)
    if code := given.text("address_id"):
        found = plate(code)
        if found is None:
            raise Refusal("unknown_address_id", _("没有这个 address_id：请给单元网格的 15 位编码。"))
        return cases.Place(unit_grid_id=found.unit_grid_id, words=words)
    if not words:
        raise Refusal("place_missing", _("请给出 lat 和 long，或 address_string，或 address_id。"))
    return cases.Place(words=words)


def _degrees(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Refusal("bad_point", _("%(name)s 要是一个数字，lat 和 long 要一起给。") % {"name": name}) from None


def _condition(given: Given, choice: TypeChoice) -> ConditionChoice:
    keys = {one.key: one for one in choice.conditions}
    chosen = (given.attributes.get("condition") or [""])[0]
    if not chosen and len(keys) == 1:
        return next(iter(keys.values()))
    if chosen not in keys:
        text = _("请给出 attribute[condition]，可选：%(keys)s") % {"keys": ", ".join(keys)}
        raise Refusal("condition_missing", text, facts={"field": "attribute[condition]"})
    return keys[chosen]


def _seen_at(given: Given, at: datetime) -> datetime | None:
    text = (given.attributes.get("seen_at") or [""])[0].strip()
    if not text:
        return None
    try:
        seen = moment(text)
    except ValueError:
        raise Refusal("bad_seen_at", _("attribute[seen_at] 要是带时区的时间，例如 2026-03-04T10:00:00+08:00。")) from None
    if not seen.year >= _EARLIEST_YEAR or seen > at + _LATEST:
        raise Refusal("bad_seen_at", _("attribute[seen_at] 太早，或在将来，请核对。"))
    return seen


# -- a token for whoever asks for one ----------------------------------------------------------------------------------


def token_of(report: Report) -> str:
    """A token that leads to the request's number and cannot be guessed; nothing is stored for it."""
    return signing.Signer(sep=".", salt=_SALT).sign(str(report.pk))


def report_of_token(token: str, street_id: int) -> Report:
    """The report of a token of this street; NotFound for any other, said alike. One SELECT."""
    try:
        pk = int(signing.Signer(sep=".", salt=_SALT).unsign(token))
    except (signing.BadSignature, ValueError):
        raise _no_token() from None
    found = Report.objects.select_related("origin").filter(pk=pk, street_id=street_id).first()
    if found is None:
        raise _no_token()
    return found


def _no_token() -> NotFound:
    return NotFound("no_such_token", _("没有这个 token。"))


# -- an update -----------------------------------------------------------------------------------------------------------


def update(given: Given, *, street_id: int, token_id: int, by: Actor, at: datetime) -> str:
    """A caller's update of a request: a note on the case, or 重新办理 where it says ``open`` of a closed one.

    Its number with us. Whether a case is closed is for the street to say: ``closed`` is noted. NotFound for a case that the
    key's owner may not see.
    """
    number, text, status = given.text("service_request_id"), given.text("description"), given.text("status").lower()
    if not number:
        raise Refusal("request_missing", _("请给出 service_request_id。"), facts={"field": "service_request_id"})
    if status not in ("", OPEN, CLOSED):
        raise Refusal("bad_status", _("status 只能是 open 或 closed。"), facts={"field": "status"})
    if not text and not status:
        raise Refusal("nothing_said", _("请给出 description 或 status。"), facts={"field": "description"})
    case = case_for(by, number)
    if case.street_id != street_id:
        raise NotFound("case_not_found", _("没有找到这个案件，或您无权查看。"))
    caller, key = caller_name(token_id), given.text("update_id") or given.reference
    if len(key) > 100:
        raise Refusal("bad_update_id", _("update_id 最多 100 字。"), facts={"field": "update_id"})
    said = cases.said_hash(number, status, text)
    if known := _known(caller, key, said):
        return known
    try:
        with writing():
            event_id = _told(case, text, status, by=by, at=at)
            if key:
                TakenUpdate.objects.create(caller=caller, update_id=key, said_hash=said, case=case, event_id=event_id, at=at)
    except IntegrityError:
        if known := _known(caller, key, said):
            return known
        raise
    return str(event_id)


def _known(caller: str, key: str, said: str) -> str:
    found = TakenUpdate.objects.filter(caller=caller, update_id=key).first() if key else None
    if found is None:
        return ""
    if found.said_hash != said:
        raise Taken("update_taken", _("这个 update_id 已经用于别的内容，请换一个。"), facts={"field": "update_id"})
    return str(found.event_id)


def _told(case: Case, text: str, status: str, *, by: Actor, at: datetime) -> int:
    if status == OPEN and case.state == State.CLOSED:
        return cases.reopen(case, text=text or _("对方要求重新办理"), by=by, at=at).pk
    if case.state in ENDED:
        raise Refusal("case_ended", _("这个案件已经办结，不能再补充。"))
    if not text or status == CLOSED:
        text = f"{_('对方状态：%(status)s') % {'status': status}}。{text}"
    return cases.note(case, text=text[:LONGEST_DESCRIPTION], by=by, at=at).pk


def may_report(by: Actor, street_id: int) -> None:
    """Forbidden where the key's owner has no seat in the street: said before anything is read."""
    if not by.may_enter(street_id) or not by.roles_in(street_id):
        raise Forbidden("not_your_street", _("这个 api_key 不能用于该 jurisdiction_id。"))
