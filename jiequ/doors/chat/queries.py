"""Where recordings are."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from .models import Voice


def recordings(report_ids: Sequence[int]) -> dict[int, list[str]]:
    """The addresses of the recordings of these reports, by report. One SELECT."""
    found: dict[int, list[str]] = {}
    for voice_id, report_id in Voice.objects.filter(report_id__in=report_ids).order_by("pk").values_list("pk", "report_id"):
        found.setdefault(report_id, []).append(reverse("chat:voice", args=[voice_id]))
    return found
