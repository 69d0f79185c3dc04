"""A page with every script part on it and a form that is really received: the ground on which the scripts are tried."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template import RequestContext, engines
from django.urls import include, path
from PIL import Image

from jiequ.core.errors import Refusal
from jiequ.core.once import idempotent
from jiequ.people.access import public
from jiequ.web.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401

PAGE = """{% extends "web/phone.html" %}{% load i18n ui once %}{% block content %}<h1>Sample</h1>
<form class="form" method="post" action="/sample/take" enctype="multipart/form-data" data-queue data-queue-label="Sample"
 data-draft="sample">{% csrf_token %}{% once_key %}
{% include "web/parts/photos.html" with camera_first=True max=3 %}{% include "web/parts/place.html" %}
<div class="field"><label for="words">Words</label><input id="words" name="words" data-place-typed></div>
{% include "web/parts/map.html" with id="sample-map" basemap="/sample/base" pick=True %}
<button class="button" name="act" value="go">Send</button></form>
<form method="post" action="/sample/plain" data-draft="plain">{% csrf_token %}
<label>Plain <textarea name="plain"></textarea></label>
<button class="button">Plain go</button></form>
<a href="#more">More</a>{% include "web/parts/dialog.html" with id="more" title="More" body="web/parts/keys_help_list.html" %}
{% endblock %}"""
DESK = """{% extends "web/desk.html" %}{% load ui %}{% block content %}<h1>Desk</h1><input data-keys-search aria-label="find">
<table class="table" data-keys><tbody>{% for n in "123" %}<tr tabindex="-1" data-row="{{ n }}">
<td><a href="/sample/done?row={{ n }}">row {{ n }}</a></td>
<td><a data-key="d" href="/sample/done?dispatch={{ n }}">Dispatch</a></td></tr>{% endfor %}</tbody></table>{% endblock %}"""
SQUARE = [[[113.498, 23.178], [113.502, 23.178], [113.502, 23.182], [113.498, 23.182], [113.498, 23.178]]]
received: list[dict[str, Any]] = []
refuse_with: list[Refusal] = []


@public
def sample(request: HttpRequest) -> HttpResponse:
    """The page; ``?undo=3`` shows an undo toast of three seconds, ``?desk`` the desk."""
    undo = request.GET.get("undo")
    given = {"undo": {"url": "/sample/plain", "text": "Sent", "key": "k" * 20, "seconds": int(undo)} if undo else None}
    template = engines["django"].from_string(DESK if "desk" in request.GET else PAGE)
    return HttpResponse(template.template.render(RequestContext(request, given)))


@public
@idempotent
def take(request: HttpRequest) -> HttpResponse:
    """Receives the form once; refuses when told to."""
    if refuse_with:
        raise refuse_with.pop()
    sizes = [Image.open(file).size for file in request.FILES.getlist("photos")]
    facts = json.loads(request.POST.get("photo_facts") or "[]")
    received.append({**request.POST.dict(), "sizes": sizes, "facts": facts})
    return HttpResponseRedirect("/sample/done")


@public
def plain(request: HttpRequest) -> HttpResponse:
    """Receives the form without scripts' help; refuses an empty text."""
    if request.POST.get("plain") == "refuse":
        raise Refusal("sample", "Refused for the test")
    received.append(request.POST.dict())
    return HttpResponseRedirect("/sample/done")


@public
def done(request: HttpRequest) -> HttpResponse:
    """Where a taken form leads."""
    template = engines["django"].from_string('{% extends "web/phone.html" %}{% block content %}<h1>Done</h1>{% endblock %}')
    return HttpResponse(template.template.render(RequestContext(request)))


@public
def base(request: HttpRequest) -> HttpResponse:
    """A base map of one park."""
    park = {
        "type": "Feature",
        "properties": {"kind": "park", "name": "Park"},
        "geometry": {"type": "Polygon", "coordinates": SQUARE},
    }
    return JsonResponse({"type": "FeatureCollection", "features": [park]})


urlpatterns = [
    *urlpatterns,
    path("sample", sample),
    path("sample/", include([path("take", take), path("plain", plain), path("done", done), path("base", base)])),
]
