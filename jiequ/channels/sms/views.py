"""``/callbacks/sms/<secret>/``: what became of text messages, and what people answered to them, told by the provider."""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from jiequ.core.clock import now
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.people.access import public

from ..services import record_receipt
from .aliyun import NAME, NUMBER_MAX

log = logging.getLogger(__name__)
MOST_BYTES = 256 * 1024
MOST_ROWS = 1000


@csrf_exempt
@public
@require_POST
def receipts(request: HttpRequest, secret: str) -> JsonResponse:
    """A list of receipts and answers. The provider tells again what is not answered with code 0; a receipt counts once.

    Answers to a text are thanked for and thrown away: nobody reads them, and the text says where to turn to.
    """
    ours = settings.SMS_CALLBACK_SECRET
    if not ours or not hmac.compare_digest(secret.encode(), ours.encode()):
        raise Http404
    rows = _rows(request.body if int(request.META.get("CONTENT_LENGTH") or 0) <= MOST_BYTES else b"")
    told = [row for row in rows if isinstance(row.get("biz_id"), str) and isinstance(row.get("success"), bool)]
    at = now()
    with writing():
        for row in told:
            code = "" if row["success"] else str(row.get("err_code", ""))[:40]
            record_receipt(
                port=NAME,
                provider_id=row["biz_id"][:NUMBER_MAX],
                key=str(row.get("out_id") or "")[:NUMBER_MAX],
                is_delivered=row["success"],
                error=f"receipt_{code}" if code else "receipt_failed",
                at=at,
            )
    log.info("receipts", extra={"receipts": len(told), "others": len(rows) - len(told)})
    return JsonResponse({"code": 0, "msg": "OK"})


def _rows(body: bytes) -> list[dict[str, Any]]:
    """The provider's list; Refusal for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) > MOST_ROWS or not all(isinstance(row, dict) for row in found):
        raise Refusal("bad_receipts", "a list of at most 1,000 receipts is expected")
    return found
