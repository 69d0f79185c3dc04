"""The security administrator's page: unlock, one-time reset code, end sessions, forget a lost second factor."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from jiequ.core.clock import now

from .. import queries, services
from ..access import actor_of, needs
from ..models import Person
from ..rules import RESET_CODE_LIFE, Role
from .fields import page


@needs(Role.SECURITY_ADMIN)
@require_GET
def security(request: HttpRequest) -> HttpResponse:
    """Finds a person by name, user name or phone."""
    words = request.GET.get("q", "").strip()[:60]
    return page(request, "people/security.html", {"q": words, "rows": queries.find_people(words) if words else []})


@needs(Role.SECURITY_ADMIN)
@require_POST
def unlock(request: HttpRequest, person_id: int) -> HttpResponse:
    """All tries back."""
    services.unlock(person_id=person_id, by=actor_of(request), at=now())
    return _done(request, person_id, _("已解除限制，可以再试密码。"))


@needs(Role.SECURITY_ADMIN)
@require_POST
def reset_code(request: HttpRequest, person_id: int) -> HttpResponse:
    """Shows a one-time code, this once."""
    at = now()
    code = services.make_reset_code(person_id=person_id, by=actor_of(request), at=at)
    person = get_object_or_404(Person, pk=person_id)
    return page(request, "people/reset_code.html", {"person": person, "code": code, "until": at + RESET_CODE_LIFE})


@needs(Role.SECURITY_ADMIN)
@require_POST
def end_sessions(request: HttpRequest, person_id: int) -> HttpResponse:
    """Out everywhere."""
    services.end_sessions(person_id=person_id, by=actor_of(request), at=now())
    return _done(request, person_id, _("这个人的所有登录都已退出。"))


@needs(Role.SECURITY_ADMIN)
@require_POST
def reset_second_factor(request: HttpRequest, person_id: int) -> HttpResponse:
    """A lost phone is forgotten."""
    services.reset_second_factor(person_id=person_id, by=actor_of(request), at=now())
    return _done(request, person_id, _("两步验证已清除，下次登录时重新设置。"))


def _done(request: HttpRequest, person_id: int, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    person = get_object_or_404(Person, pk=person_id)
    response = redirect("people:security")
    response["Location"] += f"?q={person.username}"
    return response
