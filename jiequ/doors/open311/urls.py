"""The door's addresses: the standard's own under ``/open311/v2/``, pages for people beside them."""

from __future__ import annotations

from django.urls import path

from .views import bulk, documents, pages, partners, publishing, reading

app_name = "open311"
urlpatterns = [
    path("", pages.about, name="about"),
    path("discovery.<slug:form>", reading.discovery, name="discovery"),
    path("v2/", pages.about, name="root"),
    path("v2/discovery.<slug:form>", reading.discovery, name="discovery_v2"),
    path("v2/openapi.json", documents.openapi, name="openapi"),
    path("v2/services.<slug:form>", reading.services, name="services"),
    path("v2/services/<str:service_code>.<slug:form>", reading.service, name="service"),
    path("v2/requests.csv", bulk.requests_csv, name="bulk"),
    path("v2/requests.<slug:form>", reading.request_list, name="requests"),
    path("v2/requests/<str:request_id>.<slug:form>", reading.one_request, name="request"),
    path("v2/tokens/<str:handle>.<slug:form>", reading.token, name="token"),
    path("v2/servicerequestupdates.<slug:form>", reading.update_list, name="updates"),
    path("v2/photos/<int:proof_id>", bulk.photo, name="photo"),
    path("settings/", pages.settings_page, name="settings"),
    path("settings/street", pages.open_street, name="open_street"),
    path("settings/types", pages.hide_types, name="hide_types"),
    path("publish/", publishing.find, name="publish_find"),
    path("publish/<str:number>/", publishing.publish, name="publish"),
    path("publish/<str:number>/push", publishing.push, name="push"),
    path("partners/", partners.partners, name="partners"),
    path("partners/<int:partner_id>/", partners.partner, name="partner"),
    path("partners/<int:partner_id>/edit", partners.edit, name="partner_edit"),
    path("partners/<int:partner_id>/test", partners.test, name="partner_test"),
    path("partners/<int:partner_id>/pull", partners.pull, name="partner_pull"),
    path("partners/<int:partner_id>/pause", partners.pause, name="partner_pause"),
    path("partners/<int:partner_id>/end", partners.end, name="partner_end"),
    path("partners/<int:partner_id>/mappings", partners.mappings, name="partner_mappings"),
]
