"""Programs' keys to the API: the administrator's page that allows and ends them, and the owner's that draws them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core.clock import now
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street
from jiequ.core.once import idempotent

from .. import entry, services
from ..access import actor_of, needs, signed_in
from ..models import ApiToken
from ..rules import ApiScope, Role
from .fields import number, page

SCOPES: dict[str, str | Promise] = {
    ApiScope.CASES_READ: gettext_lazy("读案件、待办、照片"),
    ApiScope.CASES_MOVE: gettext_lazy("办理案件（每一步）"),
    ApiScope.REPORTS_WRITE: gettext_lazy("上报"),
    ApiScope.REFERENCE_READ: gettext_lazy("读类型、部门、网格"),
    ApiScope.OPEN311: gettext_lazy("Open311：上报与补充（api_key）"),
}
DAYS = 90


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
@idempotent
def tokens(request: HttpRequest) -> HttpResponse:
    """All of them, the live ones first, and a form that allows another. The key itself is never on this page."""
    if request.method != "POST":
        return _page(request, None)
    try:
        token = _allowed(request)
    except (Refusal, NotFound) as refusal:
        return _page(request, refusal)
    messages.success(request, _("已允许“%(name)s”，请 %(person)s 在“我的 · 程序令牌”里取出。")
                     % {"name": token.name, "person": token.person.name})  # fmt: skip
    return redirect("people:tokens")


def _allowed(request: HttpRequest) -> ApiToken:
    return services.allow_token(
        name=request.POST.get("name", ""),
        person_id=services.person_named(request.POST.get("owner", "")).pk,
        scopes=request.POST.getlist("scopes"),
        street_id=number(request.POST, "street"),
        days=min(number(request.POST, "days") or 0, 10_000),
        by=actor_of(request),
        at=now(),
    )


@needs(Role.SYSTEM_ADMIN)
@require_POST
def renew_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """The key in use stops; its owner draws another."""
    token = services.renew_token(token_id=token_id, by=actor_of(request), at=now())
    messages.success(request, _("“%(name)s”原来的令牌已失效，等本人重新取出。") % {"name": token.name})
    return redirect("people:tokens")


@needs(Role.SYSTEM_ADMIN)
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """An end to it."""
    token = services.revoke_token(token_id=token_id, by=actor_of(request), at=now())
    messages.success(request, _("“%(name)s”已停用。") % {"name": token.name})
    return redirect("people:tokens")


@signed_in
@require_GET
def my_tokens(request: HttpRequest) -> HttpResponse:
    """One's own keys: what each may do, until when."""
    return _my_page(request)


def _my_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    owner = actor_of(request).person_id or 0
    rows = ApiToken.objects.filter(person_id=owner, revoked_at=None, ends_at__gt=now()).select_related("street")
    return page(request, "people/my_tokens.html", {"rows": [_row(row) for row in rows.order_by("-pk")]}, refusal)


@signed_in
@require_POST
def draw_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """The key, this once. No answer of this form is kept, so it carries no request number.

    Only just after signing in: a key outlives a session, and whoever stole one is not to leave with the other.
    """
    if not entry.has_just_proved(request, now()):
        return _my_page(request, Refusal("sign_in_again", _("为防别人冒用，请先退出、重新登录，十分钟内再取出令牌。")))
    token, secret = services.draw_token(token_id=token_id, by=actor_of(request), at=now())
    answer = page(request, "people/token_drawn.html", {"token": token, "secret": secret})
    answer["Cache-Control"] = "no-store"
    return answer


@signed_in
@require_POST
def drop_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """The owner ends one."""
    token = services.revoke_token(token_id=token_id, by=actor_of(request), at=now())
    messages.success(request, _("“%(name)s”已停用。") % {"name": token.name})
    return redirect("people:my_tokens")


def _page(request: HttpRequest, refusal: Refusal | None) -> HttpResponse:
    rows = ApiToken.objects.select_related("person", "street").order_by("-pk")[:500]
    live = [row for row in rows if row.revoked_at is None and row.ends_at > now()]
    over = [row for row in rows if row not in live]
    context: dict[str, Any] = {
        "rows": [_row(row) for row in (*live, *over)],
        "streets": Street.objects.filter(is_active=True).order_by("code9"),
        "scopes": list(SCOPES.items()),
        "given": request.POST,
        "given_scopes": request.POST.getlist("scopes"),
        "days": request.POST.get("days") or DAYS,
    }
    return page(request, "people/tokens.html", context, refusal)


def _row(token: ApiToken) -> dict[str, Any]:
    return {"token": token, "scopes": [SCOPES[scope] for scope in token.scopes], "is_over": token.ends_at <= now()}
