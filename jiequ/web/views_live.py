"""What changed, for a page that cannot listen: asked every few seconds, and answered like live events are."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from jiequ.cases.queries import changes
from jiequ.core import clock
from jiequ.core.numbers import whole
from jiequ.people.access import actor_of, signed_in


@signed_in
@require_GET
def live_changes(request: HttpRequest) -> HttpResponse:
    """``?since=`` an event's number, or ``?at=`` milliseconds; → ``{since, changes, all}``. Two SELECTs after who asks."""
    actor, at = actor_of(request), clock.now()
    since, moment = _number(request, "since"), _number(request, "at")
    if since is None and moment is None:
        return JsonResponse({"since": changes.newest_event(), "changes": [], "all": False})
    if since is not None:
        rows = changes.happened(since)
    else:
        rows = changes.happened_since(datetime.fromtimestamp((moment or 0) / 1000, tz=UTC))
        since = rows[0].event_id - 1 if rows else changes.newest_event()
    return JsonResponse({"since": changes.settled(rows, since, at)} | changes.news_of(actor, rows, at=at))


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return whole(text, 14)
