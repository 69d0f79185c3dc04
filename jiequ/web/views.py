"""The pages that belong to nobody else: home, about, what people say about the system, how a page is shown."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiequ.core import throttle
from jiequ.core.clock import now
from jiequ.core.errors import Refusal
from jiequ.core.http import client_network
from jiequ.core.ids import token_hash
from jiequ.core.numbers import whole
from jiequ.people.access import actor_of, needs, private_link, public
from jiequ.people.rules import Role

from . import navigation, samples, services
from .models import Suggestion, SuggestionState

YEAR_SECONDS = 365 * 24 * 3600
SUGGESTIONS_A_DAY = 10
LIST_LENGTH = 50


@public
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Residents: report, look up, what this is. Staff go to the page they begin with."""
    actor = actor_of(request)
    start = navigation.start_page(frozenset(seat.role for seat in actor.seats)) if actor.person_id else "/"
    if start != "/":
        return redirect(start)
    doors = {name: navigation.address(f"cases:{name}") for name in ("report", "query")}
    return render(request, "web/pages/home.html", {"doors": doors, "sign_in": navigation.address("people:sign_in")})


@public
@require_GET
def about(request: HttpRequest) -> HttpResponse:
    """Who runs this, its filing number, and the privacy notice."""
    return render(request, "web/pages/about.html")


@public
@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Language, larger type or theme, kept in cookies; back to the page it was asked from."""
    response = HttpResponseRedirect(_own_page(request, request.POST.get("next", "/")))
    keep: dict[str, Any] = {"max_age": YEAR_SECONDS, "samesite": "Lax", "secure": request.is_secure(), "httponly": True}
    language = request.POST.get("language")
    if language in dict(settings.LANGUAGES):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, **keep)
    if request.POST.get("care") in {"0", "1"}:
        response.set_cookie("care", request.POST["care"], **keep)
    if request.POST.get("theme") in {"auto", "light", "dark"}:
        response.set_cookie("theme", request.POST["theme"], **keep)
    return response


@public
@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: HttpRequest) -> HttpResponse:
    """A complaint or suggestion about the system itself; no name is asked."""
    page = _own_page(request, request.POST.get("page") or request.GET.get("page", ""))
    given: dict[str, Any] = {"page": page, "text": "", "ticket": services.new_ticket(), "longest": services.LONGEST}
    if request.method != "POST":
        return render(request, "web/pages/feedback.html", given)
    given |= {"text": request.POST.get("text", ""), "ticket": request.POST.get("ticket", "")}
    at = now()
    try:
        bucket = throttle.bucket("suggestion", client_network(request))
        throttle.take(bucket, capacity=SUGGESTIONS_A_DAY, per_seconds=24 * 3600, at=at)
        token = services.suggest(text=given["text"], page=page, ticket=given["ticket"], language=request.LANGUAGE_CODE, at=at)
    except Refusal as refusal:
        if refusal.code == "form_too_old":
            given["ticket"] = services.new_ticket()
        return render(request, "web/pages/feedback.html", given | {"refusal": refusal}, status=refusal.status)
    return redirect("web:feedback_answer", token=token)


@private_link
@require_GET
def feedback_answer(request: HttpRequest, token: str) -> HttpResponse:
    """One's own suggestion and its answer, for whoever holds the link."""
    suggestion = Suggestion.objects.filter(token_hash=token_hash(token)).first()
    if suggestion is None:
        raise Http404
    link = request.build_absolute_uri(request.path)
    response = render(request, "web/pages/feedback_answer.html", {"suggestion": suggestion, "link": link})
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "same-origin"
    return response


@needs(Role.SYSTEM_ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def suggestions(request: HttpRequest) -> HttpResponse:
    """What people said about the system, open ones first; an administrator answers here."""
    refusal, given = None, {}
    if request.method == "POST":
        given = {"id": request.POST.get("id", ""), "text": request.POST.get("text", "")}
        try:
            number = whole(given["id"]) or 0
            services.answer_suggestion(suggestion_id=number, text=given["text"], by=actor_of(request), at=now())
            return redirect("web:suggestions")
        except Refusal as refused:
            refusal = refused
    state = SuggestionState.ANSWERED if request.GET.get("state") == "answered" else SuggestionState.OPEN
    rows = Suggestion.objects.filter(state=state)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: LIST_LENGTH + 1])
    page = found[:LIST_LENGTH]
    facts = {"state": state, "rows": page, "more": page[-1].pk if len(found) > LIST_LENGTH else None}
    status = refusal.status if refusal else 200
    return render(request, "web/pages/suggestions.html", facts | {"refusal": refusal, "given": given}, status=status)


@public
@require_GET
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> JsonResponse:
    """So that a phone can keep the page on its home screen; nothing is installed."""
    icon = {"src": static("web/icon.svg"), "sizes": "any", "type": "image/svg+xml"}
    return JsonResponse(
        {
            "name": _("街区"),
            "short_name": _("街区"),
            "start_url": "/",
            "display": "browser",
            "background_color": "#eef2f2",
            "theme_color": "#0b5563",
            "icons": [icon],
        },
        content_type="application/manifest+json",
    )


@public
@require_GET
@cache_control(max_age=24 * 3600)
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for this address without being told to."""
    return redirect(static("web/icon.svg"))


@public
@require_GET
@cache_control(max_age=24 * 3600)
def robots(request: HttpRequest) -> HttpResponse:
    """Only the pages that say what this is are for search engines."""
    lines = ["User-agent: *", "Allow: /$", "Allow: /about", "Allow: /static/", "Disallow: /", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@public
@require_GET
def style(request: HttpRequest) -> HttpResponse:
    """Every part with sample content, for those who build pages; not there in production."""
    if settings.PRODUCTION:
        raise Http404
    frame = "desk" if request.GET.get("frame") == "desk" else "phone"
    return render(request, f"web/pages/style_{frame}.html", samples.everything(now()))


def _own_page(request: HttpRequest, path: str) -> str:
    """``path`` if it is one of our own pages, else the home page."""
    hosts = {request.get_host()}
    is_own = path.startswith("/") and url_has_allowed_host_and_scheme(path, hosts, require_https=request.is_secure())
    return path if is_own else "/"
