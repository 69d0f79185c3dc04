"""督办 from a board: one case by one tap, or several by their ticks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jiequ.core import clock
from jiequ.core.once import idempotent
from jiequ.people.access import actor_of, needs
from jiequ.people.rules import Role

from ..services.supervising import urge_many

TEXT_MAX = 500


@needs(Role.SUPERVISOR, Role.LEADER, Role.DUTY_LEADER)
@require_POST
@idempotent
def urge_some(request: HttpRequest) -> HttpResponse:
    """Urge the case whose button was pressed, else those that are ticked; back to where the reader came from."""
    one = request.POST.get("one", "")
    numbers = [one] if one else request.POST.getlist("number")
    text = request.POST.get("text", "").strip()[:TEXT_MAX]
    urged = urge_many(numbers, by=actor_of(request), at=clock.now(), text=text)
    if urged.done:
        messages.success(request, _("已督办 %(n)d 件，主办会收到通知。") % {"n": len(urged.done)})
    for number, sentence in urged.refused:
        messages.warning(request, f"{number}：{sentence}")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("cases:list")
    answer = HttpResponseRedirect(target)
    answer.status_code = 303
    return answer
