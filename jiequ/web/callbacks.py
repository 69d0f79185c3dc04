"""The addresses of the callbacks' own process (callbacks_settings.py): all that a proxy leads there.

The pages' processes answer them too.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from jiequ.channels import urls as channels
from jiequ.channels.wechat import urls as wechat
from jiequ.channels.wecom import urls as wecom
from jiequ.core.errors import Refusal

from .ops import health

handler400 = "jiequ.core.http.bad_request"
handler403 = "jiequ.core.http.permission_denied"
handler404 = "jiequ.core.http.page_not_found"
handler500 = "jiequ.web.callbacks.fault"

FOLDER = "callbacks/"
_all = (*wechat.urlpatterns, *wecom.urlpatterns, *channels.urlpatterns)
urlpatterns = [*(one for one in _all if str(one.pattern).startswith(FOLDER)), path("healthz", health.healthz, name="healthz")]
"""Each view is public: the platforms prove themselves by a signature or a secret."""


def bare(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal without a word: no reader is here whom one would help."""
    return HttpResponse(status=refusal.status, content_type="text/plain; charset=utf-8")


def fault(request: HttpRequest) -> HttpResponse:
    """A fault of ours: the platform sends it again."""
    return HttpResponse(status=500, content_type="text/plain; charset=utf-8")
