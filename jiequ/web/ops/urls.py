"""The operators' addresses."""

from __future__ import annotations

from django.urls import path

from . import health

app_name = "ops"
urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics_page, name="metrics"),
]
