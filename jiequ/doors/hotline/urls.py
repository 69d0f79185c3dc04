"""The addresses of hotlines: their own door, the administrator's pages, the desk's."""

from __future__ import annotations

from django.urls import path

from . import api
from .views import desk, sources

app_name = "hotline"
urlpatterns = [
    path("v1/<slug:key>/orders", api.orders, name="orders"),
    path("v1/<slug:key>/answers", api.answers, name="answers"),
    path("v1/<slug:key>/visits", api.visits, name="visits"),
    path("", desk.desk, name="desk"),
    path("updates/<int:order_id>/", desk.update, name="update"),
    path("letters/<int:letter_id>/resend", desk.resend, name="resend"),
    path("cases/<str:number>/", desk.case, name="case"),
    path("sources/", sources.sources, name="sources"),
    path("sources/<int:source_id>/", sources.source, name="source"),
    path("sources/<int:source_id>/ways", sources.ways, name="ways"),
    path("sources/<int:source_id>/map", sources.mapping, name="map"),
    path("sources/<int:source_id>/log", sources.log, name="log"),
    path("sources/<int:source_id>/key", sources.renew, name="renew"),
    path("sources/<int:source_id>/pause", sources.pause, name="pause"),
    path("sources/<int:source_id>/ping", sources.ping, name="ping"),
    path("orders/<int:order_id>/again", sources.again, name="again"),
]
