"""Every address of the triage: how it does, and what it does it with."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "triage"
urlpatterns = [
    path("triage/", views.home, name="home"),
    path("triage/learn", views.learn, name="learn"),
    path("triage/versions/<int:version_id>/", views.version, name="version"),
    path("triage/versions/<int:version_id>/use", views.use, name="use"),
    path("triage/urgent/", views.urgent, name="urgent"),
    path("triage/try/", views.try_out, name="try"),
]
