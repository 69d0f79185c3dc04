"""The addresses of sense."""

from __future__ import annotations

from django.urls import path

from .views import areas, comparisons, desk, drawing, imagery, nets, permits, releases, suspects, uploads

app_name = "sense"
urlpatterns = [
    path("imagery/", imagery.imagery, name="imagery"),
    path("imagery/rows", imagery.rows, name="imagery_rows"),
    path("imagery/<int:asset_id>/", imagery.asset, name="asset"),
    path("imagery/<int:asset_id>/item.json", imagery.item, name="item"),
    path("imagery/<int:asset_id>/remove", imagery.remove, name="asset_remove"),
    path("flights/new", imagery.flight_new, name="flight_new"),
    path("comparisons/", comparisons.comparisons, name="comparisons"),
    path("comparisons/area", areas.area, name="area"),
    path("comparisons/rows", comparisons.rows, name="comparison_rows"),
    path("comparisons/<int:comparison_id>/", comparisons.comparison, name="comparison"),
    path("comparisons/<int:comparison_id>/progress", comparisons.progress, name="comparison_progress"),
    path("comparisons/<int:comparison_id>/layer", comparisons.layer, name="comparison_layer"),
    path("comparisons/<int:comparison_id>/stop", comparisons.stop, name="comparison_stop"),
    path("permits/", permits.permits, name="permits"),
    path("permits/layer", permits.layer, name="permit_layer"),
    path("permits/<int:permit_id>/", permits.permit, name="permit"),
    path("permits/<int:permit_id>/end", permits.end, name="permit_end"),
    path("permits/read/<int:draft_id>/", permits.draft, name="permit_draft"),
    path("suspects/", suspects.suspects, name="suspects"),
    path("suspects/layer", suspects.layer, name="suspect_layer"),
    path("suspects/<int:suspect_id>/", suspects.suspect, name="suspect"),
    path("suspects/export", suspects.export, name="export"),
    path("suspects/files/<int:file_id>", suspects.file, name="export_file"),
    path("desk/", desk.queue, name="desk"),
    path("desk/<int:suspect_id>/", desk.suspect, name="desk_suspect"),
    path("desk/<int:suspect_id>/say", desk.say, name="verdict"),
    path("desk/<int:suspect_id>/draw", drawing.draw, name="outline_draw"),
    path("desk/<int:suspect_id>/join", drawing.join, name="outline_join"),
    path("desk/<int:suspect_id>/cut", drawing.cut, name="outline_cut"),
    path("desk/<int:suspect_id>/outline/undo", drawing.undo_outline, name="outline_undo"),
    path("desk/<int:suspect_id>/release", releases.ask, name="release_ask"),
    path("releases/<int:release_id>/", releases.release, name="release"),
    path("releases/<int:release_id>/picture.jpg", releases.picture, name="release_picture"),
    path("learning/", nets.learning, name="learning"),
    path("learning/back", nets.roll_back, name="net_roll_back"),
    path("desk/verdicts/<int:verdict_id>/undo", desk.undo, name="verdict_undo"),
    path("uploads/", uploads.uploads, name="uploads"),
    path("uploads/<str:token>", uploads.upload, name="upload"),
]
