"""The form above the figures: streets, kinds of period, the period in front and the one behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiequ.cases.queries.types import said
from jiequ.people.access import actor_of

from ..periods import KINDS, Period, around, before
from ..queries import asking
from ..queries.asking import Asked, day_of, place_of, span_of, whole
from ..services.exporting import FORMS

__all__ = ["Asked", "asked_of", "day_of", "export_of", "frame", "whole"]


def asked_of(request: HttpRequest, at: datetime, *, kind: str = "month") -> Asked:
    """The question of a request."""
    return asking.of(request.GET, actor_of(request), at, kind=kind)


def frame(asked: Asked) -> dict[str, Any]:
    """What the form above the figures shows: streets, kinds of period, the one in front and the one behind."""
    earlier = before(asked.period)
    later = around(asked.period.kind, asked.period.until) if asked.period.kind != "any" else None
    kinds = {"day": _("日"), "week": _("周"), "month": _("月"), "quarter": _("季"), "any": _("任选")}
    return {
        "asked": asked,
        "streets": [(street.pk, said(street.name_zh, street.name_en)) for street in asked.all_streets],
        "kinds": [(kind, kinds[kind]) for kind in KINDS],
        "kind": asked.period.kind,
        "since": asked.period.since,
        "last": asked.period.last,
        "is_past": asked.period.last < asked.today,
        "place": place_of(asked),
        "span": span_of(asked.period),
        "earlier": _around(asked, earlier),
        "later": _around(asked, later) if later and later.since <= asked.today else "",
        "query": asked.query(),
    }


def _around(asked: Asked, period: Period) -> str:
    if period.kind == "any":
        return asked.query(since=period.since.isoformat(), last=period.last.isoformat())
    return asked.query(day=period.since.isoformat())


def export_of(asked: Asked, what: str, **more: Any) -> dict[str, Any]:
    """What the export buttons of a page send."""
    stored = asked.stored()
    stored.pop("streets")
    fields = stored | {name: value for name, value in more.items() if value not in ("", None)}
    return {"what": what, "export_fields": list(fields.items()), "export_forms": FORMS[what]}
