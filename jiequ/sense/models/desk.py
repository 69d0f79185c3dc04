"""What the analyst's desk keeps besides verdicts: outlines and their versions, pairs to learn from, nets, pictures released."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .imagery import Asset
from .suspects import Suspect, Verdict


class Outline(models.Model):
    """One version of a suspect's polygon that an analyst made: drawn by hand, joined of several, cut in two. Never edited."""

    class How(models.TextChoices):
        DRAWN = "drawn", _("手工重画")
        JOINED = "joined", _("合并")
        CUT = "cut", _("切开")

    suspect = models.ForeignKey(Suspect, on_delete=models.PROTECT, related_name="outlines")
    version = models.PositiveIntegerField(help_text="the suspect's version that it made")
    how = models.CharField(max_length=6, choices=How.choices)
    geometry = models.JSONField()
    area_m2 = models.FloatField()
    was = models.JSONField(help_text="the suspect's outline before: what undo restores")
    others = models.JSONField(default=list, blank=True, help_text="the suspects that were joined to it, or the piece cut off")
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["suspect", "version"], name="sense_outline_version"),
            models.CheckConstraint(condition=Q(how__in=["drawn", "joined", "cut"]), name="sense_outline_how"),
            models.CheckConstraint(condition=Q(area_m2__gt=0), name="sense_outline_has_area"),
        ]


class Example(models.Model):
    """One verdict as a pair to learn from: before, after and label as tiles in the store, once a job has cut them."""

    class State(models.TextChoices):
        WAITING = "waiting", _("待裁切")
        READY = "ready", _("已入库")
        SKIPPED = "skipped", _("未采用")

    verdict = models.OneToOneField(Verdict, on_delete=models.CASCADE, related_name="example")
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=24, blank=True)
    made_at = models.DateTimeField()
    cut_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "id"], name="sense_example_state")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["waiting", "ready", "skipped"]), name="sense_example_known"),
        ]


class Net(models.Model):
    """One change net that was learnt here: a candidate that failed the gate, in its week in the shadow, in use, or put away."""

    class State(models.TextChoices):
        REFUSED = "refused", _("没有过关")
        SHADOW = "shadow", _("影子运行")
        ACTIVE = "active", _("在用")
        RETIRED = "retired", _("停用")

    sha256 = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=7, choices=State.choices)
    why = models.CharField(max_length=24, blank=True, help_text="the gate's code")
    card = models.JSONField(default=dict, help_text="figures before and after, plan, how many pairs")
    examples = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField()
    shadow_since = models.DateField(null=True)
    active_from = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    follows = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+", help_text="in use before it")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["refused", "shadow", "active", "retired"]), name="sense_net_state"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="sense_net_one_active"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="shadow"), name="sense_net_one_shadow"),
        ]


class Calibration(models.Model):
    """What a confidence was worth in a street: the rising line fitted on its verdicts, and on how many."""

    street = models.OneToOneField("core.Street", on_delete=models.PROTECT, related_name="+")
    curve = models.JSONField(help_text="engine.isotonic: scores, shares, count")
    verdicts = models.PositiveIntegerField()
    fitted_at = models.DateTimeField()


class Release(models.Model):
    """A picture that may leave the desk: cut, softened, looked at by one person and passed by another."""

    class State(models.TextChoices):
        MAKING = "making", _("制作中")
        TO_SEE = "to_see", _("待核")
        PASSED = "passed", _("已放行")
        REFUSED = "refused", _("不放行")
        FAILED = "failed", _("没有做成")

    suspect = models.ForeignKey(Suspect, on_delete=models.PROTECT, related_name="releases")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    bounds = models.JSONField(help_text="west, south, east, north")
    boxes = models.JSONField(default=list, blank=True, help_text="what is made unreadable besides, as shares of the picture")
    state = models.CharField(max_length=7, choices=State.choices, default=State.MAKING)
    reason = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["suspect", "-id"], name="sense_release_suspect")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["making", "to_see", "passed", "refused", "failed"]), name="sense_release_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="passed") | (Q(ended_by__isnull=False) & ~Q(ended_by=models.F("made_by"))),
                name="sense_release_by_another",
            ),
        ]
