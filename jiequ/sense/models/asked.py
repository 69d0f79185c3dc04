"""What somebody asked for and fetches or confirms later: a file of what was found, a file of permits that was read."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """A file of suspects or of one comparison: made by a job, fetched by whoever asked for it, gone when its time is over."""

    class Form(models.TextChoices):
        GEOJSON = "geojson", "GeoJSON"
        GPKG = "gpkg", "GeoPackage"
        CSV = "csv", "CSV"

    class State(models.TextChoices):
        WAITING = "waiting", _("排队中")
        WORKING = "working", _("制作中")
        READY = "ready", _("可下载")
        FAILED = "failed", _("没有做成")
        EXPIRED = "expired", _("已过期")

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    comparison = models.ForeignKey("sense.Comparison", null=True, on_delete=models.CASCADE, related_name="+")
    form = models.CharField(max_length=8, choices=Form.choices)
    key = models.CharField(max_length=43, unique=True, help_text="names the file; opens nothing by itself")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    language = models.CharField(max_length=10)
    rows = models.PositiveIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField()
    asked_by = models.BigIntegerField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["asked_by", "-id"], name="sense_export_own")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "working", "ready", "failed", "expired"]), name="sense_export_state"
            )
        ]


class PermitDraft(models.Model):
    """A file of permits that was read and shown, but not yet taken over; forgotten after a day."""

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    rows = models.JSONField(help_text="the sound rows")
    faults = models.JSONField(help_text="line, number and code of each row that is left out")
    made_at = models.DateTimeField(db_index=True)
    made_by = models.BigIntegerField()
