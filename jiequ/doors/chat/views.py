"""The one page of the chat: a recording, for the desk."""

from __future__ import annotations

import base64

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from jiequ.core import audit, clock, secrets
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import DESK_ROLES

from .access import voice_for
from .reporting import VOICE_PURPOSE


@needs(*DESK_ROLES)
@require_GET
def voice(request: HttpRequest, voice_id: int) -> HttpResponse:
    """What somebody said, as a file to be played; that it was fetched stands in the audit, for a voice names its speaker."""
    actor = actor_of(request)
    found, street_id = voice_for(actor, voice_id)
    audit.record(
        street_id=street_id,
        person_id=actor.person_id,
        action="chat.hear",
        object_kind="report",
        object_id=str(found.report_id),
        at=clock.now(),
    )
    sound = base64.b64decode(secrets.unseal(found.sound_sealed, VOICE_PURPOSE))
    answer = HttpResponse(sound, content_type=f"audio/{found.format}")
    answer["Content-Disposition"] = f'attachment; filename="voice-{found.pk}.{found.format}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["Cache-Control"] = "private, no-store"
    return answer
