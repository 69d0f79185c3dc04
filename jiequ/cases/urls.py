"""Every address of the loop: residents' pages, staff phones, the desk."""

from __future__ import annotations

from django.urls import path

from . import urls_types
from .views import moves, public

app_name = "cases"
urlpatterns = [
    path("report/", public.report, name="report"),
    path("report/near", public.near, name="near"),
    path("query/", public.query, name="query"),
    path("r/<str:token>/", public.mine, name="mine"),
    path("r/<str:token>/rate", public.rate, name="rate"),
    path("r/<str:token>/reopen", public.reopen, name="reopen"),
    path("r/<str:token>/revoke", public.revoke, name="revoke"),
    path("r/<str:token>/export", public.export, name="export"),
    path("r/<str:token>/erase", public.erase, name="erase"),
    path("r/<str:token>/photos/<int:proof_id>/<str:variant>", public.my_picture, name="my_picture"),
    path("cases/<str:number>/do/<str:name>", moves.move, name="move"),
    path("cases/<str:number>/photos/<int:proof_id>/<str:variant>", moves.picture, name="picture"),
    path("undo/<int:event_id>", moves.undo, name="undo"),
    *urls_types.urlpatterns,
]
