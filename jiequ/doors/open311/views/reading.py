"""What everybody may read: discovery, services, requests, tokens, updates. Each once as XML and once as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from jiequ.cases.models import EventType
from jiequ.cases.queries.types import type_by_code
from jiequ.core import clock
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.access import public

from .. import keys, rules, wire
from ..queries import offers, requests, updates
from ..services import posting as posted
from ..speech import answer, known
from . import posting

FIRST = "2026-11-27 00:00"
DEEPEST = 20_000
MOST_IDS = 200
SECONDS = 60


@public
@require_safe
def discovery(request: HttpRequest, form: str) -> HttpResponse:
    """Where the door is, and whom to ask."""
    known(form)
    keys.reader(request)
    found = offers.openings()
    changed = offers.changed_at()
    changeset = changed.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if changed else FIRST
    contact = "；".join(f"{one.street.code9} {one.street}：{one.contact}" for one in found)
    told = {
        "changeset": changeset,
        "contact": contact or _("还没有街道开放。"),
        "key_service": _("请向街道的系统管理员申请令牌（权限范围 open311）：%(url)s")
        % {"url": settings.BASE_URL + "/open311/"},
        "endpoints": [
            {
                "specification": rules.SPECIFICATION,
                "url": settings.BASE_URL + reverse("open311:root").rstrip("/"),
                "changeset": changeset,
                "type": "production",
                "formats": [wire.XML_TYPE.partition(";")[0], wire.JSON_TYPE.partition(";")[0]],
            }
        ],
    }
    return answer(form, "discovery", told, seconds=SECONDS)


@public
@require_safe
def services(request: HttpRequest, form: str) -> HttpResponse:
    """The service list."""
    known(form)
    keys.reader(request)
    offers.street_of(request.GET.get("jurisdiction_id", ""))
    return answer(form, "services", [offers.service(one) for one in offers.offered()], seconds=SECONDS)


@public
@require_safe
def service(request: HttpRequest, service_code: str, form: str) -> HttpResponse:
    """One service's definition."""
    known(form)
    keys.reader(request)
    offers.street_of(request.GET.get("jurisdiction_id", ""))
    told = offers.definition(offers.service_named(service_code))
    return answer(form, "service_definition", told, seconds=SECONDS)


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
def request_list(request: HttpRequest, form: str) -> HttpResponse:
    """Requests: GET reads, POST hands one in."""
    known(form)
    if request.method == "POST":
        return posting.report(request, form)
    at = clock.now()
    caller = keys.reader(request, at=at)
    street = offers.street_of(request.GET.get("jurisdiction_id", ""))
    cases = requests.published(street.pk)
    page, size = page_of(request)
    numbers = rules.listed(request.GET.get("service_request_id", ""))
    if numbers:
        found = cases.filter(number__in=_few(numbers)).order_by("-reported_at", "-pk")
    else:
        found = requests.narrowed(cases, asked_of(request, at))
        found = found[(page - 1) * size :]
    actor = caller.actor if caller else None
    read = requests.read(found, most=size, actor=actor, is_extended=_is_extended(request))
    told = answer(form, "service_requests", read.rows, is_public=caller is None)
    if not numbers and len(read.rows) == size and read.last:
        told["Link"] = f'<{_next(request, read.last)}>; rel="next"'
    return told


@public
@require_safe
def one_request(request: HttpRequest, request_id: str, form: str) -> HttpResponse:
    """One request. Missing and hidden are told alike."""
    known(form)
    caller = keys.reader(request)
    street = offers.street_of(request.GET.get("jurisdiction_id", ""))
    found = requests.published(street.pk).filter(number=request_id)
    read = requests.read(found, most=1, actor=caller.actor if caller else None, is_extended=_is_extended(request))
    if not read.rows:
        raise NotFound("no_such_request", _("没有这个 service_request_id。"))
    return answer(form, "service_requests", read.rows, is_public=caller is None)


@public
@require_safe
def token(request: HttpRequest, handle: str, form: str) -> HttpResponse:
    """The number of the request that a token was given for."""
    known(form)
    keys.reader(request)
    street = offers.street_of(request.GET.get("jurisdiction_id", ""))
    report = posted.report_of_token(handle, street.pk)
    told = [{"service_request_id": report.origin.number, "token": handle}]
    return answer(form, "service_requests", told, is_public=False)


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
def update_list(request: HttpRequest, form: str) -> HttpResponse:
    """Updates of requests (an extension): GET reads the steps of a span, POST hands one in."""
    known(form)
    if request.method == "POST":
        return posting.update(request, form)
    at = clock.now()
    keys.reader(request, at=at)
    street = offers.street_of(request.GET.get("jurisdiction_id", ""))
    start, end = span_of(request, at)
    page, size = page_of(request)
    numbers = rules.listed(request.GET.get("service_request_id", ""))
    told = updates.updates(
        requests.published(street.pk),
        start,
        end,
        numbers=_few(numbers) if numbers else None,
        skip=(page - 1) * size,
        most=size,
    )
    return answer(form, "service_request_updates", told)


# -- what was asked ----------------------------------------------------------------------------------------------------


def asked_of(request: HttpRequest, at: datetime) -> requests.Asked:
    """The filters of a list. Refusal names what is wrong."""
    start, end = span_of(request, at)
    states = {one.lower() for one in rules.listed(request.GET.get("status", ""))}
    if unknown := states - {rules.OPEN, rules.CLOSED}:
        text = _("不认识的 status：%(values)s；只有 open 和 closed。") % {"values": ", ".join(sorted(unknown))[:60]}
        raise Refusal("bad_status", text, facts={"field": "status"})
    return requests.Asked(
        start=start,
        end=end,
        types=types_of(rules.listed(request.GET.get("service_code", ""))),
        is_open=None if len(states) != 1 else states == {rules.OPEN},
        before=_key_of(request.GET.get("cursor", "")),
    )


def span_of(request: HttpRequest, at: datetime) -> tuple[datetime, datetime]:
    """The span of a list; Refusal for times that are none, and for more than ninety days."""
    moments: dict[str, datetime | None] = {}
    for name in ("start_date", "end_date"):
        text = request.GET.get(name, "").strip()
        try:
            moments[name] = rules.moment(text, is_end=name == "end_date") if text else None
        except (ValueError, OverflowError):
            text = _("%(name)s 要是 W3C 格式的时间，例如 2026-03-04T10:00:00+08:00。") % {"name": name}
            raise Refusal("bad_moment", text, facts={"field": name}) from None
    try:
        return rules.window(moments["start_date"], moments["end_date"], at=at)
    except (ValueError, OverflowError):
        text = _("start_date 要在 end_date 之前，相隔不超过 90 天。")
        raise Refusal("bad_span", text, facts={"field": "start_date"}) from None


def types_of(codes: list[str]) -> tuple[int, ...] | None:
    """The event types of service codes; a code that nobody knows finds nothing. None for all. One SELECT at most."""
    if not codes:
        return None
    found, others = [], Q(pk__in=())
    for code in codes[:MOST_IDS]:
        kind, type_code = rules.type_of(code)
        choice = type_by_code(kind, type_code)
        if choice is not None:
            found.append(choice.id)
        else:
            others |= Q(kind=kind, code=type_code)
    if len(found) < len(codes):
        found += EventType.objects.filter(others).values_list("pk", flat=True)
    return tuple(found)


def page_of(request: HttpRequest) -> tuple[int, int]:
    """``page`` (from 1) and ``page_size`` (1 to 1,000; the specification's thousand without it)."""
    page, size = _whole(request, "page", 1), _whole(request, "page_size", rules.MOST)
    if not 1 <= size <= rules.MOST or page < 1:
        text = _("page 从 1 开始，page_size 是 1 至 1000。")
        raise Refusal("bad_page", text, facts={"field": "page"})
    if (page - 1) * size > DEEPEST:
        text = _("页数太深。请按 Link 请求头里的 next 地址往下读。")
        raise Refusal("too_deep", text, facts={"field": "page"})
    return page, size


def _whole(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "").strip()
    if not text:
        return otherwise
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1


def _few(numbers: list[str]) -> list[str]:
    if len(numbers) > MOST_IDS:
        text = _("一次最多问 %(n)d 个 service_request_id。") % {"n": MOST_IDS}
        raise Refusal("too_many_ids", text, facts={"field": "service_request_id"})
    return numbers


def _is_extended(request: HttpRequest) -> bool:
    return request.GET.get("extensions", "").strip().lower() in {"true", "1"}


def _key_of(text: str) -> tuple[datetime, int] | None:
    if not text.strip():
        return None
    moment, _dash, pk = text.strip().partition("-")
    try:
        return datetime.fromtimestamp(int(moment) / 1_000_000, UTC), int(pk)
    except (ValueError, OverflowError, OSError):
        raise Refusal("bad_cursor", _("cursor 不对，请从第一页开始。"), facts={"field": "cursor"}) from None


def _next(request: HttpRequest, last: tuple[datetime, int]) -> str:
    """The address of what follows: the same question from this key on."""
    query: Any = request.GET.copy()
    query.pop("page", None)
    at, pk = last
    query["cursor"] = f"{round(at.timestamp() * 1_000_000)}-{pk}"
    return f"{settings.BASE_URL}{request.path}?{query.urlencode()}"
