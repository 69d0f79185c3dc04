"""The addresses of event types, duty lists and control areas (namespace ``cases``)."""

from __future__ import annotations

from django.urls import path

from . import views_areas, views_policy, views_types

urlpatterns = [
    path("types/", views_types.type_list, name="types"),
    path("types/new/", views_types.new_type, name="type_new"),
    path("types/policy/", views_policy.policy, name="policy"),
    path("types/duty-lists/", views_areas.duty_lists, name="duty_lists"),
    path("types/duty-lists/new/", views_areas.duty_new, name="duty_new"),
    path("types/duty-lists/<int:duty_list_id>/", views_areas.duty_edit, name="duty_edit"),
    path("types/duty-lists/<int:duty_list_id>/remove/", views_areas.duty_remove, name="duty_remove"),
    path("types/control-areas/", views_areas.control_areas, name="control_areas"),
    path("types/control-areas/new/", views_areas.area_new, name="area_new"),
    path("types/control-areas/<int:area_id>/", views_areas.area_edit, name="area_edit"),
    path("types/control-areas/<int:area_id>/end/", views_areas.area_end, name="area_end"),
    path("types/<slug:kind>/<slug:code>/", views_types.type_page, name="type"),
    path("types/<slug:kind>/<slug:code>/edit/", views_types.edit_type, name="type_edit"),
    path("types/<slug:kind>/<slug:code>/active/", views_types.set_active, name="type_active"),
]
