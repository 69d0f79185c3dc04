"""The addresses of the official account: its callback, and the administrator's page of channels."""

from __future__ import annotations

from django.urls import path

from .views import callback

app_name = "wechat"
urlpatterns = [
    path("callbacks/wechat/", callback.callback, name="callback"),
]
