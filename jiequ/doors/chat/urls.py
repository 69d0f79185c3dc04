"""The addresses of the chat."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "chat"
urlpatterns = [path("chat/voices/<int:voice_id>", views.voice, name="voice")]
