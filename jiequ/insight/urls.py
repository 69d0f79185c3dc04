"""Every address of those who supervise and evaluate."""

from __future__ import annotations

from django.urls import path

from .views import board, indicators

app_name = "insight"
urlpatterns = [
    path("board/", board.board, name="board"),
    path("board/<str:name>/", board.matter, name="matter"),
    path("indicators/", indicators.indicators, name="indicators"),
    path("indicators/cases/", indicators.behind, name="behind"),
    path("indicators/<str:name>/", indicators.indicator, name="indicator"),
]
