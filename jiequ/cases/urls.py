"""Every address of the loop: residents' pages, staff phones, the desk."""

from __future__ import annotations

from django.urls import path

from . import urls_types, views_replies
from .views import case, finding, imports, lots, map, moves, panel, phone, public, shift, staff, systems, urging

app_name = "cases"
urlpatterns = [
    *urls_types.urlpatterns,
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
    path("todo/", phone.todo, name="todo"),
    path("leader/", phone.leader, name="leader"),
    path("desk/", staff.desk, name="desk"),
    path("desk/replies/", views_replies.standard_replies, name="replies"),
    path("desk/replies/<slug:key>/", views_replies.standard_reply, name="reply"),
    path("desk/handover/", shift.handover, name="handover"),
    path("desk/handover/<int:note_id>/", shift.note, name="handover_note"),
    path("desk/handover/<int:note_id>/take", shift.take, name="handover_take"),
    path("cases/<str:number>/watch", shift.watch, name="watch"),
    path("desk/lots", lots.make, name="lots"),
    path("desk/lots/choose", lots.choose, name="lot_choose"),
    path("desk/lots/<int:lot_id>/", lots.lot, name="lot"),
    path("desk/lots/<int:lot_id>/undo", lots.undo, name="lot_undo"),
    path("desk/readers", lots.readers, name="readers"),
    path("desk/<str:number>/reading", lots.read, name="read"),
    path("desk/<str:number>/", panel.peek, name="peek"),
    path("cases/urge", urging.urge_some, name="urge_some"),
    path("map/", map.page, name="map"),
    path("map/points.json", map.points, name="map_points"),
    path("cases/clusters.json", map.clusters, name="clusters"),
    path("cases/", finding.case_list, name="list"),
    path("cases/points.json", finding.points, name="points"),
    path("cases/filters/", finding.filters, name="filters"),
    path("cases/filters/<int:filter_id>/<slug:act>", finding.change_filter, name="change_filter"),
    path("cases/<str:number>/", case.page, name="case"),
    path("cases/<str:number>/messages", case.notices, name="messages"),
    path("cases/<str:number>/reveal/<int:report_id>", case.reveal, name="reveal"),
    path("cases/<str:number>/rate/<int:report_id>", case.rate_by_phone, name="rate_by_phone"),
    path("cases/<str:number>/clear", case.clear_suspicion, name="clear_suspicion"),
    path("cases/<str:number>/do/<str:name>", moves.move, name="move"),
    path("cases/<str:number>/preview/<str:name>", moves.preview, name="preview"),
    path("cases/<str:number>/photos/<int:proof_id>/<str:variant>", moves.picture, name="picture"),
    path("imports/", imports.issues, name="imports"),
    path("imports/<int:issue_id>/", imports.issue, name="import_issue"),
    path("systems/", systems.systems, name="systems"),
    path("systems/<int:system_id>/renew", systems.renew, name="system_renew"),
    path("systems/<int:system_id>/revoke", systems.revoke, name="system_revoke"),
    path("undo/<int:event_id>", moves.undo, name="undo"),
]
