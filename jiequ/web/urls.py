"""Every address of the installation; each app brings its own list."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from jiequ.cases import api as cases_api

from . import pages

handler400 = "jiequ.core.http.bad_request"
handler403 = "jiequ.core.http.permission_denied"
handler404 = "jiequ.core.http.page_not_found"
handler500 = "jiequ.core.http.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((pages.urlpatterns, "web"))),
    path("", include("jiequ.web.ops.urls")),
    path("", include("jiequ.people.urls")),
    path("", include("jiequ.channels.urls")),
    path("", include("jiequ.grid.urls")),
    path("", include("jiequ.cases.urls")),
    path("api/v1/", include((cases_api.urlpatterns, "cases_api"))),
]
