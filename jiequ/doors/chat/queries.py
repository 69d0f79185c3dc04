"""Where recordings are."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from .models import Voice


def recordings(report_ids: Sequence[int]) -> dict[int, list[str]]:
    """The addresses of the recordings of these reports, by report. One SELECT."""
    found: dict[int, list[str]] = {}
    for voice in Voice.objects.filter(report_id__in=report_ids).defer("sound_sealed").order_by("pk"):
        found.setdefault(voice.report_id or 0, []).append(reverse("chat:voice", args=[voice.pk]))
    return found
