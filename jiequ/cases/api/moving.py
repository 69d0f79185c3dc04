"""What a token may do: report, make a move, rate by phone, take back, upload a photo. Each once for its ``Idempotency-Key``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from jiequ.core import pictures
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.http import WrongType, form_errors
from jiequ.people.rules import Actor, ApiScope

from .. import services
from ..access import case_for
from ..forms import FORMS
from ..models import Case, CaseEvent, Report, Source
from ..services.proving import MOST_PHOTOS
from . import present
from .bodies import BODIES, data_of, refuse_unneeded
from .case_shapes import CODE9, MovedOut, OpenedOut, PictureOut
from .door import REFUSED, Caller, answer, api, by_token, caller_of, described, once, read
from .outside import check_seen_at, community_of, condition_of, contact_of, happened_of, place_of
from .reading import street_of
from .shapes import Strict, Told, refusal_of

MOVE, WRITE = by_token(ApiScope.CASES_MOVE), by_token(ApiScope.REPORTS_WRITE)
PICTURE_LIFE = timedelta(hours=12)
"""Shorter than the day after which a file that no row names is removed (core.picture_files)."""
Handles = Annotated[list[Annotated[str, Field(min_length=20, max_length=400)]], Field(max_length=MOST_PHOTOS)]


# -- photos ----------------------------------------------------------------------------------------------------------


@api.post("/pictures", auth=WRITE, response={201: PictureOut, **REFUSED}, url_name="pictures")
@described(gettext_lazy("上传照片"))
def upload(request: HttpRequest) -> HttpResponse:
    """One photo (multipart field ``photo``) through the one door; the handle is good for the token's owner alone."""
    caller = caller_of(request)
    if request.content_type != "multipart/form-data":
        raise WrongType("wrong_type", _("请用表单发送照片。"), facts={"accepted": ["multipart/form-data"]})
    if unknown := sorted((set(request.FILES) | set(request.POST)) - {"photo"}):
        raise refusal_of([{"loc": (unknown[0],), "type": "extra_forbidden"}])
    files = request.FILES.getlist("photo")
    if len(files) != 1:
        raise refusal_of([{"loc": ("photo",), "type": "missing"}])
    clean = services.cleaned(files)[0]
    told = PictureOut(
        picture=_signer(caller.actor).sign_object([clean.sha256, clean.width, clean.height, clean.size_bytes]),
        width=clean.width,
        height=clean.height,
        ends_at=caller.at + PICTURE_LIFE,
    )
    return once(request, lambda: answer(told, 201))


def _signer(actor: Actor) -> TimestampSigner:
    return TimestampSigner(salt=f"cases.api.picture:{actor.person_id}")


def _opened(handles: Sequence[str], actor: Actor) -> list[pictures.Clean]:
    """The photos behind handles. Refusal for one that is made up, another's, or too old."""
    found = []
    for handle in handles:
        try:
            sha256, width, height, size = _signer(actor).unsign_object(handle, max_age=PICTURE_LIFE)
        except (BadSignature, ValueError, UnicodeError):
            raise Refusal("unknown_picture", _("没有这张照片，请重新上传。"), facts={"field": "pictures"}) from None
        found.append(pictures.Clean(sha256, width, height, size, pictures.Hints()))
    return found


# -- a report --------------------------------------------------------------------------------------------------------


class CaseIn(Told):
    """A report in the name of the token's owner. ``self_handled``: found and put right on the spot, by a grid worker."""

    street: Annotated[str, Field(pattern=CODE9)] | None = None
    source: Literal["staff", "caller", "leader"] = "staff"
    wants_call: bool = False
    self_handled: bool = False
    pictures: Handles = []


@api.post("/cases", auth=WRITE, response={201: OpenedOut, **REFUSED}, url_name="cases")
@described(gettext_lazy("上报"), body=CaseIn)
def open_case(request: HttpRequest) -> HttpResponse:
    """A report becomes a case (``report``), or a case that is closed at once (``self_handle``)."""
    caller, given = caller_of(request), read(request, CaseIn)
    clean = _opened(given.pictures, caller.actor)
    return once(request, lambda: _open(caller, given, clean))


def _open(caller: Caller, given: CaseIn, clean: list[pictures.Clean]) -> HttpResponse:
    actor, at = caller.actor, caller.at
    check_seen_at(given.seen_at, at)
    community_id, street_id = community_of(given.community)
    if given.street:
        street_id = street_of(actor, given.street).pk
    street_id = street_id or actor.only_street or actor.street_id
    account = services.Account(
        source=Source(given.source),
        words=given.words.strip(),
        place=place_of(given, community_id),
        pictures=[pictures.keep(one, street_id=street_id or 0, at=at) for one in clean],
        contact=contact_of(given),
        condition_id=condition_of(given),
        is_urgent=given.urgent,
        is_confidential=given.confidential,
        wants_call=given.wants_call,
        seen_at=given.seen_at,
        happened=happened_of(given.happened_from, given.happened_until, at),
    )
    do = services.self_handle if given.self_handled else services.report_case
    done = do(street_id=street_id, account=account, by=actor, at=at)
    return answer(_opened_case(done.case, done.report), 201)


def _opened_case(case: Case, report: Report) -> OpenedOut:
    return OpenedOut(number=case.number, version=case.version, state=case.state, report=report.pk, url=present.url_of(case))


# -- a move ----------------------------------------------------------------------------------------------------------


@api.post(
    "/cases/{number}/moves/{move}", auth=MOVE, response={200: MovedOut, **REFUSED}, url_name="move"
)  # fmt: skip
@described(gettext_lazy("办理一步"))
def move(request: HttpRequest, number: str, move: str) -> HttpResponse:
    """One move by its form: the same fields, the same service, the same refusals as on the page."""
    if move not in FORMS:
        raise NotFound("move_not_found", "")
    caller, given = caller_of(request), read(request, BODIES[move])
    clean = _opened(getattr(given, "pictures", ()), caller.actor)
    return once(request, lambda: _move(caller, number, move, given, clean))


def _move(caller: Caller, number: str, name: str, given: Strict, clean: list[pictures.Clean]) -> HttpResponse:
    actor, at = caller.actor, caller.at
    case = case_for(actor, number)
    data = data_of(given, FORMS[name], case, at)
    form = FORMS[name](data, case=case, actor=actor, at=at)
    refuse_unneeded(data, form)
    if not form.is_valid():
        raise form_errors(form)
    shown = [_shown(one, case.street_id, form.photo_phase, at) for one in clean]
    done = form.call(version=getattr(given, "version", None), shown=shown, **form.cleaned_data)
    return answer(_moved(case, done))


def _shown(clean: pictures.Clean, street_id: int, phase: str, at: datetime) -> services.Shown:
    return services.Shown(phase=phase, picture=pictures.keep(clean, street_id=street_id, at=at))


def _moved(case: Case, done: Any) -> MovedOut:
    event = done if isinstance(done, CaseEvent) else None
    made = done.case.number if isinstance(done, services.Reported) and done.case.pk != case.pk else None
    return MovedOut(
        number=case.number,
        version=case.version,
        state=case.state,
        event=event.pk if event else None,
        undo_until=services.undo_until(event, case) if event else None,
        made=made,
        url=present.url_of(case),
    )


# -- other voices ----------------------------------------------------------------------------------------------------


class MeTooIn(Strict):
    """Somebody else who met the same."""

    words: Annotated[str, Field(max_length=2000)] = ""
    contact_name: Annotated[str, Field(max_length=40)] = ""
    contact_phone: Annotated[str, Field(max_length=30)] = ""
    pictures: Handles = []


@api.post(
    "/cases/{number}/me-too", auth=WRITE, response={201: OpenedOut, **REFUSED}, url_name="me_too"
)  # fmt: skip
@described(gettext_lazy("同一件事的又一次上报"), body=MeTooIn)
def me_too(request: HttpRequest, number: str) -> HttpResponse:
    """Another report of a matter that is already known."""
    caller, given = caller_of(request), read(request, MeTooIn)
    clean = _opened(given.pictures, caller.actor)

    def run() -> HttpResponse:
        case = case_for(caller.actor, number)
        name, phone = given.contact_name.strip(), given.contact_phone.strip()
        account = services.Account(
            source=Source.STAFF,
            words=given.words.strip(),
            pictures=[pictures.keep(one, street_id=case.street_id, at=caller.at) for one in clean],
            contact=services.Contact(name=name, phone=phone) if name or phone else None,
        )
        done = services.me_too(case, account=account, by=caller.actor, at=caller.at)
        return answer(_opened_case(done.case, done.report), 201)

    return once(request, run)


class RatingIn(Strict):
    """A verdict taken by phone."""

    is_solved: bool
    satisfaction: Annotated[int, Field(ge=1, le=5)]
    text: Annotated[str, Field(max_length=1000)] = ""


@api.post(
    "/cases/{number}/reports/{int:report_id}/rating", auth=MOVE, response={200: MovedOut, **REFUSED}, url_name="rating"
)  # fmt: skip
@described(gettext_lazy("电话回访记下的评价"), body=RatingIn)
def rate(request: HttpRequest, number: str, report_id: int) -> HttpResponse:
    """A reporter's rating, taken by phone by an acceptor."""
    caller, given = caller_of(request), read(request, RatingIn)

    def run() -> HttpResponse:
        case = case_for(caller.actor, number)
        report = case.reports.select_related("street").filter(pk=report_id).first()
        if report is None:
            raise NotFound("report_not_found", _("没有找到这条上报。"))
        services.rate(case, report=report, by=caller.actor, at=caller.at, **given.model_dump())
        return answer(_moved(case, None))

    return once(request, run)


# -- back ------------------------------------------------------------------------------------------------------------


@api.post("/undo/{int:event_id}", auth=MOVE, response={200: MovedOut, **REFUSED}, url_name="undo")
@described(gettext_lazy("撤回"), body=Strict)
def undo(request: HttpRequest, event_id: int) -> HttpResponse:
    """Take back the owner's own last move, within ten seconds, before any notice has left."""
    caller = caller_of(request)
    read(request, Strict)

    def run() -> HttpResponse:
        return answer(_moved(services.undo(event_id, by=caller.actor, at=caller.at), None))

    return once(request, run)
