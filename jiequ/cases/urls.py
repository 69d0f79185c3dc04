"""Every address of the loop: residents' pages, staff phones, the desk."""

from __future__ import annotations

from django.urls import path

from .views import moves

app_name = "cases"
urlpatterns = [
    path("cases/<str:number>/do/<str:name>", moves.move, name="move"),
    path("cases/<str:number>/photos/<int:proof_id>/<str:variant>", moves.picture, name="picture"),
    path("undo/<int:event_id>", moves.undo, name="undo"),
]
