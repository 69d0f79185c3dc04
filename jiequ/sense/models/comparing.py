"""A comparison of two dates: the polygons that came out of it, and the places that it cannot speak of."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .imagery import Asset


class Hint(models.TextChoices):
    """What a polygon looks like to the engine: a hint, never a verdict."""

    NEW_BUILDING = "new_building", _("新建房屋")
    ADDED_FLOOR = "added_floor", _("加层")
    ROOF_SHED = "roof_shed", _("屋顶搭建")
    EARTHWORKS = "earthworks", _("土方")
    DEMOLITION = "demolition", _("拆除")
    OTHER = "other", _("其他变化")


class Comparison(models.Model):
    """Two dates of a monitoring point or an area, compared by jobs; may be stopped, and goes on after a kill."""

    class State(models.TextChoices):
        WAITING = "waiting", _("排队中")
        RUNNING = "running", _("比对中")
        DONE = "done", _("完成")
        FAILED = "failed", _("没有完成")
        STOPPED = "stopped", _("已停止")

    # identity
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    point = models.ForeignKey("grid.MonitoringPoint", null=True, on_delete=models.SET_NULL, related_name="+")
    key = models.CharField(max_length=64, help_text="of the files, the area and the net: the same question is asked once")
    area = models.JSONField(null=True, blank=True, help_text="a polygon; empty: where both dates have pictures")
    # what
    before = models.ForeignKey(Asset, null=True, on_delete=models.PROTECT, related_name="+")
    after = models.ForeignKey(Asset, null=True, on_delete=models.PROTECT, related_name="+")
    before_dsm = models.ForeignKey(Asset, null=True, on_delete=models.PROTECT, related_name="+")
    after_dsm = models.ForeignKey(Asset, null=True, on_delete=models.PROTECT, related_name="+")
    before_on = models.DateField()
    after_on = models.DateField()
    in_pixels = models.BooleanField(default=False, help_text="two snapshots of one view: shapes are pixels, not places")
    # how far
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    stage = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    part = models.PositiveIntegerField(default=0, help_text="counts slices of work; names the job")
    reason = models.CharField(max_length=40, blank=True)
    # what came out
    notes = models.JSONField(default=list, blank=True, help_text="codes and facts: the net had no weights, say")
    provenance = models.JSONField(default=dict, blank=True)
    outcome_sha256 = models.CharField(max_length=64, blank=True, help_text="of what the engine answered, byte for byte")
    compared_m2 = models.FloatField(default=0)
    blind_m2 = models.FloatField(default=0)
    found = models.PositiveIntegerField(default=0)
    held_back = models.PositiveIntegerField(default=0)
    # when, who
    asked_at = models.DateTimeField()
    asked_by = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["street", "-id"], name="sense_comparison_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed", "stopped"]), name="sense_comparison_state"
            ),
            models.CheckConstraint(
                condition=Q(before__isnull=False, after__isnull=False) | Q(before_dsm__isnull=False, after_dsm__isnull=False),
                name="sense_comparison_has_pair",
            ),
            models.UniqueConstraint(
                fields=["street", "key"], condition=Q(state__in=["waiting", "running", "done"]), name="sense_comparison_once"
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(reason=""), name="sense_comparison_failed_says_why"),
        ]


class Finding(models.Model):
    """One polygon of one comparison: what changed there, by which path, and what held it back."""

    # identity
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="findings")
    key = models.CharField(max_length=64, help_text="the engine's: the same input gives the same")
    suspect = models.ForeignKey("sense.Suspect", null=True, on_delete=models.SET_NULL, related_name="findings")
    # what
    geometry = models.JSONField()
    lon = models.FloatField(null=True, help_text="empty where the shape is pixels")
    lat = models.FloatField(null=True)
    area_m2 = models.FloatField()
    height_m = models.FloatField(null=True)
    volume_m3 = models.FloatField(null=True)
    hint = models.CharField(max_length=12, choices=Hint.choices)
    has_tin_roof = models.BooleanField(default=False)
    confidence = models.FloatField()
    evidence = models.JSONField(default=dict, blank=True)
    relation = models.CharField(max_length=6, blank=True, help_text="to the suspect: new, same, grown, storey")
    # held back
    rule = models.CharField(max_length=24, blank=True, help_text="what held it back; empty: nothing")
    permit = models.ForeignKey("sense.Permit", null=True, on_delete=models.PROTECT, related_name="+")
    covered = models.FloatField(null=True, help_text="share of it that the permit or mask covers")

    class Meta:
        indexes = [models.Index(fields=["suspect", "-id"], name="sense_finding_suspect")]
        constraints = [
            models.UniqueConstraint(fields=["comparison", "key"], name="sense_finding_once"),
            models.CheckConstraint(condition=Q(area_m2__gt=0), name="sense_finding_has_area"),
            models.CheckConstraint(condition=Q(rule="") | Q(permit__isnull=False), name="sense_finding_rule_has_permit"),
        ]


class Blind(models.Model):
    """A place that a comparison could not compare: never "no change"."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="blind")
    geometry = models.JSONField()
    reason = models.CharField(max_length=24, help_text="a code of sense.words")
    path = models.CharField(max_length=8, help_text="which path is blind there: net or dsm")
    area_m2 = models.FloatField()
