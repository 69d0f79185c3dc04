"""Place topics: places that people keep coming back to with one sort of trouble."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Topic(models.Model):
    """地点专题: somebody confirmed that reports of one type keep coming from a circle; it merges nothing (docs/adr/0050)."""

    # what
    event_type = models.ForeignKey("cases.EventType", on_delete=models.PROTECT, related_name="+", db_index=False)
    anchor = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+", db_index=False, help_text="the oldest")
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+", db_index=False)
    lon = models.FloatField()
    lat = models.FloatField()
    radius_m = models.FloatField(help_text="whatever of the type lies so near belongs to it")
    # when
    confirmed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # who
    confirmed_by = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+", db_index=False)
    ended_by = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["anchor"], condition=Q(ended_at__isnull=True), name="topic_in_force_once"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="topic_ended_by_someone",
            ),
        ]
        indexes = [models.Index(fields=["street"], condition=Q(ended_at__isnull=True), name="topic_in_force")]
