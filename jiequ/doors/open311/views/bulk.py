"""Open data: a month of requests as CSV (the GeoReport bulk specification's columns), and published photos."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jiequ.core import clock, pictures
from jiequ.core.cells import plain_cell
from jiequ.core.errors import NotFound, Refusal
from jiequ.people.access import public

from .. import keys, rules, wire
from ..models import PublishedPhoto
from ..queries import offers, requests

COLUMNS = (
    *("service_request_id", "requested_datetime", "updated_datetime", "closed_date", "status_description", "status_notes"),
    *("source", "service_name", "service_subtype", "description", "agency_responsible", "address", "lat", "long"),
)
_MONTH = re.compile(r"(?P<year>20\d{2})-(?P<month>0[1-9]|1[0-2])", re.ASCII)


@public
@require_safe
def requests_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """One month of a street, the newest first; read in thousands while it is sent."""
    keys.reader(request)
    street = offers.street_of(request.GET.get("jurisdiction_id", ""))
    month = request.GET.get("month", "").strip() or timezone.localtime(clock.now()).strftime("%Y-%m")
    start, end = _month(month)
    told = StreamingHttpResponse(_lines(street.pk, start, end, get_language()), content_type=wire.CSV_TYPE)
    told["Content-Disposition"] = f'attachment; filename="requests-{street.code9}-{month}.csv"'
    told["Access-Control-Allow-Origin"] = "*"
    told["Cache-Control"] = "no-store"
    return told


def _month(text: str) -> tuple[datetime, datetime]:
    found = _MONTH.fullmatch(text)
    if found is None:
        raise Refusal("bad_month", _("month 要写成 2026-03。"), facts={"field": "month"})
    zone = timezone.get_default_timezone()
    start = datetime(int(found["year"]), int(found["month"]), 1, tzinfo=zone)
    after = (start + timedelta(days=32)).replace(day=1)
    return start, after - timedelta(microseconds=1)


def _lines(street_id: int, start: datetime, end: datetime, language: str | None) -> Iterator[str]:
    yield _line(COLUMNS)
    before = None
    while True:
        with override(language):
            asked = requests.Asked(start=start, end=end, before=before)
            read = requests.read(requests.narrowed(requests.published(street_id), asked), is_extended=True)
            yield "".join(_line(_cells(row)) for row in read.rows)
        before = read.last
        if len(read.rows) < rules.MOST:
            return


def _cells(row: dict[str, Any]) -> list[str]:
    closed = row["updated_datetime"] if row["status"] == rules.CLOSED else ""
    values = row | {
        "closed_date": closed,
        "status_description": row["status"],
        "source": row["extended_attributes"]["source"],
        "service_subtype": "",
    }
    return [plain_cell(str(values[name])) if values[name] is not None else "" for name in COLUMNS]


def _line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue()


@public
@require_safe
def photo(request: HttpRequest, proof_id: int) -> HttpResponse:
    """A photo that the desk published, of a case that everybody may read of now. Missing and hidden are told alike."""
    keys.reader(request)
    streets = [one.street_id for one in offers.openings()]
    of_cases = Q()
    for street_id in streets:
        of_cases |= Q(case__in=requests.published(street_id).values("pk"))
    found = PublishedPhoto.objects.filter(of_cases, proof_id=proof_id) if streets else PublishedPhoto.objects.none()
    one = found.select_related("proof__picture").first()
    if one is None or one.proof.picture is None:
        raise NotFound("no_such_photo", _("没有这张照片。"))
    told = pictures.response(one.proof.picture, request=request)
    told["Cross-Origin-Resource-Policy"] = "cross-origin"
    return told
