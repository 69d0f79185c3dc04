"""The thing on the ground that persists over flights, what an analyst said of it, and where somebody must fly again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .comparing import Finding, Hint


class SuspectState(models.TextChoices):
    """Where a suspect stands. ``quiet``: an analyst rejected it; it comes back only when it changes."""

    OPEN = "open", _("待判读")
    CONFIRMED = "confirmed", _("疑似违建")
    LAWFUL = "lawful", _("合法")
    QUIET = "quiet", _("不是建设")
    REFLIGHT = "reflight", _("等复飞")
    MERGED = "merged", _("已并入")


class Said(models.TextChoices):
    """What an analyst may say."""

    CONFIRMED = "confirmed", _("疑似违建")
    LAWFUL = "lawful", _("合法")
    NOT_CONSTRUCTION = "not", _("不是建设")
    CANNOT_TELL = "cannot", _("看不清")


class FalseAlarm(models.TextChoices):
    """What it was instead: the classes that a false polygon is sorted into."""

    PLANTS = "plants", _("棚架、植物")
    SHADOW = "shadow", _("阴影")
    LEAN = "lean", _("投影差、错位")
    VEHICLE = "vehicle", _("车辆、船只")
    GOODS = "goods", _("堆放物")
    SURFACE = "surface", _("颜色、材质变化")
    WATER = "water", _("水面")
    OTHER = "other", _("其他")


class Suspect(models.Model):
    """A suspect (图斑): one thing on the ground over all its flights. No case: what comes later points at it."""

    # identity
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=24, unique=True)
    point = models.ForeignKey("grid.MonitoringPoint", null=True, on_delete=models.SET_NULL, related_name="+")
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    cut_from = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="pieces")
    # what
    geometry = models.JSONField()
    is_drawn = models.BooleanField(default=False, help_text="an analyst drew it: a newer flight does not overwrite it")
    lon = models.FloatField()
    lat = models.FloatField()
    area_m2 = models.FloatField()
    height_m = models.FloatField(null=True)
    hint = models.CharField(max_length=12, choices=Hint.choices)
    confidence = models.FloatField()
    likelihood = models.FloatField(null=True, help_text="calibrated on verdicts; empty: uncalibrated")
    # state
    state = models.CharField(max_length=9, choices=SuspectState.choices, default=SuspectState.OPEN)
    version = models.PositiveIntegerField(default=1)
    times_seen = models.PositiveIntegerField(default=1)
    first_on = models.DateField()
    last_on = models.DateField()
    latest = models.ForeignKey(Finding, null=True, on_delete=models.SET_NULL, related_name="+")
    wants_second = models.BooleanField(default=False, help_text="one in ten is read by a second person")
    came_back = models.CharField(max_length=6, blank=True, help_text="why it was opened again: grown, storey")
    # the queue
    turn = models.FloatField(default=0, help_text="place in the queue: small comes first")
    drawn_by = models.CharField(max_length=9, blank=True, help_text="why it stands there: top, uncertain, random")
    made_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["street", "turn"], condition=Q(state="open"), name="sense_suspect_queue"),
            models.Index(fields=["street", "-id"], name="sense_suspect_newest"),
            models.Index(fields=["street", "lon"], name="sense_suspect_place"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=SuspectState.values), name="sense_suspect_state"),
            models.CheckConstraint(condition=Q(area_m2__gt=0), name="sense_suspect_has_area"),
            models.CheckConstraint(
                condition=(Q(state="merged") & Q(merged_into__isnull=False)) | (~Q(state="merged") & Q(merged_into=None)),
                name="sense_suspect_merged_into",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Verdict(models.Model):
    """What one reader said of one suspect. Taken back it stays, struck out. Never counted by person."""

    suspect = models.ForeignKey(Suspect, on_delete=models.PROTECT, related_name="verdicts")
    finding = models.ForeignKey(Finding, null=True, on_delete=models.SET_NULL, related_name="+")
    said = models.CharField(max_length=9, choices=Said.choices)
    false_alarm = models.CharField(max_length=8, choices=FalseAlarm.choices, blank=True)
    permit = models.ForeignKey("sense.Permit", null=True, on_delete=models.PROTECT, related_name="+")
    geometry = models.JSONField(null=True, blank=True, help_text="the polygon as the reader left it")
    is_second = models.BooleanField(default=False)
    before = models.JSONField(default=dict, help_text="the suspect's state and place before: what undo restores")
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(help_text="so that nobody reads their own second time; no figure is made of it")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["suspect", "-id"], name="sense_verdict_suspect")]
        constraints = [
            models.CheckConstraint(condition=Q(said__in=Said.values), name="sense_verdict_known"),
            models.CheckConstraint(condition=Q(false_alarm="") | Q(said="not"), name="sense_verdict_class_of_false_only"),
            models.UniqueConstraint(
                fields=["suspect", "finding", "is_second"], condition=Q(undone_at=None), name="sense_verdict_once_a_reading"
            ),
        ]


class Reflight(models.Model):
    """A place that must be flown again because nobody could tell; done when a newer picture of it was compared."""

    suspect = models.ForeignKey(Suspect, on_delete=models.CASCADE, related_name="reflights")
    asked_at = models.DateTimeField()
    asked_by = models.BigIntegerField()
    done_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["suspect"], condition=Q(done_at=None, cancelled_at=None), name="sense_reflight_one_open"
            )
        ]
