"""Who may hear a recording: the desk of the street whose report it belongs to."""

from __future__ import annotations

from django.utils.translation import gettext as _

from jiequ.cases.models import Case, Report
from jiequ.core.errors import NotFound
from jiequ.people.rules import DESK_ROLES, Actor

from .models import Voice


def voice_for(actor: Actor, voice_id: int) -> tuple[Voice, int]:
    """The recording and its report's street. One SELECT each way; NotFound alike for a hidden and a missing one."""
    seen = Report.objects.filter(case__in=Case.objects.visible_to(actor))
    street = dict(seen.filter(pk__in=Voice.objects.filter(pk=voice_id).values("report_id")).values_list("pk", "street_id"))
    voice = Voice.objects.filter(pk=voice_id, report_id__in=list(street)).first()
    if voice is None or voice.report_id is None or not actor.has(*DESK_ROLES, street_id=street[voice.report_id]):
        raise NotFound("no_such_voice", _("没有找到这段语音。"))
    return voice, street[voice.report_id]
