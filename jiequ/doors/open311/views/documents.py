"""The OpenAPI document as JSON."""

from __future__ import annotations

import json
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, override
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from jiequ.people.access import public

from ..document import document


@lru_cache(maxsize=4)
def _text(language: str) -> str:
    with override(language):
        return json.dumps(document(settings.BASE_URL), ensure_ascii=False)


@public
@require_safe
@gzip_page
def openapi(request: HttpRequest) -> HttpResponse:
    """The document in the reader's language: it describes the door and opens nothing."""
    language = "en" if (get_language() or "").startswith("en") else "zh-hans"
    told = HttpResponse(_text(language), content_type="application/json")
    told["Content-Language"] = language
    told["Cache-Control"] = "public, max-age=300"
    patch_vary_headers(told, ["Accept-Language", "Cookie"])
    return told
