"""The addresses of this app's own pages."""

from __future__ import annotations

from django.urls import path

from . import views, views_calendar, views_help, views_live
from .demo import views as demo_views

urlpatterns = [
    path("", views.home, name="home"),
    path("about", views.about, name="about"),
    path("help", views_help.own, name="help"),
    path("help/<slug:name>", views_help.page, name="help_page"),
    path("feedback", views.feedback, name="feedback"),
    path("feedback/<str:token>", views.feedback_answer, name="feedback_answer"),
    path("suggestions", views.suggestions, name="suggestions"),
    path("preferences", views.preferences, name="preferences"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("robots.txt", views.robots, name="robots"),
    path("style", views.style, name="style"),
    path("demo", demo_views.guide, name="demo"),
    path("demo/resident", demo_views.be_resident, name="demo_resident"),
    path("demo/fly", demo_views.fly_more, name="demo_fly"),
    path("live/changes", views_live.live_changes, name="live_changes"),
    path("calendar", views_calendar.year_page, name="calendar"),
    path("calendar/day", views_calendar.change_day, name="calendar_day"),
    path("calendar/notice", views_calendar.load_notice, name="calendar_notice"),
    path("calendar/hours", views_calendar.set_hours, name="calendar_hours"),
]
