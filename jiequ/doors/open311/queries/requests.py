"""Which cases everybody may read of, and what of them: number, type, state, times, department, and the unit grid they lie in.

Never who reported, what they wrote, or the point they gave: a complaint's point may be somebody's home. Whoever has a key and
may see the case as its owner reads the point and the masked words too (``details``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, CharField, Exists, OuterRef, Q, QuerySet, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jiequ.cases import words
from jiequ.cases.flow import State
from jiequ.cases.models import Case, Report
from jiequ.cases.public_words import public
from jiequ.cases.queries.types import TypeChoice, current_types, said
from jiequ.people.rules import Actor

from ..models import Direction, HiddenType, Mirror, PublishedPhoto
from ..rules import CLOSED, MOST, OPEN, service_code, told

PLACES = 3
"""Decimals of a point that lies in no unit grid: about a hundred metres."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is narrowed by; ``before`` is the key of the last row of the page before (newest first)."""

    start: datetime
    end: datetime
    types: tuple[int, ...] | None = None
    is_open: bool | None = None
    before: tuple[datetime, int] | None = None


def published(street_id: int) -> QuerySet[Case]:
    """The cases of a street that everybody may read of.

    Not: what has no type yet, a type marked not public, 举报, what is held as suspected abuse, and what we only mirror from
    another GeoReport server, which publishes it itself (so no two servers can hand one matter back and forth).
    """
    mirrored = Mirror.objects.filter(case=OuterRef("pk"), direction=Direction.IN)
    found = Case.objects.filter(~Exists(mirrored), street_id=street_id, event_type__isnull=False, condition__isnull=False)
    return tellable(found.exclude(event_type_id__in=HiddenType.objects.values("event_type_id")))


def tellable(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Those of which another system may be told at all: not 举报 (nor a type marked so after it was filed), nor what is held.

    Asked anew whenever something is about to leave, for a case may become one of them at any step.
    """
    if secret := [one.id for major in current_types() for one in major.types if one.is_confidential]:
        cases = cases.exclude(event_type_id__in=secret)
    return cases.filter(is_confidential=False, is_suspect=False)


def narrowed(cases: QuerySet[Case], asked: Asked) -> QuerySet[Case]:
    """Those that were asked for, newest first, from the key on."""
    found = cases.filter(reported_at__gte=asked.start, reported_at__lte=asked.end)
    if asked.types is not None:
        found = found.filter(event_type_id__in=asked.types)
    if asked.is_open is not None:
        found = found.filter(ended_at__isnull=asked.is_open)
    if asked.before is not None:
        at, pk = asked.before
        found = found.filter(Q(reported_at__lt=at) | Q(reported_at=at, pk__lt=pk), reported_at__lte=at)
    return found.order_by("-reported_at", "-pk")


_FIELDS = (
    *("pk", "number", "state", "reason_code", "reported_at", "changed_at", "ended_at", "promised_at", "lon", "lat"),
    *("event_type_id", "condition__name_zh", "condition__name_en", "condition__edition__name_zh"),
    *("condition__edition__name_en", "event_type__kind", "event_type__code", "lead__name_zh", "lead__name_en"),
    *("community__name_zh", "community__name_en", "unit_grid__code15", "unit_grid__lon", "unit_grid__lat", "source"),
    *("merged_into__number", "open311_publication__words"),
)


@dataclass(frozen=True, slots=True)
class Read:
    """A page of requests as the specification has them, in order; ``last`` is the key to go on from."""

    rows: list[dict[str, Any]]
    last: tuple[datetime, int] | None


def read(cases: QuerySet[Case], *, most: int = MOST, actor: Actor | None = None, is_extended: bool = False) -> Read:
    """The first ``most`` of them. Two SELECTs (cases; what hangs on them), one more for a key's owner."""
    found: list[Sequence[Any]] = list(cases.values_list(*_FIELDS)[:most])
    ids = [row[0] for row in found]
    photos, others = attached(ids, is_extended=is_extended)
    more = details(ids, actor) if actor is not None else {}
    teller = _Teller()
    rows = [teller.request(row, photos.get(row[0], ()), more.get(row[0])) for row in found]
    for row, told_row in zip(found, rows, strict=True) if is_extended else ():
        told_row["extended_attributes"] = teller.extension(row, photos.get(row[0], ()), others.get(row[0], []))
    return Read(rows, (found[-1][4], found[-1][0]) if found else None)


def attached(case_ids: Iterable[int], *, is_extended: bool) -> tuple[dict[int, list[int]], dict[int, list[str]]]:
    """What hangs on each case: its published proofs, and (``is_extended``) the numbers under which it was handed to other
    servers: whoever reads both takes it for one. One SELECT."""
    ids = list(case_ids)
    rows = PublishedPhoto.objects.filter(case_id__in=ids).values_list("case_id", "proof_id", Value("", CharField()))
    if is_extended:
        handed = Mirror.objects.filter(case_id__in=ids, direction=Direction.OUT).exclude(request_id="")
        rows = rows.union(handed.values_list("case_id", Value(0, BigIntegerField()), "request_id"), all=True)
    photos: dict[int, list[int]] = {}
    others: dict[int, list[str]] = {}
    for case_id, proof_id, number in sorted(rows):
        if number:
            others.setdefault(case_id, []).append(number)
        else:
            photos.setdefault(case_id, []).append(proof_id)
    return photos, others


@dataclass(frozen=True, slots=True)
class Detail:
    """What a key's owner may read beyond what everybody may."""

    words: str
    address: str
    lon: float | None
    lat: float | None
    reply: str


def details(case_ids: Iterable[int], actor: Actor) -> dict[int, Detail]:
    """Of those cases that the actor may see: the first report's words (masked), the place as told, the reply. One SELECT."""
    seen = Case.objects.visible_to(actor).filter(pk__in=list(case_ids)).values("pk")
    rows = Report.objects.filter(case__in=seen).order_by("-pk")
    fields = ("case_id", "words", "case__address", "case__lon", "case__lat", "case__reply")
    return {
        case_id: Detail(_shown(text), _shown(address), lon, lat, _shown(reply))
        for case_id, text, address, lon, lat, reply in rows.values_list(*fields)
    }


def _shown(text: str) -> str:
    """For a stranger with a key: personal data masked, and any long run of digits."""
    return public(words.masked(text))


class _Teller:
    """Writes requests; holds what is the same for all of a page."""

    def __init__(self) -> None:
        self.language = get_language()
        self.zone = timezone.get_default_timezone()
        self.states = {state.value: str(text) for state, text in words.STATES.items()}  # type: ignore[attr-defined]
        self.photo_at = settings.BASE_URL + reverse("open311:photo", args=[0]).removesuffix("0")
        self.limits: dict[tuple[int, str], str] = {}
        for choice in (one for major in current_types() for one in major.types):
            self._keep(choice)

    def _keep(self, choice: TypeChoice) -> None:
        for one in choice.conditions:
            self.limits[choice.id, one.name] = one.limit

    def at(self, moment: datetime | None) -> str | None:
        """A moment in the installation's zone; None for none."""
        return None if moment is None else told(moment.astimezone(self.zone))

    def request(self, row: Sequence[Any], photos: Sequence[int], more: Detail | None) -> dict[str, Any]:
        """One row as the specification has it; fields that we do not know are empty."""
        # fmt: off
        (_pk, number, state, reason, reported_at, changed_at, ended_at, promised_at, lon, lat,
         type_id, what_zh, what_en, name_zh, name_en, kind, code, lead_zh, lead_en,
         community_zh, community_en, grid, grid_lon, grid_lat, _source, into, publication) = row
        # fmt: on
        language = self.language
        what = said(what_zh, what_en, language)
        if grid is not None:
            lon, lat = grid_lon, grid_lat
        elif lon is not None:
            lon, lat = round(lon, PLACES), round(lat, PLACES)
        address: str | None = said(community_zh, community_en, language) if community_zh else None
        description: str = publication or (more.words if more else "") or what
        if more is not None:
            lon, lat = (more.lon, more.lat) if more.lon is not None else (lon, lat)
            address = ", ".join(part for part in (more.address, address) if part)
        limit = self.limits.get((type_id, what))
        request = {
            "service_request_id": number,
            "status": OPEN if ended_at is None else CLOSED,
            "status_notes": self._notes(state, reason, into, more),
            "service_name": said(name_zh, name_en, language),
            "service_code": service_code(kind, code),
            "description": description,
            "agency_responsible": said(lead_zh, lead_en or "", language) if lead_zh else None,
            "service_notice": _("处置时限 %(limit)s") % {"limit": limit} if limit else None,
            "requested_datetime": self.at(reported_at),
            "updated_datetime": self.at(ended_at or changed_at),
            "expected_datetime": self.at(promised_at),
            "address": address or None,
            "address_id": grid,
            "zipcode": None,
            "lat": lat,
            "long": lon,
            "media_url": f"{self.photo_at}{photos[0]}" if photos else None,
        }
        return request

    def extension(self, row: Sequence[Any], photos: Sequence[int], others: list[str]) -> dict[str, Any]:
        """What the standard has no field for: our own state, the source, every published photo, numbers at other servers."""
        return {
            "state": row[_FIELDS.index("state")],
            "source": row[_FIELDS.index("source")],
            "photos": [{"media_url": f"{self.photo_at}{one}"} for one in photos],
            "elsewhere": others,
        }

    def _notes(self, state: str, reason: str, into: str | None, more: Detail | None) -> str:
        parts = [self.states[state]]
        if reason and state in (State.REJECTED, State.CANCELLED):
            parts.append(words.reason_words(reason))
        if into:
            parts.append(_("并入 %(number)s") % {"number": into})
        if more is not None and more.reply:
            parts.append(more.reply)
        return "；".join(parts)
