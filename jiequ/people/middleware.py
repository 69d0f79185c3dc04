"""The one place where a view's declared access is enforced (DESIGN: deny by default)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.core.errors import Forbidden, Refusal, Unauthenticated
from jiequ.core.http import refuse

from . import entry, ways_in
from .access import Access, access_of, actor_of, is_too_weak
from .models import Person
from .rules import Actor
from .sessions import SessionStore

log = logging.getLogger(__name__)

BY_ITSELF = "Jiequ-By-Itself"
"""A page asks so when nobody touched it (live events, polling): that keeps no session alive."""


class PersonMiddleware(AuthenticationMiddleware):
    """``request.user``: the person who was read with the session, if Django would find the same one by itself."""

    def process_request(self, request: HttpRequest) -> None:
        """Asks nothing until somebody looks."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _person_of(request))  # type: ignore[assignment]


def _person_of(request: HttpRequest) -> Person | AnonymousUser:
    """Django's own answer, without its SELECT where the session's row brought an active person whose hash still holds."""
    session: SessionStore = request.session  # type: ignore[assignment]
    owner = session.get(auth.SESSION_KEY) and session.owner
    if owner and owner.is_active and session[auth.SESSION_KEY] == str(owner.pk):
        is_ours = session.get(auth.BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        if is_ours and constant_time_compare(session.get(auth.HASH_SESSION_KEY, ""), owner.get_session_auth_hash()):
            return owner
    return auth.get_user(request)


class AccessMiddleware:
    """Finds who asks, lets in whom the view's declaration admits, and nobody where there is no declaration."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on. What somebody signed in was shown stays in no cache, unless the view says otherwise."""
        response = self.get_response(request)
        actor: Actor | None = getattr(request, "_actor", None)
        if actor is not None and actor.person_id is not None:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> HttpResponse | None:
        """Judge before the view runs; None lets it run."""
        access = access_of(view)
        if access is None:
            log.error("no access declared: %s.%s", view.__module__, getattr(view, "__qualname__", view))
            return refuse(request, Forbidden("access_undeclared", _("这一页没有开放。")))
        entry.re_enter(request, clock.now())
        if access.is_open:
            return None
        actor = actor_of(request)
        refusal = _judge(request, view, access, actor)
        if refusal is not None:
            return ways_in.silently(request, refusal) or refuse(request, refusal)
        _speak(request, actor)
        if not request.headers.get(BY_ITSELF):
            request.session.touch(clock.now())  # type: ignore[attr-defined]
        return None


def _judge(request: HttpRequest, view: Callable[..., Any], access: Access, actor: Actor) -> Refusal | None:
    if actor.person_id is None or is_too_weak(request, actor):
        return Unauthenticated("not_signed_in", _("请先登录。"))
    if not access.admits(actor):
        return Forbidden("not_your_page", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))
    if getattr(view, "csrf_exempt", False) and not _has_form_key(request):
        return Forbidden("page_expired", _("页面已过期，请返回上一页刷新后再提交，您填写的内容还在"))
    return None


def _has_form_key(request: HttpRequest) -> bool:
    """A view that is exempt from Django's CSRF check (an API's) still needs the key when a session opens it."""
    return CsrfViewMiddleware(_nothing).process_view(request, _nothing, (), {}) is None


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _speak(request: HttpRequest, actor: Actor) -> None:
    """The person's language, unless this browser was told another."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(actor.language)
        request.LANGUAGE_CODE = translation.get_language()
