"""Every address of those who supervise and evaluate."""

from __future__ import annotations

from django.urls import path

from .views import board, brief, exports, hotline, indicators

app_name = "insight"
urlpatterns = [
    path("brief/", brief.brief, name="brief"),
    path("brief/notice", brief.notice, name="brief_notice"),
    path("board/", board.board, name="board"),
    path("board/<str:name>/", board.matter, name="matter"),
    path("exports/", exports.exports, name="exports"),
    path("exports/new", exports.new, name="export_new"),
    path("exports/list", exports.new_list, name="export_list"),
    path("exports/<int:export_id>/file", exports.fetch, name="export"),
    path("indicators/", indicators.indicators, name="indicators"),
    path("indicators/cases/", indicators.behind, name="behind"),
    path("indicators/hotline/", hotline.rates, name="hotline"),
    path("indicators/hotline/cases/", hotline.behind, name="hotline_behind"),
    path("indicators/<str:name>/", indicators.indicator, name="indicator"),
]
