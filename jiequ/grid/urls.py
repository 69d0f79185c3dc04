"""The addresses of the map."""

from __future__ import annotations

from django.urls import path

from . import api, views, views_names

app_name = "grid"
urlpatterns = [
    path("grid/", views.overview, name="list"),
    path("grid/responsibility/", views.responsibility, name="responsibility"),
    path("grid/responsibility/new/", views.responsibility_new, name="responsibility_new"),
    path("grid/responsibility/<int:grid_id>/", views.responsibility_edit, name="responsibility_edit"),
    path("grid/responsibility/<int:grid_id>/retire/", views.responsibility_retire, name="responsibility_retire"),
    path("grid/units/", views.units, name="units"),
    path("grid/points/", views.points, name="points"),
    path("grid/points/new/", views.point_new, name="point_new"),
    path("grid/points/<int:point_id>/", views.point_edit, name="point_edit"),
    path("grid/points/<int:point_id>/remove/", views.point_remove, name="point_remove"),
    path("grid/names/", views_names.names, name="names"),
    path("grid/names/new/", views_names.name_new, name="name_new"),
    path("grid/names/<int:place_id>/", views_names.name_edit, name="name_edit"),
    path("grid/names/<int:place_id>/remove/", views_names.name_remove, name="name_remove"),
    path("grid/plates/", views.plates, name="plates"),
    path("grid/import/", views.import_file, name="import"),
    path("grid/export/", views.export_file, name="export"),
    path("grid/layers/<int:street_id>/base.json", api.base, name="layer_base"),
    path("grid/layers/<int:street_id>/units.json", api.units, name="layer_units"),
    path("grid/layers/<int:street_id>/points.json", api.points, name="layer_points"),
    path("grid/locate", api.locate, name="locate"),
    path("grid/places", api.places, name="places"),
    path("p/<str:code>", api.plate, name="plate"),
]
