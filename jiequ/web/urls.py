"""Every address of the installation; each app brings its own list."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from jiequ.cases import api as cases_api

from . import pages, views_audit

handler400 = "jiequ.core.http.bad_request"
handler403 = "jiequ.core.http.permission_denied"
handler404 = "jiequ.core.http.page_not_found"
handler500 = "jiequ.core.http.server_error"

audit_patterns = [
    path("audit/", views_audit.log, name="audit"),
    path("audit/export", views_audit.export, name="audit_export"),
    path("audit/verify", views_audit.verify, name="audit_verify"),
]
"""In the namespace of ``core``, whose audit they show."""

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("jiequ.cases.urls")),  # the busiest first: an address is looked for in this order
    path("", include((pages.urlpatterns, "web"))),
    path("", include((audit_patterns, "core"))),
    path("", include("jiequ.web.ops.urls")),
    path("", include("jiequ.people.urls")),
    path("", include("jiequ.channels.urls")),
    path("", include("jiequ.channels.wecom.urls")),
    path("", include("jiequ.channels.wechat.urls")),
    path("", include("jiequ.grid.urls")),
    path("", include("jiequ.doors.chat.urls")),
    path("", include("jiequ.triage.urls")),
    path("", include("jiequ.insight.urls")),
    path("sense/", include("jiequ.sense.urls")),
    path("", include("jiequ.doors.wechat_pages.urls")),
    path("open311/", include("jiequ.doors.open311.urls")),
    path("hotline/", include("jiequ.doors.hotline.urls")),
    path("api/", cases_api.page.page, name="api_page"),
    path("api/v1/", include((cases_api.urlpatterns, "cases_api"))),
]
